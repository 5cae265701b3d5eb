"""Heat maps of attention and learning curves, ready for a paper; works without a display.

Matplotlib takes a third of a second to import, so each function does it only when called.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nmt.errors import UserError
from nmt.evaluation.alignment import fold

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

MARGIN = 0.08  # inches around everything
PLACEHOLDER = "□"  # stands for a character that no font draws
# What each format calls the date that it would store: left out, for the same bytes every day
DATES = {".png": None, ".svg": "Date", ".pdf": "CreationDate"}
# Okabe & Ito (2008): told apart by the colour-blind and in print
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


@runtime_checkable
class Attended(Protocol):
    """A translation with the attention that made it, such as `nmt.Translation`."""

    @property
    def source_pieces(self) -> Sequence[str]:
        """The columns."""
        ...

    @property
    def target_pieces(self) -> Sequence[str]:
        """The rows."""
        ...

    @property
    def attention(self) -> npt.NDArray[np.float32]:
        """Weights, (target pieces, source pieces)."""
        ...


def plot_alignment(
    translation: Attended, *, words: bool = True, title: str | None = None
) -> "matplotlib.figure.Figure":
    """Draws the attention of a translation: between words, or between subword pieces.

    Raises:
        ValueError: the translation is empty.
    """
    weights = translation.attention
    source, target = translation.source_pieces, translation.target_pieces
    if words:
        folded = fold(weights, source, target)
        weights, source, target = folded.weights, folded.source, folded.target
    return heatmap(weights, source=source, target=target, title=title)


def heatmap(
    weights: npt.NDArray[np.floating],
    *,
    source: Sequence[str],
    target: Sequence[str],
    title: str | None = None,
) -> "matplotlib.figure.Figure":
    """Draws weights (target, source) between 0 and 1, as figure 3 of Bahdanau et al. (2015).

    The figure grows with the words: cells and letters stay large enough to be read. Characters
    that no installed font draws appear as boxes, and one warning names them.
    """
    from matplotlib.figure import Figure

    if weights.shape != (len(target), len(source)) or not weights.size:
        raise ValueError(
            f"weights of shape {weights.shape} for {len(target)} target and {len(source)} source "
            "words; a heat map needs a row for each target and a column for each source word"
        )
    cell = np.interp(max(weights.shape), [10, 40], [0.34, 0.22])  # inches
    height, width = cell * np.array(weights.shape)
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    mesh = axes.pcolormesh(
        weights, cmap="gray_r", vmin=0, vmax=1, edgecolors="#dddddd", linewidth=0.5
    )
    axes.invert_yaxis()
    axes.spines[:].set_linewidth(0.5)
    families, boxes = _lettering([*source, *target, title or ""])
    _label(
        axes,
        source=[word.translate(boxes) for word in source],
        target=[word.translate(boxes) for word in target],
        title=(title or "").translate(boxes),
        families=families,
    )

    length = min(height, 1.6)
    slim = (1 + 0.12 / width, 1 - length / height, 0.09 / width, length / height)
    bar = figure.colorbar(mesh, cax=figure.add_axes(slim), ticks=[0, 0.5, 1])
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(length=2, width=0.5, labelsize=8)
    _grow(figure)
    return figure


def _label(
    axes: "matplotlib.axes.Axes",
    *,
    source: Sequence[str],
    target: Sequence[str],
    title: str,
    families: Sequence[str],
) -> None:
    letters: dict[str, Any] = {"fontfamily": families, "parse_math": False}
    upwards = {"rotation": 90, "rotation_mode": "anchor", "ha": "left", "va": "center_baseline"}
    axes.tick_params(length=0, pad=4, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set_xticks(np.arange(len(source)) + 0.5, source, **letters | upwards)
    axes.set_yticks(np.arange(len(target)) + 0.5, target, **letters)
    axes.set_title(title, pad=8, **letters)


def _grow(figure: "matplotlib.figure.Figure") -> None:
    """Makes room for all that stands outside of the axes, which keep their size in inches."""
    from matplotlib.transforms import Affine2D

    box = figure.get_tightbbox().padded(MARGIN)
    moved = Affine2D().scale(*figure.get_size_inches()).translate(-box.x0, -box.y0)
    moved.scale(1 / box.width, 1 / box.height)
    for axes in figure.axes:
        axes.set_position(axes.get_position().transformed(moved))
    figure.set_size_inches(box.width, box.height)


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, ylabel: str
) -> "matplotlib.figure.Figure":
    """Draws learning curves: `series` gives under each name its steps and its values there."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set_prop_cycle(color=COLOURS)
    for name, (steps, values) in series.items():
        # Without markers a curve of one point would not be seen.
        marker = "o" if len(steps) <= 30 else ""
        axes.plot(steps, values, linewidth=1.5, marker=marker, markersize=3, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel(ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    axes.legend(frameon=False)
    return figure


def save(figure: "matplotlib.figure.Figure", path: Path | str) -> None:
    """Writes a PNG, an SVG or a PDF, by the ending of `path`; the same figure gives the same bytes.

    Raises:
        UserError: the ending is none of the three, or the file cannot be written.
    """
    import matplotlib

    date = DATES[check_ending(path)]
    # Type 42 keeps the text of a PDF as text; the salt makes the names inside an SVG repeatable.
    with matplotlib.rc_context({"svg.hashsalt": "nmt", "pdf.fonttype": 42}):
        try:
            figure.savefig(path, dpi=200, metadata={date: None} if date else None)
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror})") from None


