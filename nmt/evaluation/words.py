"""Words: attention between pieces, folded into attention between the words of the lines, and back.

A word is what `line.split()` finds, so that links count as every other tool counts. SentencePiece
normalises before it cuts: a space of the line may be lost in its pieces (U+001C), and one may
arise where the line has none (U+00B4). Only where the pieces stand in the line tells their words.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Offsets = Sequence[tuple[int, int]]  # of each piece: its first character and the one after its last

END = "</s>"  # the end of sentence
_SPACE = "▁"  # SentencePiece's
_WORD = re.compile(r"\S+")  # white space is here what it is to `split()`


@dataclass(frozen=True)
class Words:
    """The words of a line, and of which of them each piece is; the end of sentence is of none."""

    labels: tuple[str, ...]
    of_piece: tuple[range, ...]  # word numbers: one, or several where a space was lost

    @classmethod
    def at(cls, line: str, offsets: Offsets) -> "Words":
        """Returns the words of a line whose pieces stand at the given characters.

        A piece of spaces alone belongs to the word after it, at the end to the one before it.
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
        """Returns the words that pieces spell, `▁` standing for a space: `▁Ka tze ▁ €` has two."""
        ends = np.cumsum([len(piece) for piece in pieces], dtype=int).tolist()
        return cls.at(spelling(pieces), list(zip([0, *ends], ends, strict=False)))

    def ended(self) -> "Words":
        """Returns the words with the end of sentence as one more, whose piece is the next."""
        number = len(self.labels)
        return Words((*self.labels, END), (*self.of_piece, range(number, number + 1)))


@dataclass(frozen=True, eq=False)
class WordMatrix:
    """Attention between words: `weights` is (target words, source words), the words its labels."""

    weights: npt.NDArray[np.float32]
    source: tuple[str, ...]
    target: tuple[str, ...]


def spelling(pieces: Sequence[str]) -> str:
    """Returns the text that pieces spell."""
    return "".join(pieces).replace(_SPACE, " ")


def fold(weights: npt.NDArray[np.float32], source: Words, target: Words) -> WordMatrix:
    """Folds the attention (target, source) between pieces into attention between words.

    A target word attends as its pieces do on average, to a source word as much as to all of its
    pieces; a piece of several words is divided among them. A last row and column beyond the pieces
    of the words are the end of sentence and left out: rows sum to at most 1. A word without
    pieces, one of control characters, neither attends nor is attended to.

    Raises:
        ValueError: the weights are not those of so many pieces.
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
    """Carries links between words to their pieces: both are (links, 2), source and target place.

    Each piece of a word is linked to each piece of the word that this one is linked to.
    """
    linked = np.zeros((len(target.labels), len(source.labels)), np.float32)
    linked[links[:, 1], links[:, 0]] = 1
    pieces = _membership(target).T @ linked @ _membership(source)
    return np.argwhere(pieces.T).astype(np.int32)


def _membership(words: Words) -> npt.NDArray[np.float32]:
    """Returns ones where a word (row) has a piece (column)."""
    matrix = np.zeros((len(words.labels), len(words.of_piece)), np.float32)
    for piece, numbers in enumerate(words.of_piece):
        matrix[numbers.start : numbers.stop, piece] = 1
    return matrix
