"""Where the elements of a source text begin and end in its translation.

An element is around the run of target tokens that attend most to the source tokens inside it and
least to those outside: of all runs, the fewest attention crosses its borders. Elements keep their
parents. What was copied is where the translation has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float64]  # (target tokens, source tokens)
Run = tuple[int, int]  # the first token, and the one after the last


@dataclass(frozen=True)
class Span:
    """An element: its source tokens, and the elements inside it."""

    begin: int
    end: int
    children: tuple["Span", ...] = ()


def placed(
    spans: Sequence[Span], weights: Weights, *, pinned: Sequence[int | None]
) -> dict[Span, Run]:
    """Returns the run of target tokens of each span, and of those inside it.

    The run of a span without a free token is empty: (i, i), between two tokens.

    Args:
        spans: elements beside each other.
        weights: of links.
        pinned: for each target token, the source token of which it is a copy that must stay in
            its elements, or None.
    """
    found: dict[Span, Run] = {}
    everything = Span(0, weights.shape[1], tuple(spans))
    _place_children(everything, (0, len(weights)), weights, pinned, found)
    return found


def _place_children(
    parent: Span,
    region: Run,
    weights: Weights,
    pinned: Sequence[int | None],
    found: dict[Span, Run],
) -> None:
    """Places the children of a span in its run: first those that a copy pins, then the surest."""
    free = np.zeros(len(weights), bool)
    free[slice(*region)] = True
    places = [_Place(child, weights, pinned) for child in parent.children]
    for place in sorted(places, key=lambda place: place.urgency(free), reverse=True):
        span = place.span
        if (span.begin, span.end) == (parent.begin, parent.end) and span.begin < span.end:
            run = region
        else:
            run = place.run(free) or place.point(free, region)
        found[span] = run
        free[slice(*run)] = False
        _place_children(span, run, weights, pinned, found)


class _Place:
    """A place for one span: what each target token has for it."""

    def __init__(self, span: Span, weights: Weights, pinned: Sequence[int | None]) -> None:
        self.span, self.weights = span, weights
        inside = weights[:, span.begin : span.end].sum(axis=1)
        self.linked = inside > 0
        self.gain = 2 * inside - weights.sum(axis=1) - 1e-9  # of equal runs the shortest
        belongs = [each is not None and span.begin <= each < span.end for each in pinned]
        self.inside = np.flatnonzero(belongs)
        self.barred = np.array([each is not None for each in pinned], bool) & ~np.array(
            belongs, bool
        )

    def urgency(self, free: npt.NDArray[np.bool_]) -> tuple[bool, float]:
        """Returns what decides which of several spans is placed first."""
        return len(self.inside) > 0, float(np.max(self._runs(free), initial=-np.inf))

    def run(self, free: npt.NDArray[np.bool_]) -> Run | None:
        """Returns the best run of free tokens, with all copies that belong into it."""
        runs = self._runs(free)
        if not np.isfinite(runs).any():
            return None
        begin, end = np.unravel_index(runs.argmax(), runs.shape)
        return int(begin), int(end)

    def point(self, free: npt.NDArray[np.bool_], region: Run) -> Run:
        """Returns the boundary between tokens that the least attention crosses, as an empty run."""
        before = self.weights[:, : self.span.begin].sum(axis=1)
        behind = self.weights[:, self.span.end :].sum(axis=1)
        crossing = before.sum() + np.cumsum([0, *(behind - before)])
        first, last = region
        inner = [i for i in range(first + 1, last) if free[i - 1] or free[i]]
        place = min([first, *inner, last], key=crossing.__getitem__)
        return place, place

    def _runs(self, free: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Returns the gain of the run from each token to before each, -inf for what is no run."""
        sums, links, walls = (
            np.cumsum([0, *each]) for each in (self.gain, self.linked, self.barred | ~free)
        )
        begin, end = np.ogrid[: len(sums), : len(sums)]
        allowed = (links[begin] < links[end]) & (walls[begin] == walls[end])
        if len(self.inside):
            allowed &= (begin <= self.inside[0]) & (end > self.inside[-1])
        return np.where(allowed, sums[end] - sums[begin], -np.inf)
