"""Words: attention between pieces becomes attention between words, and links become piece links.

Words are what `line.split()` finds, so that links have the same numbers as in other tools.
SentencePiece normalizes a line before it splits it: a space may disappear (U+001C) or be added
(U+00B4). So the words of pieces follow from their positions in the line, not from their spelling.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Offsets = Sequence[
    tuple[int, int]
]  # of each piece: its first character, and the one after its last

END = "</s>"  # the end of sentence
_SPACE = "▁"  # SentencePiece's sign for a space
_WORD = re.compile(r"\S+")  # regards the same characters as spaces as `split()`


@dataclass(frozen=True)
class Words:
    """The words of a line, and the words of each piece; the end of sentence is no word."""

    labels: tuple[str, ...]
    of_piece: tuple[range, ...]  # word numbers: one, or several if a space disappeared

    @classmethod
    def at(cls, line: str, offsets: Offsets) -> "Words":
        """Returns the words of a line whose pieces are at the given positions.

        A piece of spaces only belongs to the next word, at the end of the line to the last one.
        """
        found = list(_WORD.finditer(line))
        starts, ends = [match.start() for match in found], [match.end() for match in found]

        def words(begin: int, end: int) -> range:
            first = bisect_right(ends, begin)
            if (stop := bisect_left(starts, end)) <= first:  # it touches no word
                first = min(first, len(found) - 1)
                stop = first + 1
            return range(first, stop) if found else range(0)

        return cls(tuple(match[0] for match in found), tuple(words(*each) for each in offsets))

    @classmethod
    def spelled(cls, pieces: Sequence[str]) -> "Words":
        """Returns the words that pieces spell, where `▁` is a space: `▁Ka tze ▁ €` has two."""
        ends = np.cumsum([len(piece) for piece in pieces], dtype=int).tolist()
        return cls.at(spelling(pieces), list(zip([0, *ends], ends, strict=False)))

    def ended(self) -> "Words":
        """Returns the words with the end of sentence as an additional word of one piece."""
        number = len(self.labels)
        return Words((*self.labels, END), (*self.of_piece, range(number, number + 1)))


@dataclass(frozen=True, eq=False)
class WordMatrix:
    """Attention between words: `weights` of shape (target words, source words), and the words."""

    weights: npt.NDArray[np.float32]
    source: tuple[str, ...]
    target: tuple[str, ...]


def spelling(pieces: Sequence[str]) -> str:
    """Returns the text that pieces spell, with spaces for `▁`."""
    return "".join(pieces).replace(_SPACE, " ")


def fold(weights: npt.NDArray[np.float32], source: Words, target: Words) -> WordMatrix:
    """Returns attention between words from attention (target, source) between pieces.

    Weights are averaged over the pieces of a target word and summed over the pieces of a source
    word; a piece of several words is divided among them. If there is one more row or column than
    pieces of words, it is the end of sentence and is left out, so rows sum to at most 1. A word
    without pieces (of control characters only) has weights of zero.

    Raises:
        ValueError: the shape of the weights does not fit the number of pieces.
    """
    rows, columns = len(target.of_piece), len(source.of_piece)
    if weights.shape[0] - rows not in (0, 1) or weights.shape[1] - columns not in (0, 1):
        raise ValueError(
            f"weights of shape {weights.shape} for {rows} target and {columns} source pieces"
        )
    to_source, to_target = _membership(source), _membership(target)
    shared = to_source / np.maximum(to_source.sum(axis=0, keepdims=True), 1)
    averaged = to_target / np.maximum(to_target.sum(axis=1, keepdims=True), 1)
    folded = averaged @ weights[:rows, :columns] @ shared.T
    return WordMatrix(folded, source.labels, target.labels)


def unfold(
    links: npt.NDArray[np.integer[Any]], source: Words, target: Words
) -> npt.NDArray[np.int32]:
    """Returns the links between pieces that follow from links between words.

    Both are of shape (links, 2), source and target position. If two words are linked, each piece of
    one is linked to each piece of the other.
    """
    linked = np.zeros((len(target.labels), len(source.labels)), np.float32)
    linked[links[:, 1], links[:, 0]] = 1
    pieces = _membership(target).T @ linked @ _membership(source)
    return np.argwhere(pieces.T).astype(np.int32)


def _membership(words: Words) -> npt.NDArray[np.float32]:
    """Returns a (words, pieces) matrix with 1 where a word has a piece, and 0 elsewhere."""
    matrix = np.zeros((len(words.labels), len(words.of_piece)), np.float32)
    for piece, numbers in enumerate(words.of_piece):
        matrix[numbers.start : numbers.stop, piece] = 1
    return matrix
