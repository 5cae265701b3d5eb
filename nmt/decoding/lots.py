"""Lots: which sentences are computed together, and the shape of the arrays that they fill.

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


@dataclasses.dataclass(frozen=True)
class Room:
    """How many sentences fit into a lot, on all devices together.

    Attributes:
        batch: sentences at most, on each device; fewer where four times as many hypotheses of 32
            pieces, or as many of 128, would not hold their beams.
        beam: hypotheses of a sentence.
        devices: what shares the rows, in equal parts.
    """

    batch: int
    beam: int = 1
    devices: int = 1

    def size(self, width: int) -> int:
        """Returns the sentences of a lot of a width."""
        hypotheses = min(4 * self.batch, 128 * self.batch // width)
        return max(1, min(self.batch, hypotheses // self.beam)) * self.devices

    def few(self, number: int, width: int) -> int:
        """Returns the size of a lot of a few sentences that are all there are."""
        wanted = 1 if number == 1 else FEW
        return min(-(-wanted // self.devices) * self.devices, self.size(width))


def lots(numbers: Sequence[int], lengths: Sequence[int], *, room: Room) -> Iterator[Lot]:
    """Yields the numbered sentences in lots, the longest sentences first.

    A lot ends when it is full, or half full and what follows needs less width. So that few shapes
    are needed, the size of a lot depends on the width alone, unless all sentences are a
    few.

    Args:
        numbers: the sentences that are computed.
        lengths: of each sentence, of those that are not computed too.
        room: how many fit into a lot.
    """
    lot: list[int] = []
    for number in sorted(numbers, key=lengths.__getitem__, reverse=True):
        if lot:
            width = width_of(lengths[lot[0]])
            size = room.size(width)
            narrower = width_of(lengths[number]) < width
            if len(lot) == size or (narrower and len(lot) >= size / 2):
                yield Lot(tuple(lot), size, width)
                lot = []
        lot.append(number)
    if lot:
        width = width_of(lengths[lot[0]])
        few = len(numbers) <= min(FEW, room.size(width))
        yield Lot(tuple(lot), room.few(len(lot), width) if few else room.size(width), width)


def width_of(length: int) -> int:
    """Returns the padded length of a sentence."""
    return next((width for width in WIDTHS if width >= length), 1 << (length - 1).bit_length())
