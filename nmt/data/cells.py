"""Pictures as square cells in reading order, and back."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def join(cells: Any, grid: tuple[int, int], side: int) -> Any:
    """Returns the pictures (batch, height, width, 3) of cells (batch, cells, 3 * side ** 2).

    They are arrays of NumPy or of JAX.
    """
    rows, columns = grid
    blocks = cells.reshape(-1, rows, columns, side, side, 3).swapaxes(2, 3)
    return blocks.reshape(-1, rows * side, columns * side, 3)


def cut(pixels: Bytes, side: int) -> Bytes:
    """Returns the cells (batch, cells, 3 * side ** 2) of pictures, in reading order."""
    batch, height, width, _ = pixels.shape
    rows, columns = height // side, width // side
    blocks = pixels.reshape(batch, rows, side, columns, side, 3).swapaxes(2, 3)
    return blocks.reshape(batch, rows * columns, -1)


def pixels(cells: npt.NDArray[np.generic], grid: tuple[int, int]) -> Bytes:
    """Returns the picture (height, width, 3) of its cells, which are in rows and columns."""
    side = math.isqrt(cells.shape[1] // 3)
    return join(cells[None].astype(np.uint8), grid, side)[0]
