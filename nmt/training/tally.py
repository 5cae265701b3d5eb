"""What the steps since the last record add up to; it stays on the devices until it is asked for."""

import math
from dataclasses import dataclass
from typing import Any

import jax

from nmt.run import Position
from nmt.training.step import StepMetrics

Sums = tuple[float, ...]  # loss, negative log-likelihood and tokens


@dataclass(frozen=True)
class Reading:
    """What a step reported, as plain numbers, and the position of its batch."""

    position: Position
    sums: Sums
    learning_rate: float
    gradient_norm: float
    skipped: int
    skipped_in_row: int


class Tally:
    """Sums over steps; those from before a stop go on in the next sitting."""

    def __init__(self, sums: Sums = (0.0, 0.0, 0.0)) -> None:
        self.sums = sums
        self._before = sums[2]  # tokens of earlier sittings, which took none of this one's seconds
        self._unread: list[tuple[Position, StepMetrics]] = []

    def add(self, position: Position, metrics: StepMetrics) -> None:
        """Counts a step in; the position is that of its batch."""
        self._unread.append((position, metrics))

    def read(self) -> list[Reading]:
        """Returns the steps since it was last read; it waits for the devices, once for all steps.

        A loss that is not finite goes into no sum.
        """
        numbers = jax.device_get([_numbers(metrics) for _, metrics in self._unread])
        readings = []
        for (position, _), (sums, *rest) in zip(self._unread, numbers, strict=True):
            reading = Reading(position, tuple(map(float, sums)), *(each.item() for each in rest))
            readings.append(reading)
            if all(map(math.isfinite, reading.sums)):
                # One after the other, so that a stop between two of them changes no bit.
                self.sums = tuple(a + b for a, b in zip(self.sums, reading.sums, strict=True))
        self._unread = []
        return readings

    def values(self, last: Reading, *, seconds: float) -> dict[str, Any]:
        """Returns means for the log, and the newest numbers; no mean if no loss was finite."""
        loss, nll, tokens = self.sums
        means = {}
        if tokens:
            means["train/loss"] = loss / tokens
            means["train/perplexity"] = math.exp(min(nll / tokens, 700.0))
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
        (metrics.sums.loss, metrics.sums.nll, metrics.sums.tokens),
        metrics.learning_rate,
        metrics.gradient_norm,
        metrics.skipped,
        metrics.skipped_in_row,
    )
