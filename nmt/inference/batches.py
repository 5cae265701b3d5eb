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
TURNS = 8  # sentences that wait in the arrays of a search, as a multiple of those in its slots

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
    """Sentences by their numbers, in arrays of `size` rows and `width` columns.

    As many of them as there are `slots` are computed at a time.
    """

    numbers: tuple[int, ...]
    size: int
    width: int
    slots: int


@dataclasses.dataclass(frozen=True)
class Capacity:
    """How many sentences fit into a batch, on all devices together.

    `batch` is the most sentences on each device. There are fewer where their hypotheses would be
    more than four times `batch`, or than 128 / width times `batch`. Where sentences wait for slots,
    a batch has `turns` times as many, but of more than 64 pieces fewer, whose arrays are large.
    """

    batch: int
    beam: int = 1  # hypotheses of a sentence
    devices: int = 1
    turns: int = 1

    def size(self, width: int) -> int:
        """Returns the number of sentences of a width in the arrays of a batch."""
        return self.slots(width) * max(1, min(self.turns, 64 * self.turns // width))

    def slots(self, width: int) -> int:
        """Returns the number of sentences of a width that are computed at a time."""
        hypotheses = min(4 * self.batch, 128 * self.batch // width)
        return max(1, min(self.batch, hypotheses // self.beam)) * self.devices

    def few(self, number: int) -> int:
        """Returns the size of a batch for so few sentences."""
        wanted = 1 if number == 1 else FEW
        return -(-wanted // self.devices) * self.devices


def sentence_batches(
    numbers: Sequence[int], lengths: Sequence[int], *, capacity: Capacity
) -> Iterator[SentenceBatch]:
    """Yields the numbered sentences in batches, the longest sentences first.

    A batch ends when it is full, or when half of its slots are and the next sentence needs less
    width.
    The size of a batch depends on the width alone, so that few shapes are compiled, unless there
    are only a few sentences in all. `lengths` has the lengths of all sentences, numbered or not.
    """
    batch: list[int] = []
    for number in sorted(numbers, key=lengths.__getitem__, reverse=True):
        if batch:
            width = width_of(lengths[batch[0]])
            size, slots = capacity.size(width), capacity.slots(width)
            narrower = width_of(lengths[number]) < width
            if len(batch) == size or (narrower and len(batch) >= slots / 2):
                yield SentenceBatch(tuple(batch), size, width, slots)
                batch = []
        batch.append(number)
    if batch:
        width = width_of(lengths[batch[0]])
        size, slots = capacity.size(width), capacity.slots(width)
        few = capacity.few(len(numbers))
        if len(numbers) <= FEW and few < slots:
            size = slots = few
        yield SentenceBatch(tuple(batch), size, width, slots)


def width_of(length: int) -> int:
    """Returns the padded length of a sentence."""
    return next((width for width in WIDTHS if width >= length), 1 << (length - 1).bit_length())
