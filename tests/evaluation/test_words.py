import re
import sys
import warnings
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.evaluation.words import OTHER_SPACE, Ambiguity, Words, fold, spelling, split, unfold

# A word as the pieces that SentencePiece may cut it into.
word_pieces = st.lists(st.text("aß你", min_size=1, max_size=3), min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([["▁" + parts[0], *parts[1:]], ["▁", *parts]])
)
sentences = st.builds(
    lambda words, spaces: [*chain(*words), *spaces],
    st.lists(word_pieces, max_size=4),
    st.lists(st.just("▁"), max_size=2),
)


@pytest.mark.parametrize(
    ("line", "spaces", "unicode"),
    [
        ("ein Hund", ["ein", "Hund"], ["ein", "Hund"]),
        ("  ein \t Hund ", ["ein", "Hund"], ["ein", "Hund"]),
        ("10\u00a0km weit", ["10\u00a0km", "weit"], ["10", "km", "weit"]),
        ("犬が\u3000寝る", ["犬が\u3000寝る"], ["犬が", "寝る"]),
        ("5\u2009%", ["5\u2009%"], ["5", "%"]),
        ("a\x1cb\x0bc", ["a\x1cb\x0bc"], ["a", "b", "c"]),
        ("a\u2028b\u0085c", ["a\u2028b\u0085c"], ["a", "b", "c"]),
        ("a \u00a0 b", ["a", "\u00a0", "b"], ["a", "b"]),  # a word of white space alone
        ("a\u200bb a\ufeffb", ["a\u200bb", "a\ufeffb"], ["a\u200bb", "a\ufeffb"]),  # no spaces
        ("\u3000", ["\u3000"], []),
        ("", [], []),
    ],
)
def test_words_are_divided_where_the_setting_says(line, spaces, unicode):
    assert split(line) == split(line, "spaces") == tuple(spaces)
    assert split(line, "unicode") == tuple(unicode)


@given(st.text())
def test_spaces_are_those_of_fast_align_and_unicode_is_that_of_python(line):
    words, word = [], ""  # character by character, as `Dict` in fast_align's corpus.h
    for character in line + " ":
        if character not in " \t":
            word += character
        elif word:
            words, word = [*words, word], ""
    assert split(line, "spaces") == tuple(words)
    assert split(line, "unicode") == tuple(line.split())


@pytest.mark.parametrize(
    ("lines", "count", "first", "space"),
    [
        ([("a b", "c"), ("a\u00a0b", "c"), ("a", "b\u3000c")], "2 lines", 2, "U+00A0"),
        ([("a\u3000b\u3000c", "d\x1ce")], "1 line", 1, "U+3000"),  # a pair is one line
        ([("a \u2009 b", "c")], "1 line", 1, "U+2009"),  # a word of white space alone
        ([("a\u00a0 b", "\u3000c"), ("d\u2028", "e\r")], "", 0, ""),  # as many words, and the same
    ],
)
def test_lines_whose_words_depend_on_the_setting_are_counted_and_said_once(
    lines, count, first, space
):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert list(Ambiguity("train.align", "spaces").watch(lines)) == lines

    assert [str(each.message) for each in caught] == [
        f"train.align: in {count} (first in line {first}, {space}) there are other words by "
        "`data.word_boundaries: unicode` than by `spaces`, which this run counts; choose the one "
        "of the tool that made the links"
    ] * bool(count)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ("▁The ▁cat s", ["▁The", "▁cat s"]),
        ("The ▁cat", ["The", "▁cat"]),
        ("▁ cat ▁ s", ["▁ cat", "▁ s"]),
        ("▁ ▁cat ▁ ▁ s", ["▁ ▁cat", "▁ ▁ s"]),
        ("▁cat ▁", ["▁cat ▁"]),
        ("▁ <0xE2> <0x82> <0xAC> ▁5", ["▁ <0xE2> <0x82> <0xAC>", "▁5"]),
        ("▁", []),
        ("", []),
    ],
)
def test_a_space_belongs_to_the_word_after_it_and_at_the_end_to_the_one_before(pieces, words):
    pieces = pieces.split()

    found = Words.spelled(pieces)

    members = [
        [piece for piece, numbers in zip(pieces, found.of_piece, strict=True) if word in numbers]
        for word in range(len(found.labels))
    ]
    assert [" ".join(each) for each in members] == words


@given(sentences, sentences)
def test_the_folded_words_are_those_of_the_text(source, target):
    weights = np.ones((len(target), len(source)), dtype=np.float32)

    matrix = fold(weights, Words.spelled(source), Words.spelled(target))

    for words, pieces in ((matrix.source, source), (matrix.target, target)):
        assert words == tuple("".join(pieces).replace("▁", " ").split())
    assert matrix.weights.shape == (len(matrix.target), len(matrix.source))


