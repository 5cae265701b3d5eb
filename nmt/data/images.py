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


def is_picture(path: Path) -> bool:
    """Returns whether a file begins as pictures do, whatever its name."""
    try:
        _image(path).close()
    except Exception:  # as of damaged files
        return False
    return True


def opened(source: Any, *, where: str) -> PIL.Image.Image:
    """Returns a picture upright and in RGB; what is transparent becomes white.

    It is a path, the bytes of a file, a row of a data set, an image of Pillow, or an array of bytes
    (height, width, 3) in RGB or (height, width, 4) in RGBA. `where` names it in messages.

    Raises:
        DataError: it cannot be read.
    """
    if isinstance(source, Mapping):
        source = source.get("path") if source.get("bytes") is None else source["bytes"]
    try:
        if isinstance(source, str | os.PathLike):
            where = f"{where}: {os.fspath(source)}" if where else os.fspath(source)
            source = Path(source).read_bytes()
        with warnings.catch_warnings(action="ignore"):  # such as of damaged metadata
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            picture = _image(source)
            picture = _in_colors(PIL.ImageOps.exif_transpose(picture), form=picture.format)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    except (PIL.Image.DecompressionBombWarning, PIL.Image.DecompressionBombError):
        most = PIL.Image.MAX_IMAGE_PIXELS
        raise DataError(f"{where}: has more than {most:,} pixels; make it smaller") from None
    except FileNotFoundError:
        raise DataError(f"{where}: no such picture") from None
    except Exception:  # what the decoders of damaged files raise is of many types
        raise DataError(f"{where}: not a picture that can be read; is the file whole?") from None
    if not all(picture.size):
        raise DataError(f"{where}: a picture without pixels")
    return picture


def _image(source: Any) -> PIL.Image.Image:
    """Returns the image in a file or its bytes, of an array, or of Pillow itself."""
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] not in (3, 4):
            shape = " x ".join(map(str, source.shape))
            raise DataError(
                f"an array {source.dtype} of {shape}; a picture is one uint8 of height x width "
                "x 3, in RGB from 0 to 255"
            )
        return PIL.Image.fromarray(source)
    if isinstance(source, PIL.Image.Image):
        return source
    PIL.Image.init()
    safe = [name for name in PIL.Image.OPEN if name != "EPS"]  # which would be run by Ghostscript
    file = source if isinstance(source, Path) else io.BytesIO(source)
    return PIL.Image.open(file, formats=safe)


def _in_colors(image: PIL.Image.Image, *, form: str | None) -> PIL.Image.Image:
    if image.mode.startswith("I;16") or (image.mode, form) == ("I", "PPM"):
        # These have 16 bits, and Pillow would cut what is above 255.
        image = PIL.Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise DataError("pixels of 32 bits, whose white is not known; store 8 or 16 bits of each")
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    white = PIL.Image.new("RGBA", image.size, "white")
    return PIL.Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
