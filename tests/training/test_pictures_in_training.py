"""Training on vectors and pictures: devices, processes and stops find the same parameters."""

import dataclasses

import drawn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from flax import nnx
from members import threads
from steps import BOS, SGD, VOCABULARY, assert_trees_close
from taken import take

from nmt import configfile
from nmt.data import corpora, corpus, tokenizer
from nmt.data.batching import Bucket, pad
from nmt.inference import devices
from nmt.model.build import build_model
from nmt.model.seq2seq import build
from nmt.training.loader import DataLoader
from nmt.training.step import init_state, make_train_step, shard
from nmt.training.trainer import train

LINES = tiny.letters(30, longest=4, seed=3)
CHANGED = {"shift": 2, "brightness": 0.3}


def config(folder, *, run="run", input=(), **training):
    tree = drawn.tree(folder / run, folder, lines=LINES[:26], validation=LINES[26:], input=input)
    tree["training"] |= {"validate_every": 3, "max_epochs": None, **training}
    return configfile.validate(tree)


def loader(config):
    text = corpora.training(config.data).text
    tokenizers = tokenizer.train((), text["target"], config.tokenizer)
    encoded = corpus.encode(text, tokenizers, input=config.data.input)
    pairs, _ = corpus.filter_pairs(encoded, config.data)
    return DataLoader(text, pairs, tokenizers, config)


@pytest.mark.parametrize("kind", ["vectors", "pictures"])
def test_two_devices_make_the_update_of_one(kind):
    assert devices.count() == 2
    given, model = {
        "vectors": ({"kind": "vectors", "size": 5}, {"embedding_size": 4}),
        "pictures": (drawn.INPUT, {**drawn.MODEL, "dropout": 0.0}),
    }[kind]
    data = {"train": "x", "validation": "y", "input": given}
    training = {**SGD, "label_smoothing": 0.0}
    model = {"encoder": {"hidden_size": 4}, "decoder": {"hidden_size": 5}, "dropout": 0.0} | model
    settings = configfile.validate({"data": data, "model": model, "training": training})
    shape = settings.data.input.shape
    network = build(settings.model, source=shape, target_size=VOCABULARY, seed=3)
    random = np.random.default_rng(4)
    lengths = [(5, 6), (4, 6), (1, 1), (2, 1)] if shape.grid is None else [(9, 6), (9, 1)] * 2
    pairs = [
        (
            random.uniform(0, 200, (source, shape.size)).astype(shape.dtype),
            random.integers(3, VOCABULARY, target).astype(np.int32),
        )
        for source, target in lengths
    ]
    rows = pad(pairs, Bucket(4, max(source for source, _ in lengths), 6), shape=shape)
    graph, before = nnx.split(network, nnx.Param)

    def mean_loss(params):
        model = nnx.merge(graph, params)
        previous = np.concatenate([np.full((4, 1), BOS), rows.target[:, :-1]], axis=1)
        encoded = model.encode(jnp.asarray(rows.source), jnp.asarray(rows.source_lengths))
        readouts, _ = model.teacher_forced(jnp.asarray(previous, jnp.int32), encoded)
        log_probs = jax.nn.log_softmax(model.logits(readouts))
        real = np.argwhere(np.arange(6) < rows.target_lengths[:, None])
        return -jnp.mean(jnp.stack([log_probs[i, j, rows.target[i, j]] for i, j in real]))

    gradient = jax.jit(jax.grad(mean_loss))(before)
    step = make_train_step(settings, nnx.graphdef(network), bos=BOS, total_steps=9)
    state, _ = step(init_state(settings, network), shard(rows), jax.random.key(1))

    found = jax.tree.map(jnp.subtract, before, state.params)
    assert_trees_close(found, gradient, rtol=1e-3, atol=2e-5)


def test_processes_read_the_rows_of_one_with_the_same_changes(tmp_path):
    alone = loader(config(tmp_path, input=CHANGED))
    plain = dataclasses.replace(alone, config=config(tmp_path / "plain"))
    number = alone.batches_per_epoch
    whole = take(alone, number)
    parts = [take(dataclasses.replace(alone, processes=each), number) for each in threads(4)]

    for index, (batch, _) in enumerate(whole):
        for side in range(4):
            joined = np.concatenate([part[index][0][side] for part in parts])
            np.testing.assert_array_equal(joined, batch[side])
    assert 0 in [part[-1][0][1].max() for part in parts]  # one has no row of the last batch
    again = take(alone, number, start=whole[1][1])[0]
    np.testing.assert_array_equal(again[0][0], whole[2][0][0])
    for (batch, _), (other, _) in zip(whole, take(plain, number), strict=True):
        assert (batch[0] != other[0]).any()
        np.testing.assert_array_equal(batch[2], other[2])


def test_a_stop_changes_nothing(tmp_path):
    settings = config(tmp_path, input=CHANGED, max_steps=6)
    whole = train(settings)
    first = settings.training.model_copy(update={"max_steps": 3})
    stopped = settings.model_copy(update={"run": str(tmp_path / "stopped")})
    train(stopped.model_copy(update={"training": first}))
    resumed = train(stopped)

    template = init_state(settings, build_model(settings, whole.tokenizers())).items()
    found, expected = (
        [np.asarray(leaf) for leaf in jax.tree.leaves(run.restore("last", template))]
        for run in (resumed, whole)
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.progress("last") == whole.progress("last")
