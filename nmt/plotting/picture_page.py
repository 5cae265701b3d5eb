"""An HTML page of captions: pointing at a word shows where in the picture the model looked."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
import numpy.typing as npt

from nmt.plotting.frame import check_methods, framed
from nmt.plotting.overlays import Overlay


def picture_page(captions: Sequence[Mapping[str, Overlay]], *, title: str = "Attention") -> str:
    """Returns an HTML page that shows pictures with their captions, by the names of methods.

    The page is a single file, with the pictures inside as PNG. A word that is pointed at lays its
    attention over the picture, as in `overlays`, and its boxes; the word that was clicked or
    reached by the keyboard stays shown, also when another method is chosen at the top, until the
    picture is clicked or Escape is pressed. The captions of the methods may have different words;
    the picture is that of the first method.

    Raises:
        ValueError: there are no captions or no methods, or not all have the same methods.
    """
    check_methods(captions)
    data = [_as_data(overlays) for overlays in captions]
    return framed(data, title=title, script="picture_page.js")


def _as_data(overlays: Mapping[str, Overlay]) -> dict[str, object]:
    first = next(iter(overlays.values()))
    return {
        "picture": _address(first.picture),
        "size": list(first.size),
        "methods": {name: _method(each) for name, each in overlays.items()},
    }


def _method(shown: Overlay) -> dict[str, object]:
    height, width = shown.size
    return {
        "words": list(shown.words),
        "grid": list(shown.grid),
        "weights": shown.attention.astype(float).round(6).tolist(),
        "boxes": [
            [np.clip(box, 0, (width, height, width, height)).tolist() for box in boxes]
            for boxes in shown.boxes
        ],
    }


def _address(picture: npt.NDArray[np.uint8]) -> str:
    """Returns the data URI of a picture."""
    from matplotlib.image import imsave

    file = BytesIO()
    # Without the version of matplotlib, so that the bytes are reproducible.
    imsave(file, picture, format="png", pil_kwargs={"pnginfo": None})
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
