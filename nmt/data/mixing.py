"""Several training corpora in one: how often an epoch reads the pairs of each.

The pairs of all corpora follow one another. The column `corpus`, if there are several, has the
number of each pair's own.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from datasets import Dataset

from nmt.config import DataConfig
from nmt.errors import DataError

Rows = npt.NDArray[np.int64]


def sizes(pairs: Dataset, number: int) -> list[int]:
    """Returns how many of the pairs are of each of `number` corpora."""
    if number == 1:
        return [len(pairs)]
    batches = pairs.with_format("arrow", columns=["corpus"]).iter(batch_size=100_000)
    counts = [np.bincount(table["corpus"].to_numpy(), minlength=number) for table in batches]
    return np.sum(counts, axis=0).tolist()


def weights(sizes: Sequence[int], data: DataConfig) -> list[float]:
    """Returns how often an epoch reads each pair of the corpora, which have these sizes.

    With a temperature T, the pairs of a corpus of size n are read in proportion to n ** (1 / T)
    (Aharoni et al. 2019), and those of the largest one once.

    Raises:
        DataError: an epoch would have less than one pair of a corpus.
    """
    if data.temperature is None:
        chosen = [1.0 if each.weight is None else each.weight for each in data.corpora]
    else:
        exponent = 1 - 1 / data.temperature
        chosen = [(max(sizes) / max(size, 1)) ** exponent for size in sizes]
    for number, (size, weight) in enumerate(zip(sizes, chosen, strict=True)):
        if size * weight < 1:
            raise DataError(
                f"data.train.{number}: an epoch would have less than one pair of this corpus "
                f"({size} pairs with weight {weight:g}); look at the corpus, or raise its weight"
            )
    return chosen


def rows(sizes: Sequence[int], weights: Sequence[float], *, seed: int, epoch: int) -> Rows:
    """Returns the rows of all pairs that an epoch reads, in ascending order.

    A row may occur more than once. The pairs of a corpus are drawn from an endless sequence of
    permutations, of which each epoch reads its part, so a weight of 0.5 reads all of them in two
    epochs. The result depends on the arguments alone.
    """
    found, before = [], 0
    for number, (size, weight) in enumerate(zip(sizes, weights, strict=True)):
        start, end = (int(np.ceil(weight * size * each)) for each in (epoch, epoch + 1))
        for turn in range(start // size, -(-end // size)):
            whole = start <= turn * size < (turn + 1) * size <= end  # its order does not matter
            random = np.random.default_rng([seed, number, turn])
            order = np.arange(size) if whole else random.permutation(size)
            found.append(before + order[max(0, start - turn * size) : end - turn * size])
        before += size
    return np.sort(np.concatenate(found))
