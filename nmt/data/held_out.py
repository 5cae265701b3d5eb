"""Which pairs of a corpus are held out of training, for validation and test."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nmt.data.cleaning import keys
from nmt.data.texts import Pair
from nmt.errors import DataError


def parts(pairs: Iterable[Pair], sizes: Sequence[int], *, seed: int) -> npt.NDArray[np.int8]:
    """Returns the part of each pair: 0 is training, and the others, from 1 on, are held out.

    Pairs are drawn by chance from those that share no sentence with another pair, so that training
    has no sentence of validation or test; sentences are compared as in `cleaning.keys`. A pair with
    an empty side, or with equal sides, is not drawn. 16 bytes for each pair are in memory.

    Args:
        pairs: the whole corpus.
        sizes: the number of pairs of each part that is held out.
        seed: decides, with the corpus, which pairs are drawn.

    Raises:
        DataError: there are not so many such pairs, or none would be left to train on.
    """
    digests = np.fromiter(_digests(pairs), np.int64).reshape(-1, 2)
    _, where, counts = np.unique(digests, return_inverse=True, return_counts=True)
    alone = np.flatnonzero((counts[where].reshape(-1, 2) == 1).all(axis=1))
    wanted = sum(sizes)
    if len(alone) < wanted:
        remedy = "hold out fewer" if len(alone) else "leave out repeated ones with `nmt clean`"
        raise DataError(
            f"{wanted:,} pairs cannot be held out: of {len(digests):,} pairs, {len(alone):,} share "
            f"no sentence with another one; {remedy}"
        )
    if wanted == len(digests):
        raise DataError(f"no pair of {wanted:,} would be left to train on; hold out fewer")
    drawn = np.random.default_rng(seed).choice(alone, wanted, replace=False)
    found = np.zeros(len(digests), np.int8)
    found[drawn] = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    return found


def _digests(pairs: Iterable[Pair]) -> Iterator[int]:
    """Yields two numbers for each pair, those of its sides; twice the same if one is empty."""
    for pair in pairs:
        found = keys(pair, "either")
        yield from (*found, *found, 0, 0)[:2]
