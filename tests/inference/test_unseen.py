"""Source characters that no piece spells: read as others, set aside, and written back."""

import unicodedata

import numpy as np
import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from nmt.config import TrainedTokenizerConfig
from nmt.data import tokenizer_training
from nmt.data.tokenizers import Tokenizers
from nmt.inference.copying import Copier
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator
from nmt.inference.unseen import remainders

LINES = ['Der Hund schläft. Die Katze rennt, (sagt er) "so" -', "don't. 5 m, zwei 10 und 3."] * 9


@pytest.fixture(scope="module", params=[True, False], ids=["bytes", "unk"])
def model(request):
    """A model of a few letters and signs."""
    size = 50 + 256 * request.param
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=size, byte_fallback=request.param)
    return tokenizer_training.train(LINES, LINES, config).source


@pytest.mark.parametrize(
    ("line", "text", "unseen"),
    [
        ("Der Hund schläft.", "Der Hund schläft.", []),
        ("Der Hund. 😆 Die Katze.", "Der Hund. Die Katze.", ["😆"]),
        ("😆 Der Hund", "Der Hund", ["😆"]),
        ("Der Hund 😆", "Der Hund", ["😆"]),
        ("Der Hund 😆.", "Der Hund.", ["😆"]),
        ("Der Hund.😆 Die", "Der Hund. Die", ["😆"]),
        ("Der Hund😆 Die", "Der Hund Die", ["😆"]),
        ("Hund 😆 😆  ½ Katze", "Hund Katze", ["😆 😆 ½"]),
        ("Hund 😆 Katze ½ rennt", "Hund Katze rennt", ["😆", "½"]),
        # Words of another script, between spaces or signs; not a part of a word.
        ("Der 漢字 rennt", "Der rennt", ["漢字"]),
        ("Der 漢字, (漢) rennt", "Der, () rennt", ["漢字", "漢"]),
        ("Der Hundő rennt", "Der Hundő rennt", []),
        ("Der Hund漢 rennt", "Der Hund漢 rennt", []),
        # A sign goes wherever it is; words that it joined stay words.
        ("5 m² und", "5 m und", ["²"]),
        ("Hund×Katze", "Hund Katze", ["×"]),
        ("Hund/Katze", "Hund Katze", ["/"]),
        # One character as users see it.
        ("Hund 👨‍👩‍👧 und 🇩🇪 ❤️", "Hund und", ["👨‍👩‍👧", "🇩🇪 ❤️"]),
        # Read as others, which are seen.
        ("Der\u00a0Hund\u3000rennt", "Der Hund rennt", []),
        ("don’t “so” – Hund…", 'don\'t "so" - Hund...', []),
        ("Ｄｉｅ Ka\u0308tze", "Die Kätze", []),
        # Invisible, and unseen: left out.
        ("Hu\u00adnd \u200bKat\u200cze\ufeff\x01", "Hund Katze", []),
        # Nothing remains.
        ("😆", "", ["😆"]),
        (" 漢 😆 ", "", ["漢 😆"]),
        # Nothing but signs would remain.
        (" 漢字, 字. ", "", ["漢字, 字."]),
        ("😆.", "", ["😆."]),
        (".\u00a0.", ". .", []),
        ("", "", []),
        (" \u200b\u00ad\u3000\t", "", []),
    ],
)
def test_what_remains_of_a_line(model, line, text, unseen):
    ((remainder,), (ids,)) = remainders(model, [line])

    assert remainder.text.strip() == text
    assert [each.text for each in remainder.unseen] == unseen
    assert ids == model.encode(text)


def test_characters_that_symbols_alone_have_are_set_aside():
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=50, byte_fallback=False)
    symbols = ["<2fr>", "%1$s"]
    model = tokenizer_training.train([*LINES, *symbols], LINES, config, symbols=symbols).source

    ((remainder,), (ids,)) = remainders(model, ["<2fr> Die < %1$s 50 % Katze"])

    assert remainder.text == "<2fr> Die %1$s 50 Katze"
    assert [each.text for each in remainder.unseen] == ["<", "%"]
    assert model.unk not in ids


def test_a_model_of_decomposed_letters_reads_composed_ones():
    lines = [unicodedata.normalize("NFD", line) for line in LINES]
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=310)
    model = tokenizer_training.train(lines, lines, config).source

    ((remainder,), (ids,)) = remainders(model, ["Der Hund schläft."])

    assert remainder.text == "Der Hund schla\u0308ft."
    assert ids == model.encode(lines[0][: len(remainder.text)])


def test_private_use_characters_are_letters():
    lines = ["\ue000\ue001 \ue002\ue000", "\ue002 \ue001\ue001"] * 9
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=266)
    model = tokenizer_training.train(lines, lines, config).source

    ((remainder,), (ids,)) = remainders(model, [f"{lines[0]} €"])

    assert [each.text for each in remainder.unseen] == ["€"]
    assert ids == model.encode(lines[0])


