"""Symmetrization: one alignment from the links of two directions (Och and Ney 2003).

A model finds source words for each target word; a model of the other direction makes different
errors. Their intersection has high precision and their union high recall; the `grow` methods (Koehn
et al. 2003; 2005) are in between. If the attention weights of both are known, and not only links,
`soft_links` combines the weights.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from nmt.errors import ConfigError
from nmt.evaluation.alignment import Link, threshold_links

METHODS = ("intersection", "union", "grow-diag", "grow-diag-final", "grow-diag-final-and")

SOFT = {
    "soft-intersection": 0.3,
    "soft-union": 0.5,
}  # methods for weights, with their default thresholds

# (target, source) steps to the neighbors of a link, in the order of Moses
_NEIGHBORS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


def symmetrize(
    forward: frozenset[Link], backward: frozenset[Link], *, method: str = "grow-diag-final-and"
) -> frozenset[Link]:
    """Returns the links of a sentence from the links of two directions, as Moses' `symal` does.

    All links are (source word, target word); `forward` comes from the model that writes the target.
    Besides `intersection` and `union`, the methods are:

    - `grow-diag` starts with the intersection and adds neighbors that are in the union, diagonal
      ones included, if at least one of their words has no link yet.
    - `grow-diag-final` then adds the links of `forward`, and after them of `backward`, if at least
      one of their words has no link yet.
    - `grow-diag-final-and` adds these links only if both words have no link yet.

    A link that is added excludes others, so the order matters. It is the order of Moses: by target
    word, then by source word, in rounds until nothing is added; a new link takes part in the same
    round if its turn is still to come. fast_align's `atools` goes through the candidates instead of
    the neighbors of each link, so its links may differ.

    Raises:
        ConfigError: there is no such method.
    """
    check_method(method)
    if method == "intersection":
        return forward & backward
    if method == "union":
        return forward | backward
    growing = _Growing(forward & backward)
    growing.grow(forward | backward)
    if method != "grow-diag":
        for links in (forward, backward):
            growing.finish(links, unlinked=2 if method == "grow-diag-final-and" else 1)
    return frozenset(growing.links)


def soft_links(
    forward: npt.NDArray[np.float32],
    backward: npt.NDArray[np.float32],
    *,
    method: str,
    threshold: float | None = None,
) -> frozenset[Link]:
    """Returns the links of a sentence from the attention weights of two directions.

    `forward` is (target words, source words), from the model that writes the target, and `backward`
    (source words, target words). As the Berkeley aligner does with posteriors (Liang et al. 2006),

    - `soft-intersection` links words if the geometric mean of both weights is at least the
      threshold (the paper compares the product, its square);
    - `soft-union` links words if the arithmetic mean is.

    A word may have several links or none. The default thresholds are in SOFT.

    Raises:
        ConfigError: there is no such method.
    """
    check_method(method, methods=SOFT)
    if method == "soft-intersection":
        means = np.sqrt(forward * backward.T)
    else:
        means = (forward + backward.T) / 2
    return threshold_links(means, SOFT[method] if threshold is None else threshold)


def turned(links: Iterable[Link]) -> frozenset[Link]:
    """Returns links with source and target exchanged."""
    return frozenset((target, source) for source, target in links)


def check_method(name: str, *, methods: Iterable[str] = METHODS) -> None:
    """Checks the name of a method.

    Raises:
        ConfigError: it is none of `methods`.
    """
    if name not in methods:
        raise ConfigError(f"no symmetrization '{name}'; choose one of {', '.join(methods)}")


class _Growing:
    """A growing set of links, and the words that have a link."""

    def __init__(self, links: frozenset[Link]) -> None:
        self.links = set(links)
        self._sources = {source for source, _ in links}
        self._targets = {target for _, target in links}

    def grow(self, union: frozenset[Link]) -> None:
        """Adds neighbors that are in the union, until there are no more to add."""
        ordered, before = _in_order(union), -1
        while before < len(self.links):
            before = len(self.links)
            for source, target in ordered:
                if (source, target) not in self.links:
                    continue
                for down, right in _NEIGHBORS:
                    neighbor = (source + right, target + down)
                    if neighbor in union and self._unlinked(neighbor) >= 1:
                        self._add(neighbor)

    def finish(self, candidates: frozenset[Link], *, unlinked: int) -> None:
        """Adds each candidate of which at least `unlinked` words have no link yet."""
        for link in _in_order(candidates):
            if self._unlinked(link) >= unlinked:
                self._add(link)

    def _unlinked(self, link: Link) -> int:
        return (link[0] not in self._sources) + (link[1] not in self._targets)

    def _add(self, link: Link) -> None:
        self.links.add(link)
        self._sources.add(link[0])
        self._targets.add(link[1])


def _in_order(links: Iterable[Link]) -> list[Link]:
    return sorted(links, key=lambda link: (link[1], link[0]))
