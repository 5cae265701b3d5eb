"""Symmetrisation: one set of links from those of two directions (Och and Ney 2003).

A model looks for the source of each target word, and never for the target of a source word. A
model of the other direction errs elsewhere: what both say is precise, what either says complete,
and the `grow` methods (Koehn et al. 2003; 2005) lie in between. Where the weights of both are at
hand, and not their links alone, `soft_links` asks how much both give to a link.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from nmt.errors import ConfigError
from nmt.evaluation.alignment import Link, threshold_links

METHODS = ("intersection", "union", "grow-diag", "grow-diag-final", "grow-diag-final-and")

SOFT = {"soft-intersection": 0.3, "soft-union": 0.5}  # methods on weights, and their thresholds

# (target, source) steps to the neighbours of a link, in the order of Moses
_NEIGHBOURS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


def symmetrize(
    forward: frozenset[Link], backward: frozenset[Link], *, method: str = "grow-diag-final-and"
) -> frozenset[Link]:
    """Returns the links of a sentence from those of two directions, as Moses' `symal` does.

    Both are (source word, target word), `forward` of the model that writes the target. The
    methods are METHODS:

    - `grow-diag` begins with the intersection and adds neighbours out of the union, diagonal ones
      included, of which one word or both had no link.
    - `grow-diag-final` then adds each link of `forward`, and after these of `backward`, of which
      one word or both have no link.
    - `grow-diag-final-and` adds those of which both have none.

    A link that is added keeps others out, so the order counts. It is that of Moses: by target
    word, then by source word, in rounds until nothing is added; what is added takes part in the
    same round if its turn is still to come. fast_align's `atools` goes through the candidates, not
    through the neighbours of each link, and may end at other links.

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
    """Returns the links of a sentence from the weights of two directions.

    `forward` is (target words, source words), of the model that writes the target, and `backward`
    (source words, target words). As the Berkeley aligner does with posteriors (Liang et al. 2006),

    - `soft-intersection` links where the geometric mean of both is the threshold or more (they
      compare the product, its square);
    - `soft-union` where the arithmetic mean is.

    A word may have several links or none. The thresholds are those of SOFT, if none is given.

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
    """Returns the links of the other direction."""
    return frozenset((target, source) for source, target in links)


def check_method(name: str, *, methods: Iterable[str] = METHODS) -> None:
    """Checks the name of a method.

    Raises:
        ConfigError: it is none of `methods`.
    """
    if name not in methods:
        raise ConfigError(f"no symmetrization '{name}'; choose one of {', '.join(methods)}")


class _Growing:
    """Links, and the words that they cover."""

    def __init__(self, links: frozenset[Link]) -> None:
        self.links = set(links)
        self._sources = {source for source, _ in links}
        self._targets = {target for _, target in links}

    def grow(self, union: frozenset[Link]) -> None:
        """Adds neighbours out of the union until there are no more to add."""
        ordered, before = _in_order(union), -1
        while before < len(self.links):
            before = len(self.links)
            for source, target in ordered:
                if (source, target) not in self.links:
                    continue
                for down, right in _NEIGHBOURS:
                    neighbour = (source + right, target + down)
                    if neighbour in union and self._unlinked(neighbour) >= 1:
                        self._add(neighbour)

    def finish(self, candidates: frozenset[Link], *, unlinked: int) -> None:
        """Adds each candidate that so many words of its two have no link yet, or more."""
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
