"""Learning curves of one or several runs, from their logs `metrics.jsonl`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt import plotting
from nmt.errors import RunError
from nmt.records import VALIDATION
from nmt.run import Run

if TYPE_CHECKING:
    import matplotlib.figure

# The charts by their y labels, with the keys in the log
CHARTS = {
    "loss of a target piece": ("train/loss",),
    "perplexity": ("train/perplexity", f"{VALIDATION}perplexity"),
    "BLEU": (f"{VALIDATION}bleu",),
    "learning rate": ("train/learning_rate",),
    "gradient norm": ("train/gradient_norm",),
}
LOGARITHMIC = ("perplexity",)


def draw(runs: Sequence[str | Path]) -> "matplotlib.figure.Figure":
    """Draws the curves of several run folders in the same charts, except for empty charts.

    Raises:
        RunError: a path is no run folder, its log has no values yet, or the log is damaged.
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
    """Returns the runs by the names of their folders, or by whole paths if names are equal."""
    paths = list(dict.fromkeys(map(Path, runs)))
    last = [path.resolve().name for path in paths]
    return {
        str(path) if last.count(name) > 1 else name: path
        for path, name in zip(paths, last, strict=True)
    }


def _label(key: str, run: str | None) -> str:
    """Returns the name of a curve, which is the same in every chart."""
    kind = "training" if key.startswith("train/") else "validation"
    return kind if run is None else f"{run}, {kind}"


def _read(run: Run) -> list[dict[str, Any]]:
    """Returns the log records of a run, after a check that they have something to draw."""
    records = run.records()
    if not any(_points(records, key)[0] for keys in CHARTS.values() for key in keys):
        raise RunError(f"{run.path}: nothing to draw yet; training logs every few steps")
    return records


def _points(records: list[dict[str, Any]], key: str) -> tuple[list[float], list[float]]:
    """Returns the steps and the values of a key in log records."""
    found = [(record["step"], record[key]) for record in records if key in record]
    return [step for step, _ in found], [value for _, value in found]
