"""Where the shapes of a layout are in the picture, in pixels."""

from dataclasses import dataclass
from random import Random

from demo_corpus.scenes.layouts import SMALL, Alone, Axis, Corner, Group, Layout, Line, Side
from nmt.data.scenes import PIXELS, Shape

_PIXELS = {True: (12, 13), False: (18, 19)}  # of a shape, whether it is small
_GAP = (2, 4)  # between the shapes of a group
_BETWEEN_GROUPS = {2: 8, 3: 4}  # at least, by their number
_ROUND_A_CORNER = (6, 10)
_MARGIN = 1
_ROOM = PIXELS - 2 * _MARGIN
_CENTER = 32
_NEAR = 3  # of a middle
_FAR = 13  # from it


@dataclass(frozen=True)
class _Block:
    """The shapes of a group side by side along an axis."""

    group: Group
    axis: Axis
    pixels: int
    gap: int

    def extent(self, axis: Axis) -> int:
        """The pixels that the block takes along an axis."""
        count = self.group.count if axis == self.axis else 1
        return count * self.pixels + (count - 1) * self.gap

    def at(self, left: int, top: int) -> tuple[Shape, ...]:
        """The shapes of the block whose first corner is here."""
        step = self.pixels + self.gap
        right, down = (step, 0) if self.axis == "x" else (0, step)
        kind, color = self.group.kind.english, self.group.color.english
        return tuple(
            Shape(kind, color, self.pixels, left + right * each, top + down * each)
            for each in range(self.group.count)
        )


def place(layout: Layout, rng: Random) -> tuple[tuple[Shape, ...], ...] | None:
    """Returns the shapes of each group at random positions, or None if there is no room for them.

    Shapes do not touch each other, nor the border of the picture.
    """
    match layout:
        case Alone():
            return _alone(layout, rng)
        case Line():
            return _in_line(layout, rng)
        case Corner():
            return _at_corner(layout, rng)


def _block(group: Group, axis: Axis, rng: Random) -> _Block:
    pixels = rng.randint(*_PIXELS[group.scale is SMALL])
    smallest, largest = _GAP
    if group.count > 1:
        largest = min(largest, (_ROOM - group.count * pixels) // (group.count - 1))
    return _Block(group, axis, pixels, rng.randint(smallest, largest))


def _alone(layout: Alone, rng: Random) -> tuple[tuple[Shape, ...], ...] | None:
    axes: tuple[Axis, Axis] = ("x", "y")
    block = _block(layout.group, rng.choice(axes), rng)
    left = _start(block.extent("x"), layout.x, rng)
    top = _start(block.extent("y"), layout.y, rng)
    return None if left is None or top is None else (block.at(left, top),)


def _start(extent: int, side: Side, rng: Random) -> int | None:
    """Returns where a block starts so that its center is clearly on a side, or in the middle."""
    first, last = _MARGIN, _MARGIN + _ROOM - extent
    if side == "low":
        last = min(last, _CENTER - _FAR - (extent + 1) // 2)
    elif side == "high":
        first = max(first, _CENTER + _FAR - extent // 2)
    else:
        first = max(first, _CENTER - _NEAR - extent // 2)
        last = min(last, _CENTER + _NEAR - (extent + 1) // 2)
    return rng.randint(first, last) if first <= last else None


def _in_line(layout: Line, rng: Random) -> tuple[tuple[Shape, ...], ...] | None:
    """Places each group across the line, one behind the other."""
    across: Axis = "y" if layout.axis == "x" else "x"
    blocks = [_block(group, across, rng) for group in layout.groups]
    gaps = len(blocks) - 1
    gap = _BETWEEN_GROUPS[len(blocks)]
    spare = _ROOM - sum(block.pixels for block in blocks) - gap * gaps
    if spare < 0:
        return None
    half = max(block.extent(across) + 1 for block in blocks) // 2
    center = rng.randint(_MARGIN + half, _MARGIN + _ROOM - half)
    position = _MARGIN + rng.randint(0, spare // (gaps + 1))
    placed = []
    for block in blocks:
        extent = block.extent(across)
        start = center - extent // 2 + rng.randint(-_NEAR, _NEAR)
        start = min(max(start, _MARGIN), _MARGIN + _ROOM - extent)
        placed.append(block.at(*((position, start) if across == "y" else (start, position))))
        position += block.pixels + gap + rng.randint(0, spare // (gaps + 1))
    return tuple(placed)


def _at_corner(layout: Corner, rng: Random) -> tuple[tuple[Shape, ...], ...] | None:
    """Places the corner at the origin, two groups beside it, and moves all into the picture."""
    corner = _block(layout.corner, "x", rng)
    vertical = _block(layout.vertical, "x", rng)
    horizontal = _block(layout.horizontal, "y", rng)
    blocks = (corner, vertical, horizontal)
    lefts = _moved(
        "x",
        blocks,
        (0, _aligned(corner, vertical, "x", rng), _beside(corner, horizontal, "x", layout, rng)),
        rng,
    )
    tops = _moved(
        "y",
        blocks,
        (0, _beside(corner, vertical, "y", layout, rng), _aligned(corner, horizontal, "y", rng)),
        rng,
    )
    if lefts is None or tops is None:
        return None
    placed = tuple(
        block.at(left, top) for block, left, top in zip(blocks, lefts, tops, strict=True)
    )
    return placed if _apart(placed[1], placed[2]) else None


def _aligned(corner: _Block, other: _Block, axis: Axis, rng: Random) -> int:
    return (corner.extent(axis) - other.extent(axis)) // 2 + rng.randint(-_NEAR, _NEAR)


def _beside(corner: _Block, other: _Block, axis: Axis, layout: Corner, rng: Random) -> int:
    gap = rng.randint(*_ROUND_A_CORNER)
    before = layout.left if axis == "x" else layout.above
    return -gap - other.extent(axis) if before else corner.extent(axis) + gap


def _moved(
    axis: Axis, blocks: tuple[_Block, ...], starts: tuple[int, ...], rng: Random
) -> list[int] | None:
    """Returns where blocks start when all are moved by the same distance into the picture."""
    low = min(starts)
    high = max(start + block.extent(axis) for block, start in zip(blocks, starts, strict=True))
    room = _ROOM - (high - low)
    if room < 0:
        return None
    move = _MARGIN + rng.randint(0, room) - low
    return [start + move for start in starts]


def _apart(some: tuple[Shape, ...], others: tuple[Shape, ...]) -> bool:
    """Whether there is room between all shapes of two groups."""
    gap = _BETWEEN_GROUPS[3]
    return all(
        one.left + one.size + gap <= other.left
        or other.left + other.size + gap <= one.left
        or one.top + one.size + gap <= other.top
        or other.top + other.size + gap <= one.top
        for one in some
        for other in others
    )
