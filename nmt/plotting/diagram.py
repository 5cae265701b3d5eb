"""A block diagram as SVG: boxes on a grid, and arrows between neighbors."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 280, 102  # pixels of a box
ACROSS, UP = 110, 44  # pixels between boxes
MARGIN = 20


@dataclass(frozen=True)
class Block:
    """A box: its name, the lines of text under it, and its place; row 0 is the lowest."""

    name: str
    lines: Sequence[str]
    column: int
    row: int


@dataclass(frozen=True)
class Arrow:
    """An arrow from one box to another in the same row, or in the same column above it."""

    start: str
    end: str
    label: str = ""
    shift: int = 0  # pixels from the middle of the side, down or to the right


def diagram(blocks: Sequence[Block], arrows: Sequence[Arrow], *, title: str) -> str:
    """Returns the SVG of a diagram.

    Raises:
        ValueError: an arrow joins boxes that are neither in one row nor in one column.
    """
    rows, columns = (1 + max(getattr(each, axis) for each in blocks) for axis in ("row", "column"))
    width = 2 * MARGIN + columns * WIDTH + (columns - 1) * ACROSS
    height = 2 * MARGIN + rows * HEIGHT + (rows - 1) * UP
    corners = {
        each.name: (
            MARGIN + each.column * (WIDTH + ACROSS),
            MARGIN + (rows - 1 - each.row) * (HEIGHT + UP),
        )
        for each in blocks
    }
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="13">',
            f"<title>{escape(title)}</title>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
            'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            *(_box(each, *corners[each.name]) for each in blocks),
            *(_arrow(each, corners[each.start], corners[each.end]) for each in arrows),
            "</svg>\n",
        ]
    )


def _box(block: Block, x: int, y: int) -> str:
    middle, top = x + WIDTH // 2, y + HEIGHT // 2 - 9 * len(block.lines) + 5
    texts = [f'<text x="{middle}" y="{top}" font-weight="bold">{escape(block.name)}</text>']
    for number, line in enumerate(block.lines, start=1):
        texts.append(f'<text x="{middle}" y="{top + 18 * number}">{escape(line)}</text>')
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#eef4fa" '
        f'stroke="#0072b2"/><g text-anchor="middle">{"".join(texts)}</g>'
    )


def _arrow(arrow: Arrow, start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = start, end
    if y == to_y:
        level = y + HEIGHT // 2 + arrow.shift
        ends = (x + WIDTH, to_x) if x < to_x else (x, to_x + WIDTH)
        line, place = (ends[0], level, ends[1], level), (sum(ends) // 2, level - 6)
        anchor = "middle"
    elif x == to_x and y > to_y:
        level = x + WIDTH // 2 + arrow.shift
        line, place = (level, y, level, to_y + HEIGHT), (level + 6, (y + to_y + HEIGHT) // 2 + 4)
        anchor = "start"
    else:
        raise ValueError(f"no straight arrow leads from {arrow.start} to {arrow.end}")
    coordinates = 'x1="{}" y1="{}" x2="{}" y2="{}"'.format(*line)
    return (
        f'<line {coordinates} stroke="black" marker-end="url(#head)"/>'
        f'<text x="{place[0]}" y="{place[1]}" text-anchor="{anchor}">{escape(arrow.label)}</text>'
    )
