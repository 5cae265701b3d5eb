import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import DecodingConfig
from nmt.inference import joining
from nmt.inference.joining import Joiner
from nmt.inference.output import word_links
from nmt.inference.splitting import DividedLine, Part, Splitter, TrainedOn
from nmt.inference.translation import empty_translation
from nmt.inference.translator import Translator

SENTENCES = ["a b c .", "h g f e .", "b ."]
LINE = "a b c .  h g f e . b ."


@pytest.fixture(scope="module")
def always(copy_run):
    return Translator.load(copy_run, split="always")


@pytest.fixture(scope="module")
def found(always):
    return always.translate(LINE)


def splitter(tokenizers, *, trained_on=None, **settings):
    return Splitter(
        tokenizers.source, DecodingConfig(**settings), trained_on or TrainedOn(max_length=8)
    )


# The copying model's pieces are letters: a line of n letters has n + 1 pieces, the end included.
@pytest.mark.parametrize(
    ("split", "max_pieces", "max_length", "line", "parts"),
    [
        ("never", 5, 5, "a b c d e f g", ["a b c d e f g"]),
        ("cut", 8, 5, "a b . c d e f g", ["a b . c d e f g"]),  # not more than max_pieces
        ("cut", 7, 5, "a b . c d e f g", ["a b .", "c d e f", "g"]),
        ("cut", 7, None, "a b . c d e f g", ["a b .", "c d e f g"]),
        ("cut", 5, 99, "a b , c d e f g", ["a b ,", "c d e f", "g"]),
        ("cut", 5, 99, "a b c d e f g", ["a b c d", "e f g"]),
        ("long", 99, 7, "a b . c d e f", ["a b . c d e f"]),
        ("long", 99, 7, "a b . c d e f g", ["a b .", "c d e f g"]),
        ("long", 7, None, "a b . c d e f g", ["a b .", "c d e f g"]),
        ("always", 99, 99, "a b . c", ["a b .", "c"]),
        ("always", 99, 4, "a b . c d e f g", ["a b .", "c d e", "f g"]),
        ("always", 99, 99, "  a b .  ", ["  a b .  "]),  # one sentence stays as it is
        ("always", 99, 99, "  a b .\tc  ", ["a b .", "c"]),
        ("always", 99, 99, " ", [" "]),
        ("always", 99, 99, "", [""]),
        ("always", 1, 99, "a b", ["a", "b"]),  # nothing fits
    ],
)
def test_which_lines_are_divided(always, split, max_pieces, max_length, line, parts):
    trained_on = TrainedOn(max_length=max_length)
    how = splitter(always.tokenizers, trained_on=trained_on, split=split, max_pieces=max_pieces)

    assert [part.text for part in how.parts([line])[0]] == parts


def test_characters_that_the_model_does_not_read_make_no_line_long(always):
    how = splitter(always.tokenizers, max_pieces=4)

    assert how.parts(["a b " + "😆" * 50]) == [[Part("a b " + "😆" * 50)]]


def test_the_tag_of_a_line_is_in_front_of_each_sentence(always):
    trained_on = TrainedOn(max_length=6, tags=("a", "b"))
    how = splitter(always.tokenizers, trained_on=trained_on, split="always")

    (parts, other) = how.parts([" b  c . d e f g h", "c . d"])

    assert [part.text for part in parts] == [" b  c .", " b  d e f g", " b  h"]
    assert [(part.begin, part.end) for part in parts] == [(4, 7), (8, 15), (16, 17)]
    assert parts[1].spans([(1, 2), (4, 5), (6, 7)]) == [(1, 2), (8, 9), (10, 11)]
    assert [part.text for part in other] == ["c .", "d"]


def test_a_line_of_many_sentences_is_divided_in_a_moment(embedded_tokenizers):
    how = splitter(embedded_tokenizers, split="always", trained_on=TrainedOn(max_length=40))

    begin = time.monotonic()
    begin = time.process_time()
    (parts,) = how.parts(["Ja. " * 12_000])

    assert len(parts) == 12_000
    assert time.process_time() - begin < 2.5  # if each is encoded by itself, twice as much


@given(st.text(st.sampled_from("Hund Katz., \t"), max_size=60), st.integers(2, 9))
def test_parts_are_within_the_limit_and_in_their_places(embedded_tokenizers, line, most):
    how = splitter(embedded_tokenizers, split="always", max_pieces=most)

    (parts,) = how.parts([line])

    if len(parts) > 1:
        ends = [0, *(part.end for part in parts)]
        for part, before in zip(parts, ends, strict=False):
            assert line[part.begin : part.end] == part.text != ""
            assert line[before : part.begin].strip() == ""
        assert line[ends[-1] :].strip() == ""
    for part in parts:
        pieces = len(embedded_tokenizers.source.encode(part.text)) + 1
        assert pieces <= most or len(part.text.strip()) == 1


