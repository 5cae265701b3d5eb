"""Learning curves of one run or several, from what training wrote into `metrics.jsonl`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt import plotting
from nmt.errors import RunError
from nmt.run import Run

if TYPE_CHECKING:
    import matplotlib.figure

# What each chart measures, and the values in it
CHARTS = {
    "loss of a target piece": ("train/loss",),
    "perplexity": ("train/perplexity", "validation/perplexity"),
    "BLEU": ("validation/bleu",),
    "learning rate": ("train/learning_rate",),
    "gradient norm": ("train/gradient_norm",),
}
LOGARITHMIC = ("perplexity",)


def draw(runs: Sequence[str | Path]) -> "matplotlib.figure.Figure":
    """Draws the curves of run folders together; charts without any value are left out.

    Raises:
        RunError: this is no run folder, nothing was logged yet, or a line of the log is damaged.
    """
    records = {name: _read(Run.open(path)) for name, path in _names(runs).items()}
    panels = {
        ylabel: {
            _label(key, name if len(records) > 1 else None): points
            for name, record in records.items()
            for key in keys
            if (points := _points(record, key))[0]
        }
        for ylabel, keys in CHARTS.items()
    }
    panels = {ylabel: series for ylabel, series in panels.items() if series}
    return plotting.charts(panels, log=LOGARITHMIC)


def _names(runs: Sequence[str | Path]) -> dict[str, Path]:
    """Returns the runs under their folders' names, or whole paths where two have the same."""
    paths = list(dict.fromkeys(map(Path, runs)))
    last = [path.resolve().name for path in paths]
    return {
        str(path) if last.count(name) > 1 else name: path
        for path, name in zip(paths, last, strict=True)
    }


def _label(key: str, run: str | None) -> str:
    """Returns the name of a curve, the same in every chart."""
    kind = "training" if key.startswith("train/") else "validation"
    return kind if run is None else f"{run}, {kind}"


def _read(run: Run) -> list[dict[str, Any]]:
    """Returns the records of a run that has something to draw."""
    records = run.records()
    if not any(_points(records, key)[0] for keys in CHARTS.values() for key in keys):
        raise RunError(f"{run.path}: nothing to draw yet; training logs every few steps")
    return records


def _points(records: list[dict[str, Any]], key: str) -> tuple[list[float], list[float]]:
    """Returns the steps at which a value was logged, and the values."""
    found = [(record["step"], record[key]) for record in records if key in record]
    return [step for step, _ in found], [value for _, value in found]
