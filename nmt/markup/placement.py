"""Where the elements of a source text begin and end in its translation.

An element is around the run of target tokens that attend most to the source tokens inside it and
least to those outside: of all runs, the fewest attention crosses its borders. Elements keep their
parents. What was copied is where the translation has it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nmt.markup.tokens import TokenWeights

Tokens = npt.NDArray[np.bool_]  # whether each target token is one of some
Places = npt.NDArray[np.int64]
Run = tuple[int, int]  # the first token, and the one after the last


@dataclass(frozen=True)
class Span:
    """An element: its source tokens, and the elements inside it."""

    begin: int
    end: int
    children: tuple["Span", ...] = ()


def placed(
    spans: Sequence[Span], weights: TokenWeights, *, pinned: Sequence[int | None]
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
    links = _Links(weights, np.array([-1 if each is None else each for each in pinned], np.int64))
    everything = Span(0, weights.shape[1], tuple(spans))
    _place_children(everything, (0, len(weights)), links, found)
    return found


@dataclass(frozen=True)
class _Links:
    """What the target tokens are linked to."""

    weights: TokenWeights
    copied: Places  # for each target token, the source token that it must be a copy of, or -1

    @cached_property
    def totals(self) -> TokenWeights:
        """The weight of each target token."""
        return self.weights.sum(axis=1)

    @cached_property
    def before(self) -> TokenWeights:
        """The weight of each target token on the source tokens before each place."""
        return np.pad(self.weights.cumsum(axis=1), ((0, 0), (1, 0)))


def _place_children(parent: Span, region: Run, links: _Links, found: dict[Span, Run]) -> None:
    """Places the children of a span in its run: first those that a copy pins, then the surest."""
    free = np.zeros(len(links.weights), bool)
    free[slice(*region)] = True

    def urgency(child: Span) -> tuple[bool, float]:
        return _Place(child, links).urgency(free)

    for span in sorted(parent.children, key=urgency, reverse=True):
        if (span.begin, span.end) == (parent.begin, parent.end) and span.begin < span.end:
            run = region
        else:
            place = _Place(span, links)  # made again: those of all children would fill the memory
            run = place.run(free) or place.point(free, region)
        found[span] = run
        free[slice(*run)] = False
        _place_children(span, run, links, found)


class _Place:
    """What each target token has for one span."""

    def __init__(self, span: Span, links: _Links) -> None:
        self.span, self.links = span, links
        inside = links.weights[:, span.begin : span.end].sum(axis=1)
        self.linked = inside > 0
        self.gain = 2 * inside - links.totals - 1e-9  # of equal runs the shortest
        self.sums = _sums(self.gain)
        belongs = (span.begin <= links.copied) & (links.copied < span.end)
        self.inside = np.flatnonzero(belongs)
        self.barred = (links.copied >= 0) & ~belongs
        self.wanted = belongs if len(self.inside) else self.linked

    def urgency(self, free: Tokens) -> tuple[bool, float]:
        """Returns what decides which of several spans is placed first."""
        return len(self.inside) > 0, max((gain for gain, _ in self._runs(free)), default=-np.inf)

    def run(self, free: Tokens) -> Run | None:
        """Returns the best run of free tokens, with all copies that belong into it."""
        return max(self._runs(free), default=(0.0, None), key=lambda found: found[0])[1]

    def point(self, free: Tokens, region: Run) -> Run:
        """Returns the boundary between tokens that the least attention crosses, as an empty run."""
        before = self.links.before[:, self.span.begin]
        behind = self.links.totals - self.links.before[:, self.span.end]
        crossing = _sums(behind - before).round(9)  # of equal places the first
        first, last = region
        inner = [i for i in range(first + 1, last) if free[i - 1] or free[i]]
        place = min([first, *inner, last], key=crossing.__getitem__)
        return place, place

    def _runs(self, free: Tokens) -> Iterator[tuple[float, Run]]:
        """Yields the best run, with its gain, of each stretch of tokens that it may have."""
        usable = free & ~self.barred
        edges = np.flatnonzero(np.diff(usable, prepend=False, append=False)).reshape(-1, 2)
        wanted = np.flatnonzero(self.wanted & usable)
        around = np.unique(edges[:, 0].searchsorted(wanted, side="right")) - 1
        for begin, end in edges[around].tolist():
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

    def _around_links(self, begin: int, end: int) -> Run:
        best = np.where(self.linked[begin:end], self.gain[begin:end], -np.inf).argmax()
        if self.gain[begin + best] <= 0:  # more of it belongs elsewhere, but it is all there is
            return begin + int(best), begin + int(best) + 1
        least = np.minimum.accumulate(self.sums[begin:end])
        last = begin + int((self.sums[begin + 1 : end + 1] - least).argmax()) + 1
        return begin + int(self.sums[begin:last].argmin()), last


def _sums(values: TokenWeights) -> TokenWeights:
    """Returns the sum of the values before each place."""
    return np.concatenate([[0.0], values.cumsum()])