def test_without_copying_only_invisible_lines_are_empty(model):
    lines = ["Hund 😆", "Ka\u00adtze", "\u200b"]

    remaining, encoded = remainders(model, lines, copy=False)

    assert [each.text for each in remaining] == [*lines[:2], ""]
    assert encoded == [model.encode(line) for line in lines[:2]] + [[]]


def test_every_default_ignorable_character_is_an_empty_line(model):
    ignorable = regex.compile(r"\p{Default_Ignorable_Code_Point}")
    characters = [each for each in map(chr, range(0x110000)) if ignorable.match(each)]
    assert len(characters) > 4000  # the whole block of tags is set apart for them

    _, encoded = remainders(model, characters)

    assert not any(encoded)


@given(st.text(st.sampled_from("Hund .ä漢😆²\u00ad\u3000’½\u200d")))
def test_spans_of_the_remainder_are_those_of_the_line(model, line):
    ((remainder,), _) = remainders(model, [line])

    spans = remainder.spans([(i, i + 1) for i in range(len(remainder.text))])
    for (begin, end), read in zip(spans, remainder.text, strict=True):
        assert 0 <= begin <= end <= len(line)
        of_line = line[begin:end].strip()
        assert read.strip() in (of_line, *of_line.split("\u200d"), {"’": "'"}.get(of_line))


class Counted(str):
    """A text that counts how many characters of it are copied."""

    copied = 0

    def __getitem__(self, place):
        found = super().__getitem__(place)
        self.copied += len(found)
        return found


@pytest.mark.parametrize("unit", ["a😆", "{a} a", "a{a}"])
def test_no_place_of_a_long_line_has_the_rest_of_it_copied(model, unit):
    line = Counted(unit * 1_000)

    remainders(model, [line], keep=["variables"])

    assert line.copied < 10 * len(line)


def tokens_of(text, offsets):
    """The number of the word or sign to which each piece belongs."""
    ends = [found.end() for found in regex.finditer(r"\w+|[^\w\s]", text)]
    return [next(n for n, end in enumerate(ends) if end >= stop) for _, stop in offsets]


def completed(model, line, text, links, **options):
    """The translation of a line by this text; the links are between words and signs that remain."""
    tokenizers = Tokenizers.same(model)
    ((remainder,), (ids,)) = remainders(model, [line])
    tokens = model.encode(text)
    source, target = (tokens_of(each, model.offsets(each)) for each in (remainder.text, text))
    linked = [[(i, j) in links for i in source] + [False] for j in target]
    weights = np.array([*linked, [False] * len(source) + [True]], np.float32)
    found = Translation.of(
        tokenizers,
        source=(remainder, [*ids, model.eos]),
        target=(None, [*tokens, model.eos]),
        score=0.0,
        log_prob=0.0,
        attention=weights,
    )
    return Copier(tokenizers, **options).completed(found, remainder, [*ids, model.eos])


@pytest.mark.parametrize(
    ("line", "text", "links", "expected"),
    [
        # Between the words that attend to what is before it and those that attend behind it.
        ("Der 😆 Hund rennt", "Die Katze sagt", [(0, 0), (1, 1), (2, 2)], "Die 😆 Katze sagt"),
        ("Der Hund 😆 rennt", "Die Katze sagt", [(0, 0), (1, 1), (2, 2)], "Die Katze 😆 sagt"),
        ("Der Hund 😆 rennt", "Katze Die sagt", [(0, 1), (1, 0), (2, 2)], "Katze Die 😆 sagt"),
        ("Der Hund 😆 rennt", "a d r e", [(0, 0), (1, 3), (2, 1)], "a 😆 d r e"),
        ("😆 Der Hund", "Die Katze", [(0, 1), (1, 0)], "😆 Die Katze"),
        ("Der Hund 😆", "Die Katze", [(0, 1), (1, 0)], "Die Katze 😆"),
        ("😆 Der Hund ½", "Die Katze", [(0, 1), (1, 0)], "😆 Die Katze ½"),
        # Without links, in proportion.
        ("Der Hund 😆 Die Katze", "Der Hund Die Katze", [], "Der Hund 😆 Die Katze"),
        # Signs stay with their words, and spaces are those of the source.
        ("a. 😆 d", "r. e", [(0, 0), (1, 1), (2, 2)], "r. 😆 e"),
        ("a. 😆 d", "r. e", [(0, 0), (2, 1), (2, 2)], "r. 😆 e"),
        ("a.😆 d", "r. e", [(0, 0), (1, 1), (2, 2)], "r.😆 e"),
        ("a 😆. d", "r. e", [(0, 0), (1, 1), (2, 2)], "r 😆. e"),
        ("a😆 d", "r. e", [(0, 0), (0, 1), (1, 2)], "r. 😆 e"),
        ("5 m² und", "5 m und", [(0, 0), (1, 1), (2, 2)], "5 m² und"),
        ("5 m² und", "und 5 m", [(0, 1), (1, 2), (2, 0)], "und 5 m²"),
        ("a×d", "r e", [(0, 0), (1, 1)], "r×e"),
        # The final sign stays the last, and what was apart in the source stays apart.
        ("a 😆 d.", "r.", [(0, 0), (2, 1)], "r 😆."),
        ("a ½ d².", "r.", [(0, 0), (2, 1)], "r ½ ²."),
        ("a ½ d², e.", "r.", [(0, 0)], "r ½ ²."),
        ("a d. ½", "r.", [(0, 0), (2, 1)], "r. ½"),
        # Two in a row keep their order.
        ("Der 😆 Hund ½", "sagt", [(0, 0)], "sagt 😆 ½"),
        ("Der 😆 Hund ½", "sagt", [(1, 0)], "😆 sagt ½"),
        ("Der 😆", "", [], "😆"),
    ],
)
def test_what_was_set_aside_is_written_back(model, line, text, links, expected):
    found = completed(model, line, text, links)

    assert found.text == expected
    assert found.source == line


