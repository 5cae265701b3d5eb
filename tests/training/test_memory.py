"""Memory: a batch that does not fit is refused with its size, before training starts."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from members import Second

from nmt import configfile, memory_maps
from nmt.config import DataConfig
from nmt.data.batching import Bucket
from nmt.errors import ConfigError
from nmt.model.seq2seq import build
from nmt.training import memory
from nmt.training.state import init_state

BUCKETS = [Bucket(rows=64, source=10, target=10), Bucket(rows=8, source=90, target=80)]
KEY = jax.random.key(0)


def data(train="unused", **batch):
    return DataConfig(train=train, validation="unused", batch=batch)


@pytest.fixture(scope="module")
def state():
    config = configfile.validate(
        {
            "data": {"train": "unused", "validation": "unused"},
            "model": {
                "embedding_size": 2,
                "encoder": {"hidden_size": 2},
                "decoder": {"hidden_size": 2},
            },
            "training": {"optimizer": "sgd"},
        }
    )
    return init_state(config, build(config.model, source=8, target_size=8, seed=1))


@pytest.mark.parametrize(
    ("budget", "named"),
    [
        ({"sentences": 64}, "data.batch.sentences"),
        ({"tokens": 640}, "batch.tokens"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_with_its_size(state, budget, named):
    def step(state, gathered, batch, key):
        return state, gathered, jnp.zeros((2**25, 2**25))  # four petabytes

    message = (
        r"the largest batch, 8 sentences of 90 source and 80 target pieces, does not fit into "
        rf"memory \(Out of memory allocating \d+ bytes.*\); lower .*{named} and raise"
    )
    with pytest.raises(ConfigError, match=message):
        memory.try_largest(step, state, None, BUCKETS, key=KEY, config=data(**budget))


def test_another_error_stays_what_it_is(state):
    def step(state, gathered, batch, key):
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")

    with pytest.raises(jax.errors.JaxRuntimeError, match="something else"):
        memory.try_largest(step, state, None, BUCKETS, key=KEY, config=data())


def test_what_is_tried_is_the_largest_frame_with_padding_alone(state):
    tried = []

    def step(state, gathered, batch, key):
        tried.append(batch)
        return state, gathered, jnp.zeros(())

    guided = data({"path": "unused", "alignments": "unused"})
    for config in (data(), guided):
        assert memory.try_largest(step, state, None, BUCKETS, key=KEY, config=config) == (
            state,
            None,
        )

    for batch in tried:
        assert (batch.source.shape, batch.target.shape) == ((2, 4, 90), (2, 4, 80))
        assert not batch.source_lengths.any()
        assert not batch.target_lengths.any()
    assert tried[0].links is None
    assert tried[1].links.shape == (2, 4, 80, 90)


def test_each_process_tries_its_own_rows(state):
    def step(state, gathered, batch, key):
        assert batch.source.shape == (2, 2, 90)
        return state, gathered, jnp.zeros(())

    memory.try_largest(step, state, None, BUCKETS, key=KEY, config=data(), processes=Second())


def test_the_peak_grows_by_what_is_held():
    before = memory.peak()

    held = jnp.ones(2**27)  # 512 MiB
    held.block_until_ready()

    assert memory.peak() > 500
    assert memory.peak() >= before
    del held


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux alone counts memory maps")
def test_programs_are_dropped_when_they_have_many_memory_maps(monkeypatch):
    @jax.jit
    def double(number):
        return 2 * number

    double(1.0)
    monkeypatch.setattr(memory_maps, "limit", lambda: 10**9)
    memory.drop_programs()
    assert double._cache_size() == 1

    monkeypatch.setattr(memory_maps, "limit", lambda: 0)
    memory.drop_programs()
    assert double._cache_size() == 0
    assert double(2.0) == 4