def test_a_line_is_what_its_sentences_are(always, found):
    alone = always.translate(SENTENCES)

    assert found.source == LINE
    assert found.text == "a b c . h g f e . b ."
    assert [each.text for each in found.parts] == [each.text for each in alone]
    assert found.log_prob == pytest.approx(sum(each.log_prob for each in alone), abs=1e-4)
    assert found.score == pytest.approx(sum(each.score for each in alone) / 3, abs=1e-4)
    assert found.source_pieces == found.target_pieces == (*(f"▁{x}" for x in "abchgfeb"), "</s>")
    pieces = [each.piece_log_probs for each in alone]
    expected = [*pieces[0][:-1], *pieces[1][:-1], *pieces[2][:-1], sum(each[-1] for each in pieces)]
    np.testing.assert_allclose(found.piece_log_probs, expected, atol=1e-4)
    assert sum(each for _, each in found.word_log_probs) == pytest.approx(found.log_prob, abs=1e-6)


def test_attention_has_that_of_each_sentence_in_its_place(always, found):
    # By hand: the pieces of the sentences are at 0 to 2, 3 to 6 and 7, the end is at 8.
    alone = [each.attention for each in always.translate(SENTENCES)]
    expected = np.zeros((9, 9), np.float32)
    for begin, end, weights in zip((0, 3, 7), (3, 7, 8), alone, strict=True):
        expected[begin:end, begin:end] = weights[:-1, :-1]
        expected[begin:end, 8] = weights[:-1, -1]
    expected[8, 7], expected[8, 8] = alone[2][-1]

    np.testing.assert_allclose(found.attention, expected, atol=1e-5)
    np.testing.assert_allclose(found.attention.sum(axis=1), 1, atol=1e-5)


def test_words_and_their_links_are_those_of_the_line(found):
    assert found.words.source == tuple(LINE.split())
    assert found.words.target == tuple(found.text.split())
    for word, weights in zip(found.words.target, found.words.weights, strict=True):
        assert word == "." or found.words.source[weights.argmax()] == word
    places = [found.source[begin:end] for begin, end in found.source_offsets]
    assert places == list("abchgfeb")
    assert places == [found.text[begin:end].strip() for begin, end in found.target_offsets]


def test_an_explanation_is_that_of_each_sentence(always, found):
    alone = always.explain(always.translate(SENTENCES), method="saliency")
    explained = always.explain([found, *always.translate(SENTENCES)], method="saliency")

    assert [each.method for each in explained] == ["saliency"] * 4
    np.testing.assert_allclose(explained[0].attention[3:7, 3:7], alone[1].attention[:-1, :-1])
    np.testing.assert_allclose(explained[2].attention, alone[1].attention)


def test_other_lines_change_nothing_and_keep_their_places(always, found):
    lines = ["c", LINE, "", "a b . c", "😆 . 😆"]

    translations = always.translate(lines)

    assert [each.source for each in translations] == lines
    assert [each.text for each in translations] == ["c", found.text, "", "a b . c", "😆 . 😆"]
    np.testing.assert_allclose(translations[1].attention, found.attention, atol=1e-5)
    assert translations[4].attention.shape == (0, 0)


def test_the_best_translations_are_the_best_combinations(copy_run):
    translator = Translator.load(copy_run, split="always", patience=None)
    one, two = (next(iter(translator.stream([part], n_best=4))) for part in ("a b .", "c ."))
    every = sorted(
        ((first.score + second.score) / 2, f"{first.text} {second.text}")
        for first, second in product(one, two)
    )

    (found,) = translator.stream(["a b . c ."], n_best=4)

    assert [each.score for each in found] == pytest.approx([score for score, _ in every[:-5:-1]])
    assert [each.text for each in found] == [text for _, text in every[:-5:-1]]


def test_warnings_name_the_line_and_a_cut_part_makes_the_line_cut(always):
    short = Translator(
        always.loaded,
        tokenizers=always.tokenizers,
        config=always.config.model_copy(update={"max_output_ratio": 0.1, "max_extra": 2}),
    )

    with pytest.warns(UserWarning, match=r"^lines 2, 4: the translation is cut"):
        _, cut, _, other = short.translate(["a", "a b c . d .", "b . c", "d . a b c . d e f"])

    assert (cut.is_cut, other.is_cut) == (True, True)
    assert [each.is_cut for each in cut.parts] == [True, False]
    assert cut.target_pieces == ("▁a", "▁b", "▁d")
    assert cut.attention.shape == (3, 5)
    assert cut.words.target == tuple(cut.text.split())
    assert cut.piece_log_probs.sum() == pytest.approx(cut.log_prob)
    assert len(cut.piece_log_probs) == 3


