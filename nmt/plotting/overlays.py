"""Attention over pictures: a panel for each word, as in figure 2 of Xu et al. (2015)."""

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nmt import colors
from nmt.counting import counted
from nmt.evaluation.pointing import Box, GroundedCaption
from nmt.evaluation.words import WordMatrix
from nmt.plotting.fonts import fonts, preferred

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

SIDE = 1.2  # inches of the longer side of a panel
GAP = 0.1  # inches between panels
HEAD = 0.24  # inches above a panel, for its word
LETTERS = 10  # points; smaller in words that are wider than a panel
MOST = 8  # words in a line

# Xu et al. (2015), section 5.4, magnify the weights 2^4 times and smooth them by a Gaussian filter.
POINTS = 16  # per side of a cell
BLUR = 0.5  # standard deviation in cells

OPACITY = 0.85  # where a word attends most
PALE = 0.5  # contrast that is left of a picture under attention
BOX: dict[str, Any] = {"edgecolor": "#0072B2", "linewidth": 1.4, "fill": False, "clip_on": False}
HALO: dict[str, Any] = {"linewidth": 2.6, "foreground": "white"}  # around the line of a box


@runtime_checkable
class Pictured(Protocol):
    """A caption of a picture with its attention, such as `nmt.Caption`."""

    @property
    def picture(self) -> npt.NDArray[np.uint8] | None:
        """RGB, of shape (height, width, 3)."""

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of cells."""

    @property
    def target_pieces(self) -> Sequence[str]:
        """The pieces of the text."""

    @property
    def attention(self) -> npt.NDArray[np.float32]:
        """Weights of shape (target pieces, rows * columns)."""

    def fold(self, *, end: bool = False) -> WordMatrix:
        """Returns the weights of words; with `end`, the end of sentence counts as a word."""


@dataclasses.dataclass(frozen=True, eq=False)
class Overlay:
    """A picture and the attention of each word of its caption.

    Args:
        picture: RGB, of shape (height, width, 3).
        attention: Weights of shape (words, rows * columns), the cells in reading order.
        words: The words of the caption.
        grid: Rows and columns of the cells that the picture is divided into.
        title: What stands above the picture, such as the name of a method.
        boxes: Gold boxes of each word, (left, top, right, bottom) in pixels; none at all if empty.

    Raises:
        ValueError: the shapes do not fit, or a weight is negative or not finite.
        DataError: a box covers no part of the picture.
    """

    picture: npt.NDArray[np.uint8]
    attention: npt.NDArray[np.floating[Any]]
    words: Sequence[str]
    grid: tuple[int, int]
    title: str | None = None
    boxes: Sequence[Sequence[Box]] = ()

    def __post_init__(self) -> None:
        if self.picture.ndim != 3 or self.picture.shape[2] != 3 or not self.picture.size:
            raise ValueError(
                f"a picture of shape {self.picture.shape}; it must be (height, width, 3), RGB"
            )
        if not len(self.boxes):
            object.__setattr__(self, "boxes", [()] * len(self.words))
        if len(self.boxes) != len(self.words):
            raise ValueError(
                f"boxes of {counted(len(self.boxes), 'word')} for {len(self.words)} in the caption"
            )
        GroundedCaption(self.attention, self.boxes, self.size, self.grid)  # refuses the rest

    @classmethod
    def of(
        cls,
        caption: Pictured,
        *,
        words: bool = True,
        end: bool = False,
        title: str | None = None,
        boxes: Sequence[Sequence[Box]] = (),
    ) -> "Overlay":
        """Returns the overlay of a caption: of its words, with `end` and its end, or its pieces.

        Raises:
            ValueError: the caption has no picture.
        """
        if caption.picture is None or caption.grid is None:
            raise ValueError("the caption has no picture; draw it with plot_alignment")
        if words:
            folded = caption.fold(end=end)
            weights, names = folded.weights, folded.target
        else:
            weights, names = caption.attention, tuple(caption.target_pieces)
        return cls(caption.picture, weights, names, caption.grid, title, boxes)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return self.picture.shape[0], self.picture.shape[1]


def overlay(
    picture: npt.NDArray[np.uint8],
    attention: npt.NDArray[np.floating[Any]],
    *,
    words: Sequence[str],
    grid: tuple[int, int],
    title: str | None = None,
    boxes: Sequence[Sequence[Box]] = (),
) -> "matplotlib.figure.Figure":
    """Draws a picture and each word's attention over it; arguments and errors as in `Overlay`."""
    return overlays([Overlay(picture, attention, words, grid, title, boxes)])


