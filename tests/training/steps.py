"""Compiled steps of a tiny network, and batches for them."""

from dataclasses import replace
from functools import cache

import jax
import numpy as np
from flax import nnx

from nmt import configfile
from nmt.data.batching import Bucket, pad
from nmt.model.seq2seq import build
from nmt.training.state import Gathered, init_state
from nmt.training.step import make_train_step, shard

VOCABULARY = 11
BOS = 2
# Source and target lengths, so uneven that a mean of the means of two devices would be far off.
LENGTHS = [(5, 6), (4, 6), (1, 1), (2, 1)]
KEY = jax.random.key(1)

# Compiling a step takes seconds: the tests share the steps of a few settings.
ADAM = {"learning_rate": 0.01, "schedule": {"kind": "plateau", "warmup_steps": 2}}
SGD = {"optimizer": "sgd", "learning_rate": 1.0, "clip_norm": None, "label_smoothing": 0.3}
GATHERING = {**ADAM, "gradient_accumulation": 2}


def config(training, *, dropout=0.0, train="unused", **model):
    model = {
        "embedding_size": 6,
        "encoder": {"hidden_size": 4},
        "decoder": {"hidden_size": 7},
        "dropout": dropout,
        **model,
    }
    data = {"train": train, "validation": "unused"}
    return configfile.validate({"data": data, "model": model, "training": training})


def network(settings):
    return build(settings.model, source=VOCABULARY, target_size=VOCABULARY, seed=3)


def fresh(settings):
    return init_state(settings, network(settings))


def stepper(settings):
    """Returns a step `(state, batch, key) -> (state, metrics)`: each batch makes an update."""

    def step(state, rows, key):
        state, _, metrics = gatherer(settings)(state, None, rows, key)
        return state, metrics

    return step


def gatherer(settings, *, update=True):
    return _stepper(settings.model_dump_json(), update)


def nothing(settings):
    return Gathered.nothing(settings, fresh(settings).params)


@cache
def _stepper(dumped, update):
    settings = configfile.Config.model_validate_json(dumped)
    graph = nnx.graphdef(network(settings))
    return make_train_step(settings, graph, bos=BOS, total_steps=100, update=update)


def batch(lengths=LENGTHS, *, rows=4, seed=0, links=None):
    random = np.random.default_rng(seed)
    pairs = [
        tuple(random.integers(3, VOCABULARY, length).astype(np.int32) for length in pair)
        for pair in lengths
    ]
    return pad(pairs, Bucket(rows=rows, source=5, target=6), links=links)


def trained(settings, batches):
    """Returns the state after an update on each batch, and the metrics of each."""
    step, state, metrics = stepper(settings), fresh(settings), []
    for each in batches:
        state, last = step(state, shard(each), KEY)
        metrics.append(last)
    return state, metrics


def with_rate_times(factor, state):
    return replace(state, lr_scale=state.lr_scale * factor)


def leaves(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def assert_trees_close(found, expected, *, rtol=1e-4, atol=1e-6):
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)
