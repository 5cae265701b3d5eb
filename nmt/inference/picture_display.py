"""A caption as a notebook shows it: picture, text and score, and words that can be pointed at.

It needs no script, so that a notebook that is not trusted shows it too.
"""

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nmt import colors

if TYPE_CHECKING:
    from nmt.inference.translation import Translation

SIDE = 320  # pixels of the longer side of the picture
OPACITY = 0.85

# The layer of a word is a picture of a pixel for each cell, which the browser magnifies.
_STYLE = """
.nmt-caption { position: relative }
.nmt-caption img { display: block; margin: 0; max-width: none }
.nmt-caption span { cursor: default; padding: 0 0.15em }
.nmt-caption span img { display: none; position: absolute; left: 0; top: 0 }
.nmt-caption span:hover { background: ORANGE40 }
.nmt-caption span:hover img { display: block }
.nmt-caption:has(span:hover) > img { filter: grayscale(1) opacity(0.5) }
""".replace("ORANGE", f"#{bytes(colors.ATTENTION).hex()}")


def as_html(caption: "Translation", picture: npt.NDArray[np.uint8], grid: tuple[int, int]) -> str:
    """Returns HTML of a caption, whose text may be any.

    Pointing at a word lays its weights over the picture, in relation to the largest of them.
    """
    height, width = (round(SIDE * side / max(picture.shape[:2])) for side in picture.shape[:2])
    size = f'style="width: {width}px; height: {height}px"'
    matrix = caption.words
    words = " ".join(
        f'<span>{escape(word)}<img alt="" {size} '
        f'src="{_address(_layer(weights.reshape(grid)))}"></span>'
        for word, weights in zip(matrix.target, matrix.weights, strict=True)
    )
    return (
        f"<style>{_STYLE}</style>\n"
        '<div class="nmt-caption tex2jax_ignore mathjax_ignore">'  # $ is no formula
        f'<img alt="{escape(caption.source)}" {size} src="{_address(picture)}">'
        f'<p dir="auto"><b>{words}</b> <small>(score {caption.score:.2f}; '
        f"{escape(caption.method)})</small></p></div>"
    )


def _layer(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Returns the weights (rows, columns) of a word as the opacity of a picture in RGBA."""
    strength = OPACITY * weights / max(weights.max(), np.finfo(np.float32).tiny)
    color = np.full((*weights.shape, 3), colors.ATTENTION, np.uint8)
    return np.concatenate([color, np.round(255 * strength)[..., None].astype(np.uint8)], axis=2)


def _address(pixels: npt.NDArray[np.uint8]) -> str:
    """Returns the data URI of a picture."""
    from nmt.data.images import png

    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"
