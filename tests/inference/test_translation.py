"""The words of translations: those of the given line, whatever SentencePiece makes of it."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nmt.config import TrainedTokenizerConfig
from nmt.data import embedded, tokenizer_training
from nmt.evaluation.words import Words, split
from nmt.inference.translation import Translation
from nmt.inference.unseen import Remainder

HOSTILE = "\u00a0\u00b4\u1fbd\x1c\x85\x01\x7f\u200b\u200d\u3000\u2028\ufeffﬁ½ŉ€𐘀e\u0301▁</s>ab \t"
lines = st.one_of(st.text(), st.text(HOSTILE), st.text(st.sampled_from(HOSTILE + "üÜ.")))


@pytest.fixture(scope="module")
def models(embedded_tokenizers):
    """Tokenizers without and with bytes for unknown characters, and one that keeps characters."""
    pairs = embedded.pairs("train")[:400]
    sides = [pair.source for pair in pairs], [pair.target for pair in pairs]
    changing, keeping = (
        TrainedTokenizerConfig(vocabulary_size=420, normalization=each)
        for each in ("nmt_nfkc", "identity")
    )
    return (
        embedded_tokenizers,
        tokenizer_training.train(*sides, changing),
        tokenizer_training.train(*sides, keeping),
    )


def letters(pieces):
    return "".join(pieces).replace("▁", "")


def given_pair(tokenizers, line, text, attention=None, boundaries="spaces"):
    """A forced translation, with the attention or with zeros."""
    source, target = (
        [*side.encode(each), side.eos]
        for side, each in ((tokenizers.source, line), (tokenizers.target, text))
    )
    if attention is None:
        attention = np.zeros((len(target), len(source)), np.float32)
    return Translation.of(
        tokenizers,
        source=(Remainder(line, line), source),
        target=(Remainder(text, text), target),
        score=0.0,
        log_prob=0.0,
        attention=attention,
        word_boundaries=boundaries,
    )


@pytest.mark.parametrize("boundaries", ["spaces", "unicode"])
@given(lines, lines)
def test_words_are_those_that_split_finds_in_any_text(models, boundaries, source, target):
    for tokenizers in models:
        words = given_pair(tokenizers, source, target, boundaries=boundaries).words

        assert words.source == split(source, boundaries)
        assert words.target == split(target, boundaries)
        assert words.weights.shape == (len(words.target), len(words.source))


@given(lines)
def test_the_pieces_of_a_word_spell_what_the_word_alone_is_cut_into(models, line):
    assume("\x85" not in line)  # the one white space that SentencePiece keeps as a character
    side = models[1].source  # bytes spell what the vocabulary lacks
    pieces = side.pieces(side.encode(line))
    of_piece = Words.at(line, side.offsets(line), "unicode").of_piece
    assume(all(len(numbers) == 1 for numbers in of_piece))

    for number, word in enumerate(line.split()):
        mine = [piece for piece, (own,) in zip(pieces, of_piece, strict=True) if own == number]
        assert letters(mine) == letters(side.pieces(side.encode(word)))


@given(st.lists(st.integers(0, 419), min_size=1, max_size=12))
def test_words_of_what_a_model_writes_are_those_of_its_text(models, tokens):
    tokenizers = models[1]
    for ids in (tokens, [*tokens, tokenizers.target.eos]):
        written = Translation.of(
            tokenizers,
            source=(
                Remainder("Ein Hund", "Ein Hund"),
                [*tokenizers.source.encode("Ein Hund"), tokenizers.source.eos],
            ),
            target=(None, ids),
            score=0.0,
            log_prob=0.0,
            attention=np.zeros(
                (len(ids), len(tokenizers.source.encode("Ein Hund")) + 1), np.float32
            ),
        )

        assert written.words.target == split(written.text)
        assert written.words.weights.shape == (len(split(written.text)), 2)


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize(
    ("line", "boundaries", "word"),
    [
        ("Hund\u00a0Hund", "unicode", 1),
        ("Hund\u00a0und Hund", "spaces", 1),
        ("c´d Hund", "spaces", 1),
        ("Hund\x1cHund", "unicode", 1),
        ("Hund\x1cund Hund", "spaces", 1),
        ("€ ﬁ½ Hund", "spaces", 2),
        ("a\u3000\u200b Hund", "unicode", 2),
        ("a\u3000\u200b Hund", "spaces", 1),
        ("a \u3000 Hund", "spaces", 2),
        ("\x01 Hund", "spaces", 1),
        ("a\u2028Hund ", "unicode", 1),
    ],
)
def test_the_pieces_of_a_word_are_counted_for_it_behind_hostile_characters(
    models, byte_fallback, line, boundaries, word
):
    tokenizers = models[byte_fallback]
    pieces = tokenizers.source.pieces(tokenizers.source.encode(line))
    attention = np.zeros((2, len(pieces) + 1), np.float32)
    attention[0, len(pieces) - 1 - pieces[::-1].index("d")] = 1  # the d of the last Hund

    words = given_pair(tokenizers, line, "a", attention[[0, 0, 1]], boundaries).words

    assert words.source[word] == "Hund"
    expected = np.zeros(len(words.source))
    expected[word] = 1
    np.testing.assert_array_equal(words.weights[0], expected)


def test_offsets_are_kept_only_where_the_pieces_do_not_spell_the_words(models):
    plain, odd = (given_pair(models[0], line, line) for line in ("Ein  Hund .", "Ein´ Hund"))

    assert (plain.source_offsets, plain.target_offsets) == (None, None)
    assert odd.source_offsets == odd.target_offsets == models[0].source.offsets("Ein´ Hund")


def test_the_end_of_sentence_is_kept_where_it_is_asked_for_and_written():
    attention = np.array([[0.1, 0.2, 0.7]], np.float32)  # the search was cut off behind ▁cat
    cut_off = Translation("Katze", "cat", 0, 0, ("▁Ka", "tze", "</s>"), ("▁cat",), attention)

    words = cut_off.fold(end=True)

    assert (words.source, words.target) == (("Katze", "</s>"), ("cat",))
    np.testing.assert_allclose(words.weights, [[0.3, 0.7]])
    np.testing.assert_allclose(cut_off.words.weights, [[0.3]])
