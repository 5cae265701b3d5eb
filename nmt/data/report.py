"""How many pairs of a corpus were left out, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class FilterReport:
    """The number of pairs, and of those that were left out by their first reason."""

    total: int
    left_out: Mapping[str, int]

    @classmethod
    def of(cls, names: Sequence[str], reasons: npt.NDArray[np.integer[Any]]) -> "FilterReport":
        """Counts the reasons of all pairs, of shape (pairs,): 1 for the first name, 0 for none."""
        _, *counts = np.bincount(reasons, minlength=len(names) + 1).tolist()
        return cls(len(reasons), dict(zip(names, counts, strict=True)))

    @property
    def kept(self) -> int:
        """The number of pairs that were not left out."""
        return self.total - sum(self.left_out.values())

    def __str__(self) -> str:
        """Returns a summary in one line."""
        counts = ", ".join(f"{count:,} {name}" for name, count in self.left_out.items())
        return f"{self.kept:,} of {self.total:,} pairs kept; left out: {counts}"

    def table(self) -> str:
        """Returns a line for each reason, and one for the pairs that are kept."""
        rows = {"pairs": self.total, **self.left_out, "kept": self.kept}
        width = len(f"{self.total:,}")
        return "\n".join(f"{count:>{width},}  {name}" for name, count in rows.items())