def test_a_line_whose_matrix_would_be_too_large_is_translated_without_alignment(
    always, found, monkeypatch
):
    monkeypatch.setattr(joining, "LARGEST", 100)

    with pytest.warns(UserWarning, match="^line 2: too long for an alignment of the whole line"):
        short, long = always.translate([SENTENCES[0], LINE])

    assert short.words.weights.any()
    assert (long.text, long.score, long.log_prob) == (found.text, found.score, found.log_prob)
    assert (long.attention.size, long.target_pieces, word_links(long)) == (0, (), frozenset())
    assert long.words.weights.shape == found.words.weights.shape
    for part, sentence in zip(long.parts, found.parts, strict=True):
        np.testing.assert_array_equal(part.attention, sentence.attention)
    explained = always.explain(long, method="saliency")
    assert (explained.text, explained.attention.size) == (found.text, 0)


def test_a_part_that_cannot_be_divided_is_cut_with_a_warning(copy_run):
    short = Translator.load(copy_run, max_pieces=1)

    with pytest.warns(UserWarning, match=r"line 1: the source has more than 0 pieces, and is cut"):
        assert short.translate("a b").text == ""


def test_a_line_beyond_the_limit_is_divided_by_default_and_given_pairs_are_cut(copy_run):
    short = Translator.load(copy_run, max_pieces=4)
    line = "a b c d e f g h"

    assert short.translate(line).text == line
    with pytest.warns(UserWarning, match="line 1: .* than 3 pieces, and is cut"):
        assert short.align(line, line).parts == ()


# Texts of parts, which are joined as the line and their scripts ask for.
@pytest.mark.parametrize(
    ("line", "texts", "joined"),
    [
        ("Er kam. Sie ging.", ["He came.", "She left."], "He came. She left."),
        ("Er kam.   Sie ging. ", ["He came.", "She left."], "He came. She left."),
        ("他来了。她走了！", ["He came.", "She left!"], "He came. She left!"),
        ("他来了。她走了！", ["彼は来た。", "彼女は去った！"], "彼は来た。彼女は去った！"),
        ("He came. She left.", ["他来了。", "她走了。"], "他来了。她走了。"),
        ("He came. She left.", ["그가 왔다.", "그녀가 갔다."], "그가 왔다. 그녀가 갔다."),
        ("He came. She left.", ["เขามา", "เธอไป"], "เขามา เธอไป"),
        ("वह आया।वह गई।", ["He came.", "She left."], "He came. She left."),
        ("他来了。她走了！", ["", "She left!"], "She left!"),
        ("Ja. Er. Da.", ["Yes.", "", "There."], "Yes. There."),
        # a sign of a document, such as <br>
        ("Ja.\U000f0000Er.\U000f0001 Da.", ["Yes.", "He.", "There."], "Yes.He. There."),
        ("Er kam. 😆 Ja. Sie ging.", ["He came.", "😆 Yes.", "She left."], None),
    ],
)
def test_texts_are_joined_as_their_scripts_ask_for(embedded_tokenizers, line, texts, joined):
    how = splitter(embedded_tokenizers, split="always", trained_on=TrainedOn(max_length=200))
    (parts,) = how.parts([line])
    found = [[empty_translation(part.text, text)] for part, text in zip(parts, texts, strict=True)]

    (translation,) = Joiner(embedded_tokenizers).joined(DividedLine(line, parts), found, 1)

    assert translation.text == (joined or " ".join(texts))


@pytest.mark.parametrize(
    ("line", "parts", "texts", "joined"),
    [
        ("Überschwemmung", [(0, 5), (5, 14)], ["Über", "flut"], "Überflut"),  # within a word
        ("他来了她走了", [(0, 3), (3, 6)], ["he came", "she left"], "he came she left"),
        ("他来了她走了", [(0, 3), (3, 6)], ["彼は来た", "去った"], "彼は来た去った"),
        ("เขามาเธอไป", [(0, 5), (5, 10)], ["เขา", "เธอ"], "เขาเธอ"),
    ],
)
def test_words_are_joined_where_a_line_has_no_space(
    embedded_tokenizers, line, parts, texts, joined
):
    parts = [Part(line[begin:end], begin) for begin, end in parts]
    found = [[empty_translation(part.text, text)] for part, text in zip(parts, texts, strict=True)]

    (translation,) = Joiner(embedded_tokenizers).joined(DividedLine(line, parts), found, 1)

    assert translation.text == joined
