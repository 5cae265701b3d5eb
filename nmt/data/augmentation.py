"""Changes of training pictures: moved by some pixels, and made brighter or darker.

Random numbers belong to a row of the whole batch, so that processes which have a part of it each,
and a training that goes on from a checkpoint, change each picture alike.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nmt.config import InputConfig, PictureInputConfig
from nmt.data import cells
from nmt.data.cells import Bytes

Shifts = npt.NDArray[np.integer]  # (batch, 2): pixels downwards and to the right


def changed(
    source: npt.NDArray[Any], config: InputConfig, rows: slice, *, seed: Sequence[int]
) -> npt.NDArray[Any]:
    """Returns the cells of a batch (batch, cells, size), each picture changed at random.

    Args:
        source: The cells of some rows of a batch.
        config: The bounds of the changes; text, vectors, and pictures without bounds are as before.
        rows: Which rows of the whole batch these are.
        seed: Numbers that identify the whole batch.
    """
    if not isinstance(config, PictureInputConfig) or not (config.shift or config.brightness):
        return source
    drawn = np.random.default_rng(seed).random((rows.stop, 3))[rows]
    shifts = (drawn[:, :2] * (2 * config.shift + 1)).astype(int) - config.shift
    factors = 1 + config.brightness * (2 * drawn[:, 2] - 1)
    pixels = cells.join(source, config.grid, config.cell)
    return cells.cut(brightened(moved(pixels, shifts), factors), config.cell)


def moved(pixels: Bytes, shifts: Shifts) -> Bytes:
    """Returns pictures (batch, height, width, 3) that are moved; what is free repeats the edge."""
    _, height, width, _ = pixels.shape
    y = np.clip(np.arange(height) - shifts[:, :1], 0, height - 1)
    x = np.clip(np.arange(width) - shifts[:, 1:], 0, width - 1)
    return pixels[np.arange(len(pixels))[:, None, None], y[:, :, None], x[:, None, :]]


def brightened(pixels: Bytes, factors: npt.NDArray[np.floating]) -> Bytes:
    """Returns pictures (batch, height, width, 3), each multiplied by a factor, at most white."""
    table = np.clip(np.rint(factors[:, None] * np.arange(256)), 0, 255).astype(np.uint8)
    return table[np.arange(len(pixels))[:, None, None, None], pixels]
