"""Fitting: an aligner is trained further on the very pairs that it is to align.

It learns from text alone, so that this is no cheating: statistical aligners, which have the pairs
in their training text, always do so.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nmt import devices
from nmt.config import BatchConfig, Config, ConstantScheduleConfig, TokenBatchConfig
from nmt.data.batching import PairLengths, choose_buckets, pad, plan_epoch, tokens_needed
from nmt.errors import DataError
from nmt.inference.aligner import Aligner, Ids
from nmt.inference.predictor import LoadedModel
from nmt.training.state import init_state
from nmt.training.step import make_train_step, shard

EPOCHS = 10
SLOWER = 10  # times the learning rate of the training is that of fitting
BUCKETS = 2  # each is compiled anew, which takes longer than some padding


def fitted(aligner: Aligner, config: Config, pairs: Sequence[tuple[str, str]]) -> Aligner:
    """Returns an aligner that has been trained on (source, target) pairs; the given one stays.

    `config` is that of its run. Pairs longer than `data.max_length` are left out.

    Raises:
        DataError: no pair is left.
    """
    loaded = aligner.shared.loaded
    longest = config.data.max_length
    ids = [
        pair
        for pair in aligner.ids(pairs, range(1, len(pairs) + 1))
        if all(1 < len(side) <= longest for side in pair)
    ]
    if not ids:
        raise DataError(
            f"--fit has no pair with words on both sides, of at most {longest} pieces "
            "(data.max_length): leave out --fit"
        )
    settings = _settings(config)
    step = make_train_step(settings, loaded.graph, bos=aligner.tokenizers.target.bos, total_steps=1)
    own = jax.tree.map(jnp.copy, loaded)  # the step is given its buffers
    state = init_state(settings, own.network)
    key = jax.random.key(config.seed)
    for batch in _batches(ids, settings):
        state, *_ = step(state, None, batch, key)
    return aligner.with_model(LoadedModel(state.params, loaded.graph))


def _settings(config: Config) -> Config:
    """Returns the configuration of a short training without a schedule."""
    training = config.training.model_copy(
        update={
            "learning_rate": config.training.learning_rate / SLOWER,
            "schedule": ConstantScheduleConfig(),
            "gradient_accumulation": 1,
            "ema": None,
        }
    )
    return config.model_copy(update={"training": training})


def _batches(ids: Sequence[Ids], config: Config) -> Iterator[Any]:
    """Yields the batches of all epochs, on the devices."""
    lengths = np.array([[len(side) for side in pair] for pair in ids], np.int32)
    buckets = choose_buckets(lengths, _batch(config, lengths), devices=devices.count())
    for epoch in range(EPOCHS):
        for planned in plan_epoch(lengths, buckets, seed=config.seed, epoch=epoch):
            yield shard(pad([ids[pair] for pair in planned.pairs], planned.bucket))


def _batch(config: Config, lengths: PairLengths) -> BatchConfig:
    """Returns the settings of batches, of more tokens than in training if a pair has them."""
    batch = config.data.batch.model_copy(update={"buckets": BUCKETS})
    if not isinstance(batch, TokenBatchConfig):
        return batch
    needed = tokens_needed(lengths, devices=devices.count())
    return batch.model_copy(update={"tokens": max(batch.tokens, needed)})
