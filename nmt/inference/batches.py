"""Batches: which sentences are computed together, and the shape of their arrays.

Each shape is compiled separately. A file of any lengths up to 2,048 pieces needs 12 of them at
most: one for each width, and one more for a last window of few lines.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

WIDTHS = (8, 16, 24, 32, 48, 64, 128, 256, 512)  # beyond them, powers of two
BATCHES_AHEAD = 64  # batches that are read ahead and sorted by length
FEW = 8  # where there are no more sentences, a smaller shape is worth its compilation

_Item = TypeVar("_Item")


def windows(
    items: Iterable[_Item], size: int, *, skip: int = 0
) -> Iterator[tuple[int, list[_Item]]]:
    """Yields windows of so many items, with the number of items before each.

    A window is read ahead and sorted into batches. The first `skip` items are left out.
    """
    waiting, before = islice(items, skip, None), skip
    while window := list(islice(waiting, size)):
        yield before, window
        before += len(window)


@dataclasses.dataclass(frozen=True)
class SentenceBatch:
    """Sentences by their numbers, in arrays of `size` rows and `width` columns."""

    numbers: tuple[int, ...]
    size: int
    width: int


@dataclasses.dataclass(frozen=True)
class Capacity:
    """How many sentences fit into a batch, on all devices together.

    `batch` is the most sentences on each device. There are fewer where their hypotheses would be
    more than four times `batch`, or than 128 / width times `batch`.
    """

    batch: int
    beam: int = 1  # hypotheses of a sentence
    devices: int = 1

    def size(self, width: int) -> int:
        """Returns the number of sentences in a batch of a width."""
        hypotheses = min(4 * self.batch, 128 * self.batch // width)
        return max(1, min(self.batch, hypotheses // self.beam)) * self.devices

    def few(self, number: int, width: int) -> int:
        """Returns the size of a batch, when there are only a few sentences in all."""
        wanted = 1 if number == 1 else FEW
        return min(-(-wanted // self.devices) * self.devices, self.size(width))


def sentence_batches(
    numbers: Sequence[int], lengths: Sequence[int], *, capacity: Capacity
) -> Iterator[SentenceBatch]:
    """Yields the numbered sentences in batches, the longest sentences first.

    A batch ends when it is full, or when it is half full and the next sentence needs less width.
    The size of a batch depends on the width alone, so that few shapes are compiled, unless there
    are only a few sentences in all. `lengths` has the lengths of all sentences, numbered or not.
    """
    batch: list[int] = []
    for number in sorted(numbers, key=lengths.__getitem__, reverse=True):
        if batch:
            width = width_of(lengths[batch[0]])
            size = capacity.size(width)
            narrower = width_of(lengths[number]) < width
            if len(batch) == size or (narrower and len(batch) >= size / 2):
                yield SentenceBatch(tuple(batch), size, width)
                batch = []
        batch.append(number)
    if batch:
        width = width_of(lengths[batch[0]])
        few = len(numbers) <= min(FEW, capacity.size(width))
        yield SentenceBatch(
            tuple(batch), capacity.few(len(batch), width) if few else capacity.size(width), width
        )


def width_of(length: int) -> int:
    """Returns the padded length of a sentence."""
    return next((width for width in WIDTHS if width >= length), 1 << (length - 1).bit_length())
