"""Forced decoding: log-probabilities, score and attention of given targets."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nmt import devices
from nmt.config import DecodingConfig, InputShape
from nmt.data.batching import Bucket, pad
from nmt.data.tokenizers import Tokenizers
from nmt.inference.batches import Capacity, sentence_batches
from nmt.inference.compiled import ForcedInputs
from nmt.inference.explanations import explain
from nmt.inference.predictor import Loaded
from nmt.inference.ranking import Ranking


@dataclasses.dataclass(frozen=True)
class Forced:
    """The result for one pair."""

    number: int  # of the pair
    log_probs: npt.NDArray[np.float32]  # of each target piece, natural logarithm
    score: float  # by which a search would rank the target
    matrix: npt.NDArray[np.float32]  # (target pieces, source pieces)

    @property
    def log_prob(self) -> float:
        """The log-probability of the target."""
        return float(self.log_probs.sum(dtype=np.float64))


def force_all(
    loaded: Loaded,
    pairs: Sequence[tuple[Any, Sequence[int]]],
    real: Sequence[int],
    *,
    tokenizers: Tokenizers,
    config: DecodingConfig,
    method: str,
    shape: InputShape | None = None,
) -> Iterator[Forced]:
    """Yields the results for those (source, target) pairs whose numbers are `real`, in any order.

    Sources that are not text have a `shape`.

    Both sides of a pair are padded to one width, so that no more shapes are compiled than for a
    search.
    """
    capacity = Capacity(config.batch, devices=devices.count())
    bos = tokenizers.target.bos
    shared = ForcedInputs(loaded, Ranking.of(config), config.attention_seed)
    widest = [max(map(len, pair)) for pair in pairs]
    for batch in sentence_batches(real, widest, capacity=capacity):
        members = [(pairs[i][0], tokenizers.turned(pairs[i][1])) for i in batch.numbers]
        rows = pad(members, Bucket(batch.size, batch.width, batch.width), shape=shape)
        log_probs, scores, matrices = map(np.asarray, explain(shared, rows, bos=bos, method=method))
        for row, (i, (source, target)) in enumerate(zip(batch.numbers, members, strict=True)):
            order = tokenizers.order(target)
            matrix = matrices[row, : len(target), : len(source)][order]
            yield Forced(i, log_probs[row, : len(target)][order], float(scores[row]), matrix)