def test_folding_sums_source_pieces_and_averages_target_pieces():
    source, target = ["▁Ka", "tze", "▁da"], ["▁the", "▁c", "at"]
    weights = np.array(
        [[0.1, 0.2, 0.3, 0.4], [0.5, 0.3, 0.2, 0.0], [0.1, 0.1, 0.6, 0.2], [0.0, 0.0, 0.0, 1.0]],
        dtype=np.float32,
    )  # the end of sentence stands last on both sides

    matrix = fold(weights, Words.spelled(source), Words.spelled(target))

    assert (matrix.source, matrix.target) == (("Katze", "da"), ("the", "cat"))
    # the: .1 + .2, .3;  cat: (.5 + .3 + .1 + .1) / 2, (.2 + .6) / 2
    np.testing.assert_allclose(matrix.weights, [[0.3, 0.3], [0.5, 0.4]], rtol=1e-6)
    assert matrix.weights.dtype == np.float32


def test_a_piece_of_two_words_is_divided_among_them():
    # One piece, "ab", for two words that a control character divides in the line; then "c".
    words = Words.at("a\x1cb c", [(0, 3), (3, 5)], "unicode")
    weights = np.array([[0.5, 0.25], [0.125, 0.75]], dtype=np.float32)

    matrix = fold(weights, words, words)

    assert matrix.source == ("a", "b", "c")
    row = [0.25, 0.25, 0.25]
    np.testing.assert_array_equal(matrix.weights, [row, row, [0.0625, 0.0625, 0.75]])


def test_pieces_that_one_character_gives_belong_to_its_word():
    # U+00B4 becomes a space and an accent, U+FB01 two letters; both empty but for the last piece.
    words = Words.at("c´d ﬁ", [(0, 1), (1, 1), (1, 2), (2, 3), (3, 4), (4, 4), (4, 5)])

    assert words.labels == ("c´d", "ﬁ")
    assert [list(numbers) for numbers in words.of_piece] == [[0], [0], [0], [0], [1], [1], [1]]


def test_a_word_without_pieces_has_nothing():
    words = Words.at("\x01 a", [(2, 3)])  # SentencePiece leaves control characters out

    matrix = fold(np.ones((1, 1), np.float32), words, words)

    assert matrix.target == ("\x01", "a")
    np.testing.assert_array_equal(matrix.weights, [[0, 0], [0, 1]])


@pytest.mark.parametrize("boundaries", ["spaces", "unicode"])
@given(st.text() | st.text("ab \t\u00a0\u3000\x1c"), st.data())
def test_every_piece_is_of_a_word_that_it_touches_or_of_the_next(boundaries, line, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=6)))
    offsets = list(zip([0, *cuts], [*cuts, len(line)], strict=True))

    words = Words.at(line, offsets, boundaries)

    def divides(character):
        return character in " \t" if boundaries == "spaces" else character.isspace()

    places = []  # of each character the word, or None; by splitting once more
    number = -1
    for before, character in zip(" " + line, line, strict=False):
        number += divides(before) and not divides(character)
        places.append(None if divides(character) else number)
    assert words.labels == split(line, boundaries)
    for (begin, end), numbers in zip(offsets, words.of_piece, strict=True):
        touched = {place for place in places[begin:end] if place is not None}
        later = [place for place in places[begin:] if place is not None]
        alone = later[:1] if later else [len(words.labels) - 1][: len(words.labels)]
        assert list(numbers) == sorted(touched or alone)


def test_weights_of_another_sentence_are_refused():
    weights = np.ones((2, 3), dtype=np.float32)

    with pytest.raises(ValueError, match=re.escape("(2, 3) for 3 target and 2 source pieces")):
        fold(weights, Words.spelled(["▁a", "b"]), Words.spelled(["▁a", "▁b", "c"]))


def test_pieces_spell_text():
    assert spelling(["▁Ka", "tze", "▁", "€"]) == " Katze €"


def test_a_linked_word_has_its_links_in_each_of_its_pieces():
    source, target = ["▁Ka", "tze", "▁da", "▁"], ["▁the", "▁c", "at"]

    found = unfold(np.array([[0, 1]]), Words.spelled(source), Words.spelled(target))

    assert found.tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]  # Ka, tze with c, at


@given(sentences, sentences, st.data())
def test_links_between_pieces_are_all_those_of_linked_words_and_fold_back(source, target, data):
    words = Words.spelled(source), Words.spelled(target)
    number = [len(each.labels) for each in words]
    pairs = st.tuples(*(st.integers(0, max(0, each - 1)) for each in number))
    links = data.draw(st.sets(pairs, max_size=6 if all(number) else 0))

    found = unfold(np.reshape(sorted(links), (-1, 2)).astype(int), *words)

    assert {(i, j) for i, j in found.tolist()} == {
        (i, j)
        for i, of_source in enumerate(words[0].of_piece)
        for j, of_target in enumerate(words[1].of_piece)
        if any((one, other) in links for one in of_source for other in of_target)
    }
    weights = np.zeros((len(target), len(source)), np.float32)
    weights[found[:, 1], found[:, 0]] = 1
    assert {(i, j) for j, i in np.argwhere(fold(weights, *words).weights).tolist()} == links


def test_other_white_space_is_what_python_takes_for_it_in_both_kinds_of_expressions():
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    expected = [each for each in characters if each.isspace() and each not in " \t"]

    assert re.findall(OTHER_SPACE, "".join(characters)) == expected
    texts = pa.array(characters)
    found = texts.filter(pc.match_substring_regex(texts, OTHER_SPACE))
    assert found.to_pylist() == expected
