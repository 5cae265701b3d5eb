"""What becomes of `<unk>` in a translation: the word that it attends to, its entry, or nothing."""

import numpy as np
import pytest

from nmt.config import TrainedTokenizerConfig
from nmt.data import tokenizer_training
from nmt.inference.copying import Copier
from nmt.inference.translation import Translation
from nmt.inference.unseen import Remainder

LINES = ["der Hund sagt, die (alte) Katze rennt ins Haus.", "the dog says. Müller"] * 9


@pytest.fixture(scope="module")
def tokenizers():
    """A model whose pieces are letters and signs; it has neither ? nor ő."""
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=28, byte_fallback=False)
    return tokenizer_training.train(LINES, LINES, config)


def completed(tokenizers, line, text, attended, **options):
    """The translation of a line by a text, where `?` is `<unk>` and attends to these characters."""
    side = tokenizers.source
    ids = [*side.encode(line), side.eos]
    tokens = side.encode(text)
    weights = np.full((len(tokens) + 1, len(ids)), 0.01, np.float32)
    unknown = [number for number, token in enumerate(tokens) if token == side.unk]
    for number, place in zip(unknown, attended, strict=True):
        weights[number] = 0
        if place is not None:
            weights[number, [span[1] > place for span in side.offsets(line)].index(True)] = 1
    found = Translation.of(
        tokenizers,
        source=(Remainder(line, line), ids),
        target=(None, [*tokens, side.eos]),
        score=0.0,
        log_prob=0.0,
        attention=weights,
    )
    return Copier(tokenizers, **options).completed(found, Remainder(line, line), ids)


@pytest.mark.parametrize(
    ("line", "text", "attended", "expected"),
    [
        # A whole word: the source word, without the signs around it.
        ("der Hund sagt", "the ? says", [4], "the Hund says"),
        ("der Hund sagt", "? says", [7], "Hund says"),
        ("der (Hund), sagt", "the ?, says", [6], "the Hund, says"),
        ("der Hund sagt", "the ?", [4], "the Hund"),
        ("Mőller sagt", "? says", [0], "Mőller says"),
        ("der Hund sagt", "? ? says", [0, 4], "der Hund says"),
        # A part of a word: what the source word has of unknown characters, or the piece.
        ("Mőller sagt", "M?ller says", [0], "Mőller says"),
        ("der Hund sagt", "H?nd", [5], "Hund"),
        # Signs alone are copied as they are.
        ("der ?! sagt", "the ? says", [4], "the ?! says"),
        # It attends to no word: nothing is written.
        ("der Hund sagt", "the ? says", [None], "the says"),
        ("der Hund sagt", "? says", [None], "says"),
        ("der Hund sagt", "says ?", [None], "says"),
        ("der Hund sagt", "says ?.", [None], "says."),
    ],
)
def test_unknown_becomes_what_it_attends_to(tokenizers, line, text, attended, expected):
    found = completed(tokenizers, line, text, attended)

    assert found.text == expected
    assert found.words.target == tuple(expected.split())
    spans = found.target_offsets
    assert all(begin <= end <= len(expected) for begin, end in spans)
    assert "".join(expected[slice(*span)] for span in spans) == expected


def test_unknown_can_be_left_out(tokenizers):
    assert completed(tokenizers, "der Hund", "the ?.", [4], unknown="omit").text == "the."


@pytest.mark.parametrize(
    ("dictionary", "text", "expected"),
    [
        ({"Hund": "dog"}, "the ?", "the dog"),
        ({"Hund,": "dog"}, "the ?", "the dog"),
        ({"der": "the"}, "the ?", "the Hund"),
        ({"u": "o"}, "the H?nd", "the Hond"),
        ({"Hund": "dog house"}, "the ? says", "the dog house says"),
    ],
)
def test_an_entry_of_the_dictionary_is_written_instead(tokenizers, dictionary, text, expected):
    assert completed(tokenizers, "der Hund,", text, [5], dictionary=dictionary).text == expected


def test_without_unknown_a_translation_is_as_it_was(tokenizers):
    found = completed(tokenizers, "der Hund", "the dog", [])

    assert (found.text, found.target_offsets) == ("the dog", None)
