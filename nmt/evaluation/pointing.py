"""Pointing: whether the attention of a word lies on the object that the word is about.

A picture is divided into a grid of cells, and a word has a weight for each cell. Gold boxes say
where in the picture the object of a word is. A box is (left, top, right, bottom) in pixels from the
upper left corner, without the pixels at `right` and `bottom`: (0, 0, width, height) is the whole
picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nmt.errors import DataError

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class GroundedCaption:
    """The attention of a caption's words over a picture, with the gold boxes of each word.

    Args:
        attention: Weights of shape (words, rows * columns), the cells in reading order.
        boxes: Those of each word, such as two for "squares"; none for a word like "above". A box
            may reach over the edge of the picture; what is outside does not count.
        size: Height and width of the picture in pixels.
        grid: Rows and columns of cells; they divide the picture evenly.

    Raises:
        ValueError: the shapes do not fit, or a weight is negative or not finite.
        DataError: a box covers no part of the picture.
    """

    attention: npt.NDArray[np.floating[Any]]
    boxes: Sequence[Sequence[Box]]
    size: tuple[int, int]
    grid: tuple[int, int]

    def __post_init__(self) -> None:
        shape, words, (rows, columns) = self.attention.shape, len(self.boxes), self.grid
        if shape != (words, rows * columns):
            raise ValueError(
                f"attention of shape {shape} for {words} words and {rows} x {columns} cells; it "
                "needs a row for each word and a column for each cell"
            )
        if not (self.attention >= 0).all() or not np.isfinite(self.attention).all():
            raise ValueError("weights of attention must be finite and not negative")
        height, width = self.size
        for word, boxes in enumerate(self.boxes):
            for left, top, right, bottom in boxes:
                if not (max(left, 0) < min(right, width) and max(top, 0) < min(bottom, height)):
                    raise DataError(
                        f"box {(left, top, right, bottom)} of word {word} (counted from 0) covers "
                        f"no part of the picture of {width} x {height} pixels; a box is (left, "
                        "top, right, bottom)"
                    )


@dataclass(frozen=True)
class PointingScore:
    """Means over the words that have boxes, and those of a uniform guess for the same words."""

    accuracy: float  # words whose most attended cell lies in a box
    share: float  # attention inside the boxes
    uniform_accuracy: float  # of a cell that is drawn at random
    uniform_share: float  # of the picture's area
    words: int  # that have boxes

    def __str__(self) -> str:
        accuracy = f"pointing accuracy {self.accuracy:.3f} (uniform {self.uniform_accuracy:.3f})"
        share = f"attention inside {self.share:.3f} (uniform {self.uniform_share:.3f})"
        return f"{accuracy} {share} of {self.words} words"


def score_pointing(captions: Sequence[GroundedCaption]) -> PointingScore:
    """Scores the attention of all words that have boxes; 1 is best.

    accuracy: the pointing game of Zhang et al. (2016), section 4.1. A word scores 1 if its most
        attended cell lies in one of its boxes, else 0; of several cells with the same weight each
        counts equally. A cell lies in a box if its center does, so a box that is smaller than a
        cell may have none. There is no tolerance around a box, and the mean is over words, not
        over categories.
    share: the attention correctness of Liu et al. (2017): the part of the word's weights that is
        inside its boxes. A cell counts by the part of its area that its word's boxes cover.

    A word that attends to nothing scores 0 in both.

    Raises:
        DataError: no word has a box.
    """
    scores = [
        _score(weights, boxes, caption)
        for caption in captions
        for weights, boxes in zip(caption.attention, caption.boxes, strict=True)
        if len(boxes)
    ]
    if not scores:
        raise DataError("no word has a box, so there is nothing to point at; give boxes of objects")
    return PointingScore(*np.mean(scores, axis=0).tolist(), words=len(scores))


def cells_inside(
    boxes: Sequence[Box], *, size: tuple[int, int], grid: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Returns which cells (rows, columns) have their center in at least one of the boxes."""
    sides = zip(size, grid, strict=True)
    return _inside(boxes, *((np.arange(cells) + 0.5) * length / cells for length, cells in sides))


def coverage(
    boxes: Sequence[Box], *, size: tuple[int, int], grid: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Returns the part of the area of each cell (rows, columns) that the boxes cover together."""
    # The edges of cells and boxes divide the picture into rectangles, each inside or outside.
    corners = np.array(boxes, float).reshape(-1, 2, 2)
    across, columns = _strips(corners[..., 0], size[1], grid[1])
    down, rows = _strips(corners[..., 1], size[0], grid[0])
    middles = ((edges[1:] + edges[:-1]) / 2 for edges in (down, across))
    areas = np.outer(np.diff(down), np.diff(across)) * _inside(boxes, *middles)
    covered = np.zeros(grid)
    np.add.at(covered, np.ix_(rows, columns), areas)
    return covered * (grid[0] * grid[1]) / (size[0] * size[1])


def _score(
    weights: npt.NDArray[np.floating[Any]], boxes: Sequence[Box], caption: GroundedCaption
) -> tuple[float, float, float, float]:
    """Returns the fields of `PointingScore` for one word."""
    hit = cells_inside(boxes, size=caption.size, grid=caption.grid).ravel()
    covered = coverage(boxes, size=caption.size, grid=caption.grid).ravel()
    uniform = float(hit.mean()), float(covered.mean())
    if not weights.any():
        return 0.0, 0.0, *uniform
    share = np.average(covered, weights=weights.astype(np.float64))
    return float(hit[weights == weights.max()].mean()), float(share), *uniform


def _inside(
    boxes: Sequence[Box], down: npt.NDArray[np.float64], across: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Returns which of the points at these heights and widths lie in at least one of the boxes."""
    left, top, right, bottom = np.array(boxes, float).reshape(-1, 4).T[..., None]
    vertical = (top <= down) & (down < bottom)
    horizontal = (left <= across) & (across < right)
    inside: npt.NDArray[np.bool_] = (vertical[:, :, None] & horizontal[:, None, :]).any(axis=0)
    return inside


def _strips(
    ends: npt.NDArray[np.float64], length: int, cells: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Returns all edges of cells and boxes along one side of a picture, and the cells between."""
    cell_edges = np.arange(cells + 1) * length / cells
    edges = np.unique(np.concatenate([cell_edges, np.clip(ends, 0, length).ravel()]))
    return edges, np.searchsorted(cell_edges, edges[:-1], side="right") - 1