def check_ending(path: Path | str) -> str:
    """Returns the ending of a figure's file.

    Raises:
        UserError: no figure can be written with this ending.
    """
    ending = Path(path).suffix.lower()
    if ending not in DATES:
        raise UserError(f"{path}: a figure is written as .png, .svg or .pdf; choose one of these")
    return ending


def image(figure: "matplotlib.figure.Figure") -> npt.NDArray[np.uint8]:
    """The figure as pixels (height, width, 3), as TensorBoard shows them."""
    buffer = BytesIO()
    figure.savefig(buffer, format="rgba", dpi="figure")
    width, height = figure.canvas.get_width_height()
    return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)[..., :3].copy()


def _lettering(texts: Iterable[str]) -> tuple[list[str], dict[int, str]]:
    """The font families that draw the texts, and a box for each character that none draws."""
    from matplotlib.font_manager import findfont

    families = ["DejaVu Sans"]  # comes with matplotlib
    missing = frozenset(map(ord, "".join(texts))) - _characters(findfont(families[0]))
    installed = _installed_fonts() if missing else []
    while missing:
        family, drawn = max(
            ((name, missing & _characters(path)) for name, path in installed),
            key=lambda font: len(font[1]),
            default=("", frozenset()),
        )
        if not drawn:
            characters = "".join(map(chr, sorted(missing)))
            warnings.warn(
                f"no installed font draws {characters!r}; install the Noto font of that script "
                "(fonts.google.com/noto; on Debian, fonts-noto-cjk for Chinese and Japanese)",
                stacklevel=3,  # where the heat map was asked for
            )
            break
        families.append(family)
        missing -= drawn
    return families, dict.fromkeys(missing, PLACEHOLDER)


def _installed_fonts() -> list[tuple[str, str]]:
    """Family and file of the upright fonts of medium weight that this machine has."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    installed = set(findSystemFonts())
    # Matplotlib lists the fonts once and for all; the reader may have installed one since.
    for path in installed - {entry.fname for entry in fontManager.ttflist}:
        with suppress(OSError, RuntimeError):  # a broken font, or one of bitmaps
            fontManager.addfont(path)
    return sorted(
        (entry.name, entry.fname)
        for entry in fontManager.ttflist
        if entry.fname in installed and entry.style == "normal" and entry.weight in range(300, 501)
    )


@cache
def _characters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path).get_charmap())
