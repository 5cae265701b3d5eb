"""Training on vectors and pictures: devices and processes find the same parameters."""

import dataclasses

import drawn
import jax
import jax.numpy as jnp
import numpy as np
import tiny
from flax import nnx
from members import threads
from steps import BOS, LENGTHS, SGD, VOCABULARY, assert_trees_close
from taken import take, whole

from nmt import configfile, devices
from nmt.data import corpora, corpus, tokenizer_training
from nmt.data.batching import Bucket, pad
from nmt.model.build import build_model
from nmt.model.seq2seq import build
from nmt.training.loader import DataLoader
from nmt.training.state import init_state
from nmt.training.step import make_train_step, shard
from nmt.training.validation import Validator

LINES = tiny.letters(30, longest=4, seed=3)
MODEL = {
    "embedding_size": 4,
    "encoder": {"hidden_size": 4},
    "decoder": {"hidden_size": 5},
    "dropout": 0.0,
}
TRAINING = {**SGD, "label_smoothing": 0.0}
CHANGED = {"shift": 2, "brightness": 0.3}


def config(folder, *, input=()):
    tree = drawn.tree(folder / "run", folder, lines=LINES[:26], validation=LINES[26:], input=input)
    return configfile.validate(tree)


def loader(config):
    text = corpora.training(config.data).text
    tokenizers = tokenizer_training.train((), text["target"], config.tokenizer)
    encoded = corpus.encode(text, tokenizers, input=config.data.input)
    pairs, _ = corpus.filter_pairs(encoded, config.data)
    return DataLoader(text, pairs, tokenizers, config)


def test_two_devices_make_the_update_of_one():
    assert devices.count() == 2
    data = {"train": "x", "validation": "y", "input": {"kind": "vectors", "size": 5}}
    settings = configfile.validate({"data": data, "model": MODEL, "training": TRAINING})
    shape = settings.data.input.shape
    sizes = {"source": shape, "target_size": VOCABULARY, "seed": 3}
    random = np.random.default_rng(4)
    pairs = [
        (
            random.normal(size=(source, shape.size)).astype(np.float32),
            random.integers(3, VOCABULARY, target).astype(np.int32),
        )
        for source, target in LENGTHS
    ]
    rows = pad(pairs, Bucket(rows=4, source=5, target=6), shape=shape)
    graph, before = nnx.split(build(settings.model, **sizes), nnx.Param)

    def mean_loss(params):
        model = nnx.merge(graph, params)
        previous = np.concatenate([np.full((4, 1), BOS), rows.target[:, :-1]], axis=1)
        encoded = model.encode(jnp.asarray(rows.source), jnp.asarray(rows.source_lengths))
        readouts, _ = model.teacher_forced(jnp.asarray(previous, jnp.int32), encoded)
        log_probs = jax.nn.log_softmax(model.logits(readouts))
        real = np.argwhere(np.arange(6) < rows.target_lengths[:, None])
        return -jnp.mean(jnp.stack([log_probs[i, j, rows.target[i, j]] for i, j in real]))

    gradient = jax.jit(jax.grad(mean_loss))(before)
    step = make_train_step(settings, graph, bos=BOS, total_steps=9)
    fresh = init_state(settings, build(settings.model, **sizes))
    state, *_ = step(fresh, None, shard(rows), jax.random.key(1))

    found = jax.tree.map(jnp.subtract, before, state.params)
    assert_trees_close(found, gradient, atol=1e-5)


def test_processes_read_the_rows_of_one_with_the_same_changes(tmp_path):
    alone = loader(config(tmp_path, input=CHANGED))
    plain = dataclasses.replace(alone, config=config(tmp_path / "plain"))
    number = alone.batches_per_epoch
    every = take(alone, number)
    parts = [take(dataclasses.replace(alone, processes=each), number) for each in threads(4)]

    for index, (batch, _) in enumerate(every):
        for side in range(4):
            joined = np.concatenate([part[index][0][side] for part in parts])
            np.testing.assert_array_equal(joined, batch[side])
    lengths = [batch[1].max() for part in parts for batch, _ in part]
    assert 0 in lengths  # one has no row of the smallest batch
    again = take(alone, number, start=every[1][1])[0]
    np.testing.assert_array_equal(again[0][0], every[2][0][0])
    for (batch, _), (other, _) in zip(every, take(plain, number), strict=True):
        assert (batch[0] != other[0]).any()
        np.testing.assert_array_equal(batch[2], other[2])


def test_pictures_of_validation_stay_as_they_are(tmp_path):
    plain, changing = config(tmp_path / "plain"), config(tmp_path / "changed", input=CHANGED)
    tokenizers = loader(plain).tokenizers
    graph = nnx.graphdef(build_model(plain, tokenizers))
    found = []
    for each in (plain, changing):
        text = corpora.held_out(each.data, "validation")
        validator = Validator(text, graph, tokenizers=tokenizers, config=each)
        found.append([whole(batch)[0] for batch in validator.batches])

    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