CHINESE = [*LINES, *["猫睡。狗跑。我喜欢你"] * 9]


@pytest.mark.parametrize(
    ("line", "remains", "text", "links", "expected"),
    [
        ("猫睡。😆狗跑。", "猫睡。狗跑。", "a. e.", [(0, 0), (1, 1), (2, 2), (3, 3)], "a. 😆 e."),
        ("a. 😆 e.", "a. e.", "猫睡。狗跑。", [(0, 0), (1, 1), (2, 2), (3, 3)], "猫睡。 😆 狗跑。"),
        (
            "猫睡。😆狗跑。",
            "猫睡。狗跑。",
            "狗跑。猫睡。",
            [(0, 0), (1, 1), (2, 2), (3, 3)],
            "狗跑。😆猫睡。",
        ),
        ("我喜欢😆你", "我喜欢你", "我喜欢", [(0, 0)], "我喜欢😆"),
    ],
)
def test_scripts_without_spaces_are_written_as_usual(line, remains, text, links, expected):
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=60, byte_fallback=False)
    model = tokenizer_training.train(CHINESE, [], config).source
    ((remainder,), _) = remainders(model, [line])

    assert remainder.text == remains
    assert completed(model, line, text, links).text == expected


def test_the_words_of_the_line_and_of_the_text_keep_their_attention(model):
    found = completed(model, "a 😆 d ½", "r e", [(0, 0), (1, 1)])

    assert found.words.source == ("a", "😆", "d", "½")
    assert found.words.target == ("r", "😆", "e", "½")
    linked = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(found.words.weights > 0, linked)


# A model that copies letters, and texts between them that it has never seen.
unseen = st.sampled_from(["😆", "漢字", "½ 😆", "👨‍👩‍👧", "“Ж”", "²", "Z"])
words = st.lists(st.one_of(st.sampled_from("abcdefgh"), unseen), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def translator(copy_run):
    return Translator.load(copy_run, beam=1)


@given(words)
def test_a_model_that_copies_copies_what_it_has_never_seen(translator, words):
    line, seen = " ".join(words), " ".join(each for each in words if each in "abcdefgh")
    assume(translator.translate(seen).text == seen)  # it may copy `e e a a a g` wrongly

    found = translator.translate(line)

    assert found.text == line
    assert found.words.source == found.words.target == tuple(line.split())
    spans = found.target_offsets or ()
    assert all(found.text[slice(*span)].strip() in "abcdefgh" for span in spans)


def test_forcing_what_was_copied_gives_its_score_and_attention(translator):
    lines = ["a b 😆 c", "a b c", "漢 d", "½"]
    found = translator.translate(lines)

    forced = translator.align(lines, [each.text for each in found])

    for one, two in zip(found, forced, strict=True):
        assert (one.source_pieces, one.target_pieces) == (two.source_pieces, two.target_pieces)
        assert one.score == pytest.approx(two.score, abs=1e-4)
        np.testing.assert_allclose(one.words.weights, two.words.weights, atol=1e-5)


def test_what_was_copied_is_explained_too(translator):
    found = translator.translate("a 😆 b")

    explained = translator.explain(found, method="saliency")

    assert explained.text == "a 😆 b"
    assert explained.words.weights.argmax(axis=1)[[0, 2]].tolist() == [0, 2]
    assert not explained.words.weights[1].any()


def test_every_entry_of_an_n_best_list_has_it(copy_run):
    (found,) = Translator.load(copy_run, unknown="forbid").stream(["a 😆 b"], n_best=4)

    assert all("😆" in each.text for each in found)


def test_copying_can_be_turned_off(copy_run):
    assert "😆" not in Translator.load(copy_run, copy_unseen=False).translate("a 😆 b").text


def test_a_dictionary_translates_what_is_set_aside(copy_run):
    entries = {"漢字": "kanji", "a": "never", "Б": "B", "Б 漢": "BK"}
    loaded = Translator.load(copy_run, dictionary=entries)
    cases = {
        "a 漢字 b": "a kanji b",
        "漢字": "kanji",
        "漢字 😆  Б": "kanji 😆 B",
        "a Б 漢字": "a B kanji",
        "Б 漢 b": "BK b",
    }

    assert [each.text for each in loaded.translate(list(cases))] == list(cases.values())
