"""IBM model 1: the probabilities with which pieces are translations of each other.

Brown et al. (1993), The mathematics of statistical machine translation, section 4.1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ROUNDS = 5  # of expectation maximization; later ones change few ranks
LINKS = 10_000_000  # that probabilities are learned from at most; a million take 100 MB

TokenPair = tuple[Sequence[int], Sequence[int]]
Table = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Links:
    """All pairs of a target position and a source position of the same sentence."""

    kinds: npt.NDArray[np.int64]  # source piece * target vocabulary + target piece
    words: npt.NDArray[np.int64]  # target position, counted over all sentences
    firsts: npt.NDArray[np.int64]  # the first link of each target position


def pairings(pairs: Iterable[TokenPair], target_size: int) -> Links:
    """Returns the links of the first pairs, about LINKS at most."""
    kinds: list[npt.NDArray[np.int64]] = []
    choices: list[npt.NDArray[np.int64]] = []
    capacity = LINKS
    for source, target in pairs:
        kind = np.asarray(source, np.int64)[None, :] * target_size
        kinds.append((kind + np.asarray(target, np.int64)[:, None]).ravel())
        choices.append(np.full(len(target), len(source)))
        capacity -= len(source) * len(target)
        if capacity <= 0:
            break
    of_words = np.concatenate(choices)
    words = np.repeat(np.arange(len(of_words)), of_words)
    return Links(np.concatenate(kinds), words, np.cumsum(of_words) - of_words)


def model_1(links: Links, target_size: int, rounds: int) -> Table:
    """Returns p(target piece | source piece) of IBM model 1 for all pairs of pieces in the links.

    Each round of expectation maximization divides a target position among the source positions of
    its sentence in proportion to p, and normalizes the sums to the new p (Brown et al. 1993,
    section 4.1). It starts with equal ones. The end of sentence, on both sides, serves as the
    empty word.
    """
    kinds, kind = np.unique(links.kinds, return_inverse=True)
    sources, targets = np.divmod(kinds, target_size)
    chances = np.ones(len(kinds))
    for _ in range(rounds):
        weights = chances[kind]
        totals = np.bincount(links.words, weights)
        expected = np.bincount(kind, weights / totals[links.words])
        chances = expected / np.bincount(sources, expected)[sources]
    return sources, targets, chances