def overlays(rows: Sequence[Overlay]) -> "matplotlib.figure.Figure":
    """Draws captions below each other, such as several methods or hypotheses for one picture.

    The picture stands on the left, its words follow in lines. The picture of a word is pale and
    gray, and orange where the word attends: the more, the stronger, in relation to the word's
    largest weight. Boxes are outlined in blue. A word that attends to nothing has a gray picture.
    Characters without an installed font appear as boxes, and a warning names them.
    """
    from matplotlib.figure import Figure

    families, missing = fonts(chain(*([*each.words, each.title or ""] for each in rows)))
    columns = _columns(max(len(each.words) for each in rows))
    panels = [SIDE * np.array(each.size) / max(each.size) for each in rows]  # (height, width)
    steps = [HEAD + panel[0] for panel in panels]  # from a line to the next
    lines = [-(-max(len(each.words), 1) // columns) for each in rows]
    height = float(np.dot(steps, lines)) + GAP * (len(rows) + 1)
    figure = Figure(figsize=((columns + 1) * (SIDE + GAP) + GAP, height))
    top = height - GAP
    for each, panel, step, many in zip(rows, panels, steps, lines, strict=True):
        for number, text in enumerate([each.title or "", *each.words]):
            line, column = divmod(number - 1, columns) if number else (0, -1)
            place = (GAP + (column + 1) * (SIDE + GAP), top - (line + 1) * step, *panel[::-1])
            axes = _axes(figure, place, text.translate(missing), families)
            if number:
                _attend(axes, each, number - 1)
            else:
                axes.imshow(each.picture)
        top -= many * step + GAP
    return figure


def magnified(weights: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Returns weights (rows, columns) of cells as a smooth map of 16 x 16 points for each cell.

    A point is the mean of all cells, weighted by a Gaussian of its distance to their centers, so
    that equal weights stay equal up to the edges of the picture.
    """
    down, across = (_blur(cells) for cells in weights.shape)
    smooth: npt.NDArray[np.float64] = down @ weights.astype(np.float64) @ across.T
    return smooth


def _blur(cells: int) -> npt.NDArray[np.float64]:
    """Returns the share (points, cells) that each cell along one side has in each point."""
    points = (np.arange(cells * POINTS) + 0.5) / POINTS
    shares = np.exp(-(((points[:, None] - np.arange(cells) - 0.5) / BLUR) ** 2) / 2)
    return shares / shares.sum(axis=1, keepdims=True)


def _columns(words: int) -> int:
    """Returns how many words stand in a line, so that lines are about equally long."""
    words = max(words, 1)
    return -(-words // -(-words // MOST))


def _axes(
    figure: "matplotlib.figure.Figure",
    place: tuple[float, float, float, float],
    title: str,
    families: Mapping[str, frozenset[int]],
) -> "matplotlib.axes.Axes":
    """Adds a panel at a place (left, bottom, width, height) in inches; its title fits above it."""
    inches = figure.get_size_inches()
    left, bottom, width, height = np.array(place) / [*inches, *inches]
    axes = figure.add_axes((left, bottom, width, height), xticks=[], yticks=[])
    axes.spines[:].set(linewidth=0.5, color="#bbbbbb")
    style: dict[str, Any] = {"fontfamily": preferred(families, title), "parse_math": False}
    text = axes.set_title(title, fontsize=LETTERS, pad=3, **style)
    room, needed = SIDE * figure.dpi, text.get_window_extent().width
    text.set_fontsize(LETTERS * min(1, room / max(needed, 1)))
    return axes


def _attend(axes: "matplotlib.axes.Axes", shown: Overlay, word: int) -> None:
    """Draws the attention of a word over the pale picture."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    gray = shown.picture @ np.array([0.299, 0.587, 0.114])  # luma of ITU-R BT.601
    axes.imshow(255 - PALE * (255 - gray), cmap="gray", vmin=0, vmax=255)
    strength = magnified(shown.attention[word].reshape(shown.grid))
    layer = np.empty((*strength.shape, 4))
    layer[..., :3] = np.array(colors.ATTENTION) / 255
    layer[..., 3] = OPACITY * strength / max(strength.max(), np.finfo(np.float64).tiny)
    height, width = shown.size
    axes.imshow(layer, extent=(-0.5, width - 0.5, height - 0.5, -0.5), interpolation="bilinear")
    for box in shown.boxes[word]:
        # Boxes end at the edges of the picture; matplotlib counts from the middle of a pixel.
        left, top, right, bottom = np.clip(box, 0, (width, height, width, height)) - 0.5
        outline = Rectangle((left, top), right - left, bottom - top, **BOX)
        outline.set_path_effects([withStroke(**HALO)])
        axes.add_patch(outline)
