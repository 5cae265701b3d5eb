"""The result of a captioner: the text for a source that is not text, and its attention."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nmt.data.given import Array
from nmt.data.tokenizers import Tokenizers
from nmt.evaluation.words import Words
from nmt.inference.picture_display import as_html
from nmt.inference.translation import Translation


@dataclasses.dataclass(frozen=True, eq=False)
class Caption(Translation):
    """A text for a source of vectors or cells, each position of which counts as a word.

    `source` is the name of the source, `source_pieces` are the names of its positions, counted from
    1: of the cells of a picture, `row,column`.
    """

    # What the model has read, (positions, size).
    given: Array = dataclasses.field(default_factory=lambda: np.zeros((0, 0), np.float32))
    grid: tuple[int, int] | None = None  # rows and columns of a picture's cells

    @cached_property
    def source_words(self) -> Words:
        """The positions of the source."""
        return Words(
            self.source_pieces, tuple(range(i, i + 1) for i in range(len(self.source_pieces)))
        )

    @cached_property
    def picture(self) -> npt.NDArray[np.uint8] | None:
        """The picture to draw on, RGB, of shape (height, width, 3); None if there is none.

        It is that of the file, upright, 800 pixels at most; of other sources, what the model read.
        """
        from nmt.data import cells, images

        if self.grid is None or not len(self.given):
            return None
        if os.path.isfile(self.source):
            return images.original(self.source)
        return cells.pixels(self.given, self.grid)

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: a picture, and words to point at; see `Translation`."""
        if self.picture is None:
            return super()._repr_html_()
        assert self.grid is not None
        return as_html(self, self.picture, self.grid)

    @classmethod
    def of_pieces(
        cls,
        tokenizers: Tokenizers,
        tokens: Sequence[int],
        text: str | None,
        *,
        given: Array,
        grid: tuple[int, int] | None,
        attention: npt.NDArray[np.float32] | None = None,
        **fields: Any,
    ) -> "Caption":
        """Returns the caption of target pieces, whose text is given, or decoded from them."""
        target = tokenizers.target
        written = [token for token in tokens if token != target.eos]
        if text is None:
            text, spans = target.decode(tokens), target.decoded_offsets(written)
        else:
            spans = target.offsets(text)[: len(written)]
        names = tuple(positions(given, grid))
        empty = np.zeros((len(tokens), len(names)), np.float32)
        return cls(
            text=text,
            source_pieces=names,
            target_pieces=tuple(target.pieces(tokens)),
            target_offsets=spans,
            given=given,
            grid=grid,
            attention=empty if attention is None else attention,
            **fields,
        )


def positions(array: Array, grid: tuple[int, int] | None) -> Iterator[str]:
    """Yields the names of the positions of a source."""
    if grid is None or not len(array):  # one that could not be read has no cells
        return (str(number) for number in range(1, len(array) + 1))
    rows, columns = grid
    return (f"{i},{j}" for i in range(1, rows + 1) for j in range(1, columns + 1))
