"""Heat maps of attention matrices (target, source), single or in a grid, with gold links."""

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nmt.arguments import check
from nmt.errors import DataError
from nmt.evaluation.alignment import GoldLinks
from nmt.evaluation.pharaoh import parse_links
from nmt.evaluation.words import WordMatrix
from nmt.plotting.fonts import fonts, preferred
from nmt.plotting.overlays import Overlay, Pictured, overlays

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure
    import matplotlib.transforms

MARGIN = 0.08  # inches around everything
GAP = 0.3  # inches between the panels of a grid
# Outlines of gold links.
SURE: dict[str, Any] = {"edgecolor": "#D55E00", "linewidth": 1.6}
POSSIBLE: dict[str, Any] = {"edgecolor": "#D55E00", "linewidth": 1.1, "linestyle": (0, (2, 1.5))}


@runtime_checkable
class Attended(Protocol):
    """A translation with its attention matrix, such as `nmt.Translation`."""

    @property
    def source_pieces(self) -> Sequence[str]:
        """The labels of the columns."""

    @property
    def target_pieces(self) -> Sequence[str]:
        """The labels of the rows."""

    @property
    def attention(self) -> npt.NDArray[np.float32]:
        """Weights of shape (target pieces, source pieces)."""

    def fold(self, *, end: bool = False) -> WordMatrix:
        """Returns the weights between words; with `end`, the end of sentence counts as a word."""


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """One heat map: weights (target, source) between 0 and 1, with labels and gold links."""

    weights: npt.NDArray[np.floating[Any]]
    source: Sequence[str]
    target: Sequence[str]
    title: str | None = None
    gold: GoldLinks | None = None

    def __post_init__(self) -> None:
        if self.title is not None:
            check(self.title, str, "a title is a string")
        shape, target, source = self.weights.shape, len(self.target), len(self.source)
        if shape != (target, source) or not self.weights.size:
            raise ValueError(
                f"weights of shape {shape} for {target} target and {source} source "
                "words; a heat map needs a row for each target and a column for each source word"
            )
        for i, j in sorted(self.gold.possible if self.gold else ()):
            if i >= source or j >= target:
                raise DataError(
                    f"gold link {i}-{j} lies outside the {source} source and {target} target "
                    "words; words are counted from 0"
                )


def panel(
    translation: Attended,
    *,
    words: bool = True,
    end: bool = False,
    title: str | None = None,
    gold: GoldLinks | str | None = None,
) -> Panel:
    """Returns the heat map of a translation; arguments and errors as in `plot_alignment`."""
    if not translation.attention.size:
        raise ValueError("the translation is empty, or was copied: there is no attention to draw")
    if words:
        folded = translation.fold(end=end)
        links = parse_links(gold) if isinstance(gold, str) else gold
        if links is not None:
            check(links, GoldLinks, "gold links are a line such as '0-0 1p2', or GoldLinks")
        return Panel(folded.weights, folded.source, folded.target, title, links)
    if gold is not None:
        raise ValueError("gold links are between words; draw words, or leave out `gold`")
    source, target = translation.source_pieces, translation.target_pieces
    return Panel(translation.attention, source, target, title)


def plot_alignment(
    translation: Attended,
    *,
    words: bool = True,
    end: bool = False,
    title: str | None = None,
    gold: GoldLinks | str | None = None,
) -> "matplotlib.figure.Figure":
    """Draws the attention of a translation: between words, or between subword pieces.

    The pieces include the end of sentence; the words do with `end`. Gold links, or a line of them
    such as `0-0 1-2 1p3`, are outlined: sure links solid, possible links dashed. The caption of a
    picture is drawn as the picture under the attention of each word or piece.

    Raises:
        ValueError: the translation is empty, or there are gold links for pieces or a picture.
        DataError: a gold link lies outside of the sentence, or the line has something else.
        TypeError: the translation is none, but several for example.
    """
    if not hasattr(translation, "fold"):
        raise TypeError(f"one translation is drawn at a time, not {type(translation).__name__}")
    if isinstance(translation, Pictured) and translation.picture is not None:
        if gold is not None:
            raise ValueError("gold links are between words; a picture has none")
        return overlays([Overlay.of(translation, words=words, end=end, title=title)])
    return grid([[panel(translation, words=words, end=end, title=title, gold=gold)]])


def heatmap(
    weights: npt.NDArray[np.floating[Any]],
    *,
    source: Sequence[str],
    target: Sequence[str],
    title: str | None = None,
) -> "matplotlib.figure.Figure":
    """Draws weights (target, source) between 0 and 1, like figure 3 of Bahdanau et al. (2015)."""
    return grid([[Panel(weights, source, target, title)]])


