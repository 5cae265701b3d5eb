"""Learning curves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

# Okabe & Ito (2008): distinct for color-blind readers and in print
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
COLUMNS = 2  # charts side by side in a figure

Series = Mapping[
    str, tuple[Sequence[float], Sequence[float]]
]  # steps and values of each curve, by its name


def charts(panels: Mapping[str, Series], *, log: Sequence[str] = ()) -> "matplotlib.figure.Figure":
    """Draws several charts in one figure; the keys are their y labels.

    Axes whose label is in `log` are logarithmic. A curve has the same color in every chart.
    """
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(5.6 * columns, 3.4 * rows), layout="constrained")
    names = dict.fromkeys(name for series in panels.values() for name in series)
    colors = {name: COLORS[n % len(COLORS)] for n, name in enumerate(names)}
    for number, (ylabel, series) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, number)
        _draw(axes, series, colors)
        axes.set_ylabel(ylabel)
        if ylabel in log:
            axes.set_yscale("log")
    return figure


def _draw(axes: "matplotlib.axes.Axes", series: Series, colors: Mapping[str, str]) -> None:
    lines = []
    for name, (steps, values) in series.items():
        marker = "o" if len(steps) <= 30 else ""  # a curve of one point is invisible without
        style: dict[str, Any] = {"linewidth": 1.5, "marker": marker, "markersize": 3}
        lines += axes.plot(steps, values, label=name, color=colors[name], **style)
    axes.set_xlabel("step")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    # Named afterwards: a legend leaves out names that begin with _, and reads $x$ as a formula.
    legend = axes.legend(lines, [" "] * len(lines), frameon=False)
    for text, name in zip(legend.get_texts(), series, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
