"""Forced decoding: what a model says of targets that are given."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nmt.config import DecodingConfig
from nmt.data.batching import Sentence, Shape, pad
from nmt.decoding import devices
from nmt.decoding.explanations import explain
from nmt.decoding.lots import Room, lots
from nmt.decoding.predictor import LoadedModel
from nmt.decoding.programs import Scorer
from nmt.decoding.ranking import Ranking


@dataclasses.dataclass(frozen=True)
class Forced:
    """What a model says of one pair."""

    number: int  # of the pair
    log_prob: float  # of the target, natural logarithm
    score: float  # what a search would rank the target by
    matrix: npt.NDArray[np.float32]  # (target pieces, source pieces)


def force_all(
    loaded: LoadedModel,
    pairs: Sequence[tuple[Sentence, Sentence]],
    real: Sequence[int],
    *,
    bos: int,
    config: DecodingConfig,
    method: str,
) -> Iterator[Forced]:
    """Yields what the model says of the (source, target) pairs whose numbers are `real`.

    They come in no order that means anything. Both sides of a pair are padded to one width, so
    that no more programs are compiled than for a search.
    """
    room = Room(config.batch, devices=devices.count())
    shared = Scorer(loaded, Ranking.of(config), config.draw)
    widest = [max(map(len, pair)) for pair in pairs]
    for lot in lots(real, widest, room=room):
        batch = [pairs[i] for i in lot.numbers]
        rows = pad(batch, Shape(lot.size, lot.width, lot.width))
        found = explain(shared, rows, bos=bos, method=method)
        log_probs, scores, matrices = (np.asarray(each) for each in found)
        for row, (i, (source, target)) in enumerate(zip(lot.numbers, batch, strict=True)):
            matrix = np.array(matrices[row, : len(target), : len(source)])
            yield Forced(i, float(log_probs[row]), float(scores[row]), matrix)
