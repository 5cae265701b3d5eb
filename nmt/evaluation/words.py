"""Words: attention between pieces becomes attention between words, and links become piece links.

Words are what `split` finds, so that links have the same numbers as in other tools. SentencePiece
normalizes a line before it splits it: a space may disappear (U+001C) or be added (U+00B4). So the
words of pieces follow from their positions in the line, not from their spelling.
"""

import re
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.counting import counted

_Texts = TypeVar("_Texts", bound=tuple[str, ...])

Offsets = Sequence[
    tuple[int, int]
]  # of each piece: its first character, and the one after its last

END = "</s>"  # the end of sentence
_SPACE = "▁"  # SentencePiece's sign for a space
_WORD: dict[WordBoundaries, re.Pattern[str]] = {
    "spaces": re.compile(r"[^ \t]+"),
    "unicode": re.compile(r"\S+"),  # regards the same characters as spaces as `str.split`
}
# White space that is neither a space nor a tab, in the signs of `re` and of Arrow's RE2.
OTHER_SPACE = "[\n-\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_OTHER_SPACE = re.compile(OTHER_SPACE)


def split(line: str, boundaries: WordBoundaries = WORD_BOUNDARIES) -> tuple[str, ...]:
    """Returns the words of a line, divided at spaces and tabs, or at all Unicode white space."""
    return tuple(_WORD[boundaries].findall(line))


def word_spans(line: str, boundaries: WordBoundaries = WORD_BOUNDARIES) -> list[tuple[int, int]]:
    """Returns where the words of a line are: the first character, and the one after the last."""
    return [word.span() for word in _WORD[boundaries].finditer(line)]


@dataclass(frozen=True)
class Words:
    """The words of a line, and the words of each piece; the end of sentence is no word."""

    labels: tuple[str, ...]
    of_piece: tuple[range, ...]  # word numbers: one, or several if a space disappeared

    @classmethod
    def at(
        cls, line: str, offsets: Offsets, boundaries: WordBoundaries = WORD_BOUNDARIES
    ) -> "Words":
        """Returns the words of a line whose pieces are at the given positions.

        A piece of spaces only belongs to the next word, at the end of the line to the last one.
        """
        return cls.within(line, word_spans(line, boundaries), offsets)

    @classmethod
    def within(cls, line: str, spans: Offsets, offsets: Offsets) -> "Words":
        """Returns words that are at these spans of a line, as `at` does."""
        starts, ends = [begin for begin, _ in spans], [end for _, end in spans]

        def words(begin: int, end: int) -> range:
            first = bisect_right(ends, begin)
            if (stop := bisect_left(starts, end)) <= first:  # it touches no word
                first = min(first, len(spans) - 1)
                stop = first + 1
            return range(first, stop) if spans else range(0)

        labels = tuple(line[begin:end] for begin, end in spans)
        return cls(labels, tuple(words(*each) for each in offsets))

    @classmethod
    def spelled(
        cls, pieces: Sequence[str], boundaries: WordBoundaries = WORD_BOUNDARIES
    ) -> "Words":
        """Returns the words that pieces spell, where `▁` is a space: `▁Ka tze ▁ €` has two."""
        ends = np.cumsum([len(piece) for piece in pieces], dtype=int).tolist()
        return cls.at(spelling(pieces), list(zip([0, *ends], ends, strict=False)), boundaries)

    @property
    def read(self) -> int:
        """The number of words that have a piece."""
        return len({number for numbers in self.of_piece for number in numbers})

    def sums(self, values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """Returns the sum of the values of each word's pieces, with the shares of several words.

        There may be further values, which are left out; 0 is the sum of a word without pieces.
        """
        sums = np.zeros(len(self.labels))
        for numbers, value in zip(self.of_piece, values, strict=False):
            if numbers:
                sums[numbers.start : numbers.stop] += value / len(numbers)
        return sums

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


class Ambiguity:
    """Counts the lines of a file whose words depend on `data.word_boundaries`, to say so once."""

    def __init__(self, name: object, boundaries: WordBoundaries) -> None:
        self.name, self.boundaries = name, boundaries
        self.lines, self.first, self.space = 0, 0, ""

    def watch(self, texts: Iterable[_Texts]) -> Iterator[_Texts]:
        """Yields the texts of each line, and warns behind the last one."""
        for number, each in enumerate(texts, start=1):
            self.add(number, *each)
            yield each
        self.warn()

    def add(self, number: int, *texts: str) -> None:
        """Counts a line if another choice finds other words in one of its texts."""
        for text in texts:
            space = _OTHER_SPACE.search(text)
            if space and any(len(split(word, "unicode")) != 1 for word in split(text)):
                if not self.lines:
                    self.first, self.space = number, f"U+{ord(space[0]):04X}"
                self.lines += 1
                return

    def warn(self) -> None:
        """Warns if there were such lines."""
        if self.lines:
            other = "unicode" if self.boundaries == "spaces" else "spaces"
            warnings.warn(
                f"{self.name}: in {counted(self.lines, 'line')} (first in line {self.first}, "
                f"{self.space}) there are other words by `data.word_boundaries: {other}` than by "
                f"`{self.boundaries}`, which this run counts; choose the one of the tool that "
                "made the links",
                stacklevel=3,
            )


def spelling(pieces: Sequence[str]) -> str:
    """Returns the text that pieces spell, with spaces for `▁`."""
    return "".join(pieces).replace(_SPACE, " ")


def spelled_offsets(line: str, pieces: Sequence[str]) -> Offsets:
    """Returns the place in a line of each of the pieces that spell its words."""
    seen = [place for place, character in enumerate(line) if not character.isspace()]
    seen.append(len(line))
    lengths = (sum(not each.isspace() for each in spelling([piece])) for piece in pieces)
    return [
        (seen[begin], seen[end - 1] + 1 if begin < end else seen[begin])
        for begin, end in pairwise(accumulate(lengths, initial=0))
    ]


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
    shared, to_target = _shares(source), _membership(target)
    averaged = to_target / np.maximum(to_target.sum(axis=1, keepdims=True), 1)
    # OpenBLAS may flag numbers that it reads beside a matrix and does not use (numpy, issue 13173).
    with np.errstate(invalid="ignore"):
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


def _shares(words: Words) -> npt.NDArray[np.float32]:
    """Returns a (words, pieces) matrix with the share of each piece that a word has."""
    matrix = _membership(words)
    return matrix / np.maximum(matrix.sum(axis=0, keepdims=True), 1)


def _membership(words: Words) -> npt.NDArray[np.float32]:
    """Returns a (words, pieces) matrix with 1 where a word has a piece, and 0 elsewhere."""
    matrix = np.zeros((len(words.labels), len(words.of_piece)), np.float32)
    for piece, numbers in enumerate(words.of_piece):
        matrix[numbers.start : numbers.stop, piece] = 1
    return matrix
