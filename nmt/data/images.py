"""Files of pictures: read upright and in RGB, and written as PNG."""

import io
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageOps

from nmt.errors import DataError

SMOOTH = PIL.Image.Resampling.BICUBIC
LARGEST = 800  # pixels of the longer side of a picture that is drawn


def original(path: str) -> npt.NDArray[np.uint8]:
    """Returns the picture (height, width, 3) in a file, made smaller if it is large.

    Raises:
        DataError: it cannot be read.
    """
    picture = opened(path, where="")
    picture.thumbnail((LARGEST, LARGEST))
    return np.asarray(picture)


def size(path: str) -> tuple[int, int]:
    """Returns the height and width in pixels of the upright picture in a file.

    Raises:
        DataError: it cannot be read.
    """
    picture = opened(path, where="")
    return picture.height, picture.width


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Returns the file of a picture, (height, width, 3) in RGB or (height, width, 4) in RGBA."""
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def opened(source: Any, *, where: str) -> PIL.Image.Image:
    """Returns a picture upright and in RGB; what is transparent becomes white.

    It is a path, the bytes of a file, a row of a data set, an image of Pillow, or an array of
    pixels. `where` names it in messages.

    Raises:
        DataError: it cannot be read.
    """
    if isinstance(source, Mapping):
        source = source["path"] if source["bytes"] is None else source["bytes"]
    try:
        if isinstance(source, str | os.PathLike):
            where = f"{where}: {os.fspath(source)}" if where else os.fspath(source)
            source = Path(source).read_bytes()
        with warnings.catch_warnings(action="error"):  # of pictures that are too large
            return _in_colours(PIL.ImageOps.exif_transpose(_image(source)))
    except FileNotFoundError:
        raise DataError(f"{where}: no such picture") from None
    except (OSError, ValueError, TypeError, SyntaxError, Warning, PIL.Image.DecompressionBombError):
        raise DataError(f"{where}: not a picture that can be read; is the file whole?") from None


def _image(source: Any) -> PIL.Image.Image:
    """Returns the image of a file's bytes, of an array, or of Pillow itself."""
    if isinstance(source, np.ndarray):
        return PIL.Image.fromarray(source)
    return source if isinstance(source, PIL.Image.Image) else PIL.Image.open(io.BytesIO(source))


def _in_colours(image: PIL.Image.Image) -> PIL.Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would cut what is above 255
        image = PIL.Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    white = PIL.Image.new("RGBA", image.size, "white")
    return PIL.Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