def grid(rows: Sequence[Sequence[Panel]]) -> "matplotlib.figure.Figure":
    """Draws heat maps in rows, such as sentences below each other and methods side by side.

    The figure grows with the number of words, so that cells and letters stay readable. Characters
    without an installed font appear as boxes, and a warning names them.
    """
    from matplotlib.figure import Figure

    panels = list(chain(*rows))
    texts = chain(*([*each.source, *each.target, each.title or ""] for each in panels))
    families, boxes = fonts(texts)
    most = max(max(each.weights.shape) for each in panels)
    cell = float(np.interp(most, [10, 40], [0.34, 0.22]))  # inches
    figure = Figure(figsize=(1, 1))  # so that figure coordinates are inches
    drawn = [[_draw(figure, each, cell, families, boxes) for each in row] for row in rows]
    _arrange(drawn)
    corner = drawn[0][-1].get_position()
    length = min(corner.height, 1.6)
    bar = figure.colorbar(
        drawn[0][-1].collections[0],
        cax=figure.add_axes((_around(drawn[0][-1]).x1 + 0.12, corner.y1 - length, 0.09, length)),
        ticks=[0, 0.5, 1],
    )
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(length=2, width=0.5, labelsize=8)
    _grow(figure)
    return figure


def wrapped(panels: Sequence[Panel]) -> list[list[Panel]]:
    """Returns the panels in rows that make about a square."""
    columns = int(np.ceil(np.sqrt(len(panels))))
    return [list(panels[start : start + columns]) for start in range(0, len(panels), columns)]


def _draw(
    figure: "matplotlib.figure.Figure",
    shown: Panel,
    cell: float,
    families: Mapping[str, frozenset[int]],
    boxes: dict[int, str],
) -> "matplotlib.axes.Axes":
    """Draws one heat map in the lower left corner of the figure."""
    height, width = cell * np.array(shown.weights.shape)
    axes = figure.add_axes((0, 0, width, height))
    axes.pcolormesh(
        shown.weights, cmap="gray_r", vmin=0, vmax=1, edgecolors="#dddddd", linewidth=0.5
    )
    axes.invert_yaxis()
    axes.spines[:].set_linewidth(0.5)
    letters: dict[str, Any] = {"parse_math": False}
    upwards = {"rotation": 90, "rotation_mode": "anchor", "ha": "left", "va": "center_baseline"}
    source, target = (
        [word.translate(boxes) for word in side] for side in (shown.source, shown.target)
    )
    axes.tick_params(length=0, pad=4, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set_xticks(np.arange(len(source)) + 0.5, source, **letters | upwards)
    axes.set_yticks(np.arange(len(target)) + 0.5, target, **letters)
    axes.set_title((shown.title or "").translate(boxes), pad=8, **letters)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), axes.title):
        text.set_fontfamily(preferred(families, text.get_text()))
    if shown.gold is not None:
        _outline(axes, shown.gold)
    return axes


def _outline(axes: "matplotlib.axes.Axes", gold: GoldLinks) -> None:
    """Draws a rectangle around each gold link."""
    from matplotlib.patches import Rectangle

    for source, target in sorted(gold.possible):
        style = SURE if (source, target) in gold.sure else POSSIBLE
        corner = (source + 0.08, target + 0.08)
        axes.add_patch(Rectangle(corner, 0.84, 0.84, fill=False, **style))


def _arrange(rows: Sequence[Sequence["matplotlib.axes.Axes"]]) -> None:
    """Moves heat maps apart, aligned by their left edges in columns and by their tops in rows."""
    lefts = [[-_around(axes).x0 for axes in row] for row in rows]
    rights = [[_around(axes).x1 for axes in row] for row in rows]
    columns = max(map(len, rows))
    widths = [
        max(row[n] for row in lefts if n < len(row)) + max(row[n] for row in rights if n < len(row))
        for n in range(columns)
    ]
    starts = [0.0, *accumulate(width + GAP for width in widths)]
    above = [max(_around(axes).y1 - axes.get_position().height for axes in row) for row in rows]
    below = [max(axes.get_position().height - _around(axes).y0 for axes in row) for row in rows]
    # Above the lower left corner of the figure: below it, titles would overlap the labels.
    top = sum(above) + sum(below) + GAP * len(rows)
    for number, row in enumerate(rows):
        top -= above[number]
        for n, axes in enumerate(row):
            size = axes.get_position()
            left = starts[n] + max(each[n] for each in lefts if n < len(each))
            axes.set_position((left, top - size.height, size.width, size.height))
        top -= below[number] + GAP


def _around(axes: "matplotlib.axes.Axes") -> "matplotlib.transforms.BboxBase":
    """Returns the bounding box of an axes with its labels, in inches."""
    figure, box = axes.get_figure(), axes.get_tightbbox()
    assert figure is not None  # it was drawn into one
    assert box is not None
    return box.transformed(figure.dpi_scale_trans.inverted())


def _grow(figure: "matplotlib.figure.Figure") -> None:
    """Enlarges the figure to hold all that is drawn; axes keep their size in inches."""
    from matplotlib.transforms import Affine2D

    box = figure.get_tightbbox().padded(MARGIN)
    moved = Affine2D().scale(*figure.get_size_inches()).translate(-box.x0, -box.y0)
    moved.scale(1 / box.width, 1 / box.height)
    for axes in figure.axes:
        axes.set_position(axes.get_position().transformed(moved))
    figure.set_size_inches(box.width, box.height)
