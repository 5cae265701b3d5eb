"""Lots: which sentences are searched together, and the shape of the arrays that they fill.

Each shape is compiled for itself. A file of any lengths up to 2,048 pieces needs 12 of them at
most: one for each width, and one more for a last window of few lines.
"""

import dataclasses
from collections.abc import Iterator, Sequence

WIDTHS = (8, 16, 24, 32, 48, 64, 128, 256, 512)  # beyond them, powers of two
FEW = 8  # sentences: where there are no more, a smaller program is worth its compilation


@dataclasses.dataclass(frozen=True)
class Lot:
    """Sentences by their numbers, in arrays of `size` rows that are `width` wide."""

    numbers: tuple[int, ...]
    size: int
    width: int


def lots(numbers: Sequence[int], lengths: Sequence[int], *, batch: int) -> Iterator[Lot]:
    """Yields the numbered sentences in lots, the longest sentences first.

    A lot ends when it is full, or half full and what follows needs less width. So that few shapes
    are needed, the size of a lot depends on the width alone, unless all sentences are a
    few.

    Args:
        numbers: the sentences that are searched.
        lengths: of each sentence, of those that are not searched too.
        batch: sentences of 128 pieces; there are more of shorter ones, four times as many at most.
    """
    lot: list[int] = []
    for number in sorted(numbers, key=lengths.__getitem__, reverse=True):
        if lot:
            width = width_of(lengths[lot[0]])
            size = _capacity(width, batch)
            narrower = width_of(lengths[number]) < width
            if len(lot) == size or (narrower and len(lot) >= size / 2):
                yield Lot(tuple(lot), size, width)
                lot = []
        lot.append(number)
    if lot:
        width = width_of(lengths[lot[0]])
        size = _capacity(width, batch)
        if len(numbers) <= FEW:
            size = 1 if len(numbers) == 1 else min(FEW, size)
        yield Lot(tuple(lot), size, width)


def width_of(length: int) -> int:
    """Returns the padded length of a sentence."""
    return next((width for width in WIDTHS if width >= length), 1 << (length - 1).bit_length())


def _capacity(width: int, batch: int) -> int:
    return max(1, min(4 * batch, 128 * batch // width))
