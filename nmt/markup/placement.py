"""Where the elements of a source text begin and end in its translation.

An element is around the run of target tokens that attend most to the source tokens inside it and
least to those outside: of all runs, the fewest attention crosses its borders. Elements keep their
parents. What was copied is where the translation has it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float64]  # (target tokens, source tokens)
Tokens = npt.NDArray[np.bool_]  # whether each target token is one of some
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
    """What each target token has for one span."""

    def __init__(self, span: Span, weights: Weights, pinned: Sequence[int | None]) -> None:
        self.span, self.weights = span, weights
        inside = weights[:, span.begin : span.end].sum(axis=1)
        self.linked = inside > 0
        self.gain = 2 * inside - weights.sum(axis=1) - 1e-9  # of equal runs the shortest
        self.sums = np.cumsum([0, *self.gain])
        belongs = [each is not None and span.begin <= each < span.end for each in pinned]
        self.inside = np.flatnonzero(belongs)
        copies = np.array([each is not None for each in pinned], bool)
        self.barred = copies & ~np.array(belongs, bool)

    def urgency(self, free: Tokens) -> tuple[bool, float]:
        """Returns what decides which of several spans is placed first."""
        return len(self.inside) > 0, max((gain for gain, _ in self._runs(free)), default=-np.inf)

    def run(self, free: Tokens) -> Run | None:
        """Returns the best run of free tokens, with all copies that belong into it."""
        return max(self._runs(free), default=(0.0, None), key=lambda found: found[0])[1]

    def point(self, free: Tokens, region: Run) -> Run:
        """Returns the boundary between tokens that the least attention crosses, as an empty run."""
        before = self.weights[:, : self.span.begin].sum(axis=1)
        behind = self.weights[:, self.span.end :].sum(axis=1)
        crossing = before.sum() + np.cumsum([0, *(behind - before)])
        first, last = region
        inner = [i for i in range(first + 1, last) if free[i - 1] or free[i]]
        place = min([first, *inner, last], key=crossing.__getitem__)
        return place, place

    def _runs(self, free: Tokens) -> Iterator[tuple[float, Run]]:
        """Yields the best run, with its gain, of each stretch of tokens that it may have."""
        usable = np.array([False, *(free & ~self.barred), False])
        for begin, end in np.flatnonzero(usable[1:] != usable[:-1]).reshape(-1, 2).tolist():
            if len(self.inside):
                run = self._around_copies(begin, end)
            else:
                run = self._around_links(begin, end)
            if run is not None:
                yield float(self.sums[run[1]] - self.sums[run[0]]), run

    def _around_copies(self, begin: int, end: int) -> Run | None:
        first, last = int(self.inside[0]), int(self.inside[-1]) + 1
        if first < begin or last > end:
            return None
        return (
            begin + int(self.sums[begin : first + 1].argmin()),
            last + int(self.sums[last : end + 1].argmax()),
        )

    def _around_links(self, begin: int, end: int) -> Run | None:
        if not self.linked[begin:end].any():
            return None
        best = np.where(self.linked[begin:end], self.gain[begin:end], -np.inf).argmax()
        if self.gain[begin + best] <= 0:  # more of it belongs elsewhere, but it is all there is
            return begin + int(best), begin + int(best) + 1
        least = np.minimum.accumulate(self.sums[begin:end])
        last = begin + int((self.sums[begin + 1 : end + 1] - least).argmax()) + 1
        return begin + int(self.sums[begin:last].argmin()), last
