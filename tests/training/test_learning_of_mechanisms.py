"""Each mechanism and network learns within seconds to copy or reverse, and attends where it must.

The smallest networks, data and number of compiled programs that cannot do so by chance;
`test_learning.py` has longer sentences, subword pieces, search, and every score.
"""

from functools import partial

import jax
import numpy as np
import pytest
from flax import nnx

from nmt import configfile
from nmt.data.batching import Bucket, pad
from nmt.model.seq2seq import build
from nmt.model.vocabulary import previous_tokens
from nmt.training.loss import cross_entropy
from nmt.training.state import init_state
from nmt.training.step import make_train_step, shard

BOS, EOS, LETTERS = 1, 2, range(3, 11)
LONGEST = 4
STEPS = 120

BAHDANAU, LUONG = {"kind": "bahdanau"}, {"kind": "luong"}
MECHANISMS = {
    "global": ("reverse", LUONG, {"mechanism": "global"}),
    "local_m": ("copy", LUONG, {"mechanism": "local_m", "window": 2, "score": "general"}),
    "local_p": ("reverse", LUONG, {"mechanism": "local_p", "window": 3}),
    "hard, reinforce": ("reverse", LUONG, {"mechanism": "hard"}),
    "hard, gumbel": ("reverse", BAHDANAU, {"mechanism": "hard", "estimator": "gumbel"}),
    "monotonic": ("copy", LUONG, {"mechanism": "monotonic", "score": "normed_additive"}),
    "multi_head": ("reverse", LUONG, {"mechanism": "multi_head", "heads": 2}),
    "linguistic coverage": ("reverse", LUONG, {"coverage": "linguistic"}),
    "neural coverage": ("reverse", BAHDANAU, {"coverage": "neural"}),
}
QUICK = ("global",)  # the others are checked by `make test-slow`
EVERYTHING = [
    pytest.param(name, cell, marks=() if name in QUICK and cell == "gru" else pytest.mark.slow)
    for name, cell in [*((name, "gru") for name in MECHANISMS), ("global", "lstm")]
]

NORMED = {"kind": "gru", "layer_norm": True}
TWO = {"layers": 2, "residual": True}
NETWORKS = {
    "lstm, layer normalization": {"cell": {"kind": "lstm", "layer_norm": True}},
    "deep": {"encoder": {**TWO, "transitions": 2}, "decoder": {**LUONG, **TWO, "transitions": 2}},
    "bideep": {
        "cell": NORMED,
        "encoder": {"kind": "alternating", **TWO, "transitions": 2},
        "decoder": {"kind": "conditional", **TWO, "upper_transitions": 2},
        "dropout": {"rate": 0.0, "recurrent": 0.05, "source_words": 0.02, "target_words": 0.1},
    },
}


def configuration(decoder, attention=None, cell="gru", encoder=None, dropout=0.0):
    return configfile.validate(
        {
            "data": {"train": "unused", "validation": "unused"},
            "model": {
                "embedding_size": 16,
                "cell": cell,
                "encoder": {"hidden_size": 16, **(encoder or {})},
                "decoder": {"hidden_size": 32, **decoder},
                "attention": attention or {"mechanism": "global"},
                "dropout": dropout,
            },
            "training": {
                "learning_rate": 0.02,
                "schedule": {"kind": "cosine", "warmup_steps": 20},
                "label_smoothing": 0.0,
            },
        }
    )


def batch(random, task, *, rows=64):
    """Returns random letters and their copy or reversal, in one bucket."""
    pairs = []
    for length in random.integers(2, LONGEST + 1, size=rows):
        letters = random.choice(LETTERS, size=length)
        target = letters if task == "copy" else letters[::-1]
        pairs.append((np.array([*letters, EOS], np.int32), np.array([*target, EOS], np.int32)))
    return pad(pairs, Bucket(rows, LONGEST + 1, LONGEST + 1))


def trained(config, model, task):
    random, key = np.random.default_rng(0), jax.random.key(0)
    state = init_state(config, model)
    step = make_train_step(config, nnx.graphdef(model), bos=BOS, total_steps=STEPS)
    for _ in range(STEPS):
        state, _, metrics = step(state, None, shard(batch(random, task)), key)
        # Many unfinished steps of two virtual devices can wait for each other for ever.
        jax.block_until_ready(metrics)
    return state.params


@partial(jax.jit, static_argnums=0)
def forced(graph, params, batch):
    """Returns the sums of the loss, and the weights at each target position."""
    model = nnx.merge(graph, params)
    encoded = model.encode(batch.source, batch.source_lengths)
    readouts, attended = model.teacher_forced(previous_tokens(batch.target, BOS), encoded)
    sums, _ = cross_entropy(readouts, *model.output_layer, batch.target, batch.target_lengths)
    return sums, attended.weights


def learned(config, task):
    """Returns the perplexity of unseen pairs after training, and how often it looks right."""
    model = build(config.model, source=11, target_size=11, seed=1)
    params = trained(config, model, task)
    unseen = batch(np.random.default_rng(1), task, rows=200)
    sums, weights = forced(nnx.graphdef(model), params, jax.tree.map(jax.numpy.asarray, unseen))

    looked_at = np.asarray(weights).argmax(axis=-1)
    right = []
    for row, length in enumerate(unseen.target_lengths - 1):
        places = np.arange(length)
        wanted = places if task == "copy" else places[::-1]
        right.extend(looked_at[row, :length] == wanted)
    perplexity = np.exp(sums.nll / sums.tokens)
    print(f"perplexity {perplexity:.3f}, right {np.mean(right):.3f}")
    return perplexity, np.mean(right)


@pytest.mark.parametrize(("name", "cell"), EVERYTHING)
def test_a_mechanism_learns_where_to_look(name, cell):
    task, decoder, attention = MECHANISMS[name]

    perplexity, right = learned(configuration(decoder, attention, cell), task)

    assert perplexity < 1.3  # a guess among eight letters and the end: 9
    assert right > 0.9  # by chance, a fourth


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_where_to_look(name):
    config = configuration(**{"decoder": LUONG, **NETWORKS[name]})

    perplexity, right = learned(config, "reverse")

    assert perplexity < 1.3
    assert right > 0.9
