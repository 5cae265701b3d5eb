"""Learning curves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

# Okabe & Ito (2008): told apart by the colour-blind and in print
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
COLUMNS = 2  # of charts in one figure

Series = Mapping[str, tuple[Sequence[float], Sequence[float]]]  # name: steps, values there


def charts(panels: Mapping[str, Series], *, log: Sequence[str] = ()) -> "matplotlib.figure.Figure":
    """Draws several charts in one figure; the keys are their y labels, those in `log` logarithmic.

    A name has the same colour in every chart.
    """
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(5.6 * columns, 3.4 * rows), layout="constrained")
    names = dict.fromkeys(name for series in panels.values() for name in series)
    colours = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}
    for number, (ylabel, series) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, number)
        _draw(axes, series, colours)
        axes.set_ylabel(ylabel)
        if ylabel in log:
            axes.set_yscale("log")
    return figure


def _draw(axes: "matplotlib.axes.Axes", series: Series, colours: Mapping[str, str]) -> None:
    for name, (steps, values) in series.items():
        # Without markers a curve of one point would not be seen.
        marker = "o" if len(steps) <= 30 else ""
        axes.plot(
            steps, values, linewidth=1.5, marker=marker, markersize=3, label=name,
            color=colours[name],
        )  # fmt: skip
    axes.set_xlabel("step")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    for text in axes.legend(frameon=False).get_texts():
        text.set_parse_math(False)  # a run may be called $x$
