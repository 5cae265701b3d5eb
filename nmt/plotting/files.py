"""Figures as files and as arrays of pixels."""

import threading
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nmt.errors import UserError

if TYPE_CHECKING:
    import matplotlib.figure

RESOLUTION = 200  # pixels per inch of a PNG
MAX_PIXELS = 2**28  # of a picture; drawing it takes a gigabyte

_SETTINGS = threading.Lock()  # those of matplotlib are of all threads

# The metadata field with the date in each format; it is left out, for reproducible files
DATES = {".png": None, ".svg": "Date", ".pdf": "CreationDate"}


def save(figure: "matplotlib.figure.Figure", path: Path | str) -> None:
    """Writes a figure as PNG, SVG or PDF, by the ending of `path`; the bytes are reproducible.

    Raises:
        UserError: `path` has another ending, the figure is too large for a PNG, or the file cannot
            be written.
    """
    import matplotlib

    ending = check_ending(path)
    date = DATES[ending]
    if ending == ".png" and (size := _too_large(figure, resolution=RESOLUTION)):
        raise UserError(
            f"{path}: {size} pixels are too many for a PNG; draw less, or choose .svg or .pdf"
        )
    # Type 42 keeps the text of a PDF as text; the salt makes the ids in an SVG reproducible.
    with _SETTINGS, matplotlib.rc_context({"svg.hashsalt": "nmt", "pdf.fonttype": 42}):
        try:
            figure.savefig(path, dpi=RESOLUTION, metadata={date: None} if date else None)
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror})") from None


def check_ending(path: Path | str) -> str:
    """Returns the ending of a figure's file in lower case.

    Raises:
        UserError: it is none of .png, .svg and .pdf.
    """
    ending = Path(path).suffix.lower()
    if ending not in DATES:
        raise UserError(f"{path}: a figure is written as .png, .svg or .pdf; choose one of these")
    return ending


def image(figure: "matplotlib.figure.Figure") -> npt.NDArray[np.uint8]:
    """Returns a figure as an RGB array of shape (height, width, 3), for TensorBoard.

    Raises:
        UserError: the figure has too many pixels.
    """
    if size := _too_large(figure, resolution=figure.dpi):
        raise UserError(f"{size} pixels are too many for an image; draw shorter sentences")
    import matplotlib

    buffer = BytesIO()
    with _SETTINGS, matplotlib.rc_context({"savefig.bbox": None}):  # "tight" gives another size
        figure.savefig(buffer, format="rgba", dpi="figure")
    width, height = figure.canvas.get_width_height()
    return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)[..., :3].copy()


def _too_large(figure: "matplotlib.figure.Figure", *, resolution: float) -> str:
    """Returns the size in pixels of a figure that is too large to be drawn; of any other, ""."""
    width, height = (round(resolution * inches) for inches in figure.get_size_inches())
    too_large = width * height > MAX_PIXELS or max(width, height) >= 2**16
    return f"{width} x {height}" if too_large else ""
