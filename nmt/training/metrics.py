"""Metrics summed over the steps since the last log record."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax

from nmt.checkpoints import TrainingProgress
from nmt.training.step import StepMetrics

Sums = Mapping[str, float]  # loss, nll, tokens, and the costs of objectives by their names
PLAIN = ("loss", "nll", "tokens")


@dataclass(frozen=True)
class StepRecord:
    """The metrics of a step as Python numbers, and the progress of its batch."""

    progress: TrainingProgress
    sums: Sums
    learning_rate: float
    gradient_norm: float
    skipped: int
    skipped_in_row: int


class MetricsAccumulator:
    """Sums metrics over steps; numbers stay on the devices until `read`.

    After a stop, the next session goes on with the sums of the last one.
    """

    def __init__(self, sums: Sums | None = None) -> None:
        self.sums: dict[str, float] = {**dict.fromkeys(PLAIN, 0.0), **(sums or {})}
        self._before = self.sums["tokens"]  # of earlier sessions, which do not count for the speed
        self._unread: list[tuple[TrainingProgress, StepMetrics]] = []

    def add(self, progress: TrainingProgress, metrics: StepMetrics) -> None:
        """Adds a step, with the progress of its batch."""
        self._unread.append((progress, metrics))

    def read(self) -> list[StepRecord]:
        """Returns the steps since the last call; it waits for the devices once.

        Steps with a loss that is not finite are not summed.
        """
        numbers = jax.device_get([_numbers(metrics) for _, metrics in self._unread])
        records = []
        for (progress, _), (sums, *rest) in zip(self._unread, numbers, strict=True):
            sums = {name: float(each) for name, each in sums.items()}
            records.append(StepRecord(progress, sums, *(each.item() for each in rest)))
            if all(map(math.isfinite, sums.values())):
                # One step after the other, so that a stop between two of them changes no bit.
                for name, each in sums.items():
                    self.sums[name] = self.sums.get(name, 0.0) + each
        self._unread = []
        return records

    def values(self, last: StepRecord, *, seconds: float) -> dict[str, Any]:
        """Returns means and the newest numbers for the log; no means if no loss was finite."""
        tokens, means = self.sums["tokens"], {}
        if tokens:
            means = {
                f"train/{name}": each / tokens
                for name, each in self.sums.items()
                if name not in ("nll", "tokens")
            }
            means["train/perplexity"] = math.exp(min(self.sums["nll"] / tokens, 700.0))
        norm = last.gradient_norm
        return {
            **means,
            "train/learning_rate": last.learning_rate,
            "train/gradient_norm": norm if math.isfinite(norm) else None,
            "train/skipped": last.skipped,
            "train/tokens_per_second": (tokens - self._before) / seconds,
        }


def _numbers(metrics: StepMetrics) -> Any:
    return (
        {**{name: getattr(metrics.sums, name) for name in PLAIN}, **metrics.costs},
        metrics.learning_rate,
        metrics.gradient_norm,
        metrics.skipped,
        metrics.skipped_in_row,
    )
