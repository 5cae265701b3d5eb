"""The compiled step: the same parameters on one device and on two, whole or in parts."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from nmt import config as configuration
from nmt.data.batching import Batch, Shape, pad
from nmt.model.seq2seq import build
from nmt.training.step import device_count, init_state, make_eval_step, make_train_step, shard

VOCABULARY = 11
BOS = 2
# Source and target lengths, so uneven that a mean of the means of two devices would be far off.
LENGTHS = [(5, 6), (4, 6), (1, 1), (2, 1)]


def config(*, dropout=0.0, **training):
    model = {
        "embedding_size": 6,
        "encoder": {"hidden_size": 4},
        "decoder": {"hidden_size": 7},
        "dropout": dropout,
    }
    data = {"train": "unused", "validation": "unused"}
    return configuration.validate({"data": data, "model": model, "training": training})


def network(settings):
    return build(settings.model, source_size=VOCABULARY, target_size=VOCABULARY, seed=3)


def batch(lengths=LENGTHS, *, rows=None, seed=0):
    random = np.random.default_rng(seed)
    pairs = [
        tuple(random.integers(3, VOCABULARY, length).astype(np.int32) for length in pair)
        for pair in lengths
    ]
    return pad(pairs, Shape(rows=rows or len(pairs), source=5, target=6))


def trained(settings, batches, *, kind="update"):
    """Returns the state and the metrics after a step on each batch, the last one an update."""
    model = network(settings)
    graph, key = nnx.graphdef(model), jax.random.key(1)
    state, metrics = init_state(settings, model), []
    for number, each in enumerate(batches, start=1):
        update = kind == "update" or (kind == "accumulate" and number == len(batches))
        step = make_train_step(settings, graph, bos=BOS, total_steps=100, update=update)
        state, last = step(state, shard(each), key)
        metrics.append(last)
    return state, metrics


def leaves(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def assert_trees_close(found, expected, *, rtol=1e-4, atol=1e-6):
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def mean_loss(graph, params, rows, *, smoothing=0.0):
    """The mean over all target tokens, written without sums, devices or masks in the loss."""
    model = nnx.merge(graph, params)
    previous = np.concatenate([np.full((len(rows.target), 1), BOS), rows.target[:, :-1]], axis=1)
    memory = model.encode(jnp.asarray(rows.source), jnp.asarray(rows.source_lengths))
    logits, _ = model.teacher_forced(jnp.asarray(previous, jnp.int32), memory)
    real = np.arange(rows.target.shape[1]) < rows.target_lengths[:, None]
    labels = optax.smooth_labels(jax.nn.one_hot(rows.target[real], VOCABULARY), smoothing)
    return optax.softmax_cross_entropy(logits[real], labels).mean()


def three_steps(*, dropout):
    batches = [batch(seed=seed) for seed in range(3)]
    state, _ = trained(config(dropout=dropout, learning_rate=0.01), batches)
    return leaves(state.params)


def save_three_steps(folder):
    """What the process with one device runs."""
    assert device_count() == 1
    for dropout in (0.0, 0.4):
        np.savez(Path(folder) / f"{dropout}.npz", *three_steps(dropout=dropout))


@pytest.fixture(scope="module")
def of_one_device(tmp_path_factory):
    """The parameters that a process with one device finds after the same three steps."""
    folder = tmp_path_factory.mktemp("one-device")
    subprocess.run(
        [sys.executable, "-c", "import sys, test_step; test_step.save_three_steps(sys.argv[1])"]
        + [str(folder)],
        cwd=Path(__file__).parent,
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=1"},
        check=True,
    )
    return folder


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_two_devices_find_the_parameters_of_one(of_one_device, dropout):
    assert device_count() == 2

    found = three_steps(dropout=dropout)

    with np.load(of_one_device / f"{dropout}.npz") as arrays:
        expected = [arrays[name] for name in arrays.files]
    assert_trees_close(found, expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_gradient_is_that_of_the_mean_over_tokens(smoothing):
    settings = config(optimizer="sgd", learning_rate=1.0, clip_norm=None, label_smoothing=smoothing)
    model = network(settings)
    graph, before = nnx.split(model, nnx.Param)
    expected = jax.grad(lambda params: mean_loss(graph, params, batch(), smoothing=smoothing))(
        before
    )

    state, [metrics] = trained(settings, [batch()])

    assert_trees_close(jax.tree.map(jnp.subtract, before, state.params), expected, atol=1e-5)
    np.testing.assert_allclose(metrics.gradient_norm, optax.tree.norm(expected), rtol=1e-4)
    np.testing.assert_allclose(
        metrics.sums.loss / metrics.sums.tokens,
        mean_loss(graph, before, batch(), smoothing=smoothing),
        rtol=1e-5,
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_accumulated_batches_make_the_update_of_one_batch_of_all_rows(optimizer):
    whole = batch()
    parts = [Batch(*(side[rows] for side in whole)) for rows in (slice(0, 2), slice(2, 4))]
    settings = {"optimizer": optimizer, "learning_rate": 0.1}

    state, metrics = trained(config(accumulate=2, **settings), parts, kind="accumulate")

    expected, [at_once] = trained(config(**settings), [whole])
    assert_trees_close(state.params, expected.params)
    assert_trees_close(metrics[-1].gradient_norm, at_once.gradient_norm)
    assert_trees_close(jax.tree.map(jnp.add, metrics[0].sums, metrics[1].sums), at_once.sums)
    assert metrics[0].gradient_norm == 0
    assert (int(state.step), int(state.batches)) == (1, 2)


def test_after_an_update_gradients_gather_from_zero():
    settings = config(accumulate=2, optimizer="sgd")

    state, _ = trained(settings, [batch(), batch(seed=1)], kind="accumulate")

    assert not any(leaf.any() for leaf in leaves(state.pending))


def test_a_batch_that_only_gathers_moves_nothing():
    settings = config(accumulate=2)

    state, _ = trained(settings, [batch()], kind="gather")

    fresh = init_state(settings, network(settings))
    assert_trees_close(state.params, fresh.params, rtol=0, atol=0)
    assert_trees_close(state.optimizer, fresh.optimizer, rtol=0, atol=0)
    assert (int(state.step), int(state.batches)) == (0, 1)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_rows_of_padding_change_nothing(dropout):
    settings = config(dropout=dropout)

    state, [metrics] = trained(settings, [batch(rows=8)])  # the second device has nothing else

    expected, [without] = trained(settings, [batch()])
    assert_trees_close(state.params, expected.params)
    assert_trees_close(metrics, without)
    assert metrics.sums.tokens == sum(target for _, target in LENGTHS)


def test_each_batch_drops_other_components():
    def losses(dropout):
        settings = config(dropout=dropout, accumulate=3)
        _, metrics = trained(settings, [batch()] * 3, kind="gather")
        return {float(each.sums.loss) for each in metrics}

    assert len(losses(0.0)) == 1
    assert len(losses(0.4)) == 3


def test_the_rate_follows_the_schedule_and_the_cuts_of_validation():
    settings = config(
        learning_rate=0.8, optimizer="sgd", schedule={"kind": "plateau", "warmup_steps": 2}
    )
    model = network(settings)
    step = make_train_step(settings, nnx.graphdef(model), bos=BOS, total_steps=100)
    state = replace(init_state(settings, model), plateau=jnp.asarray(0.25))

    rates = []
    for _ in range(3):
        state, metrics = step(state, shard(batch()), jax.random.key(1))
        rates.append(float(metrics.learning_rate))

    assert rates == pytest.approx([0.1, 0.2, 0.2])


def test_bfloat16_computes_nearly_the_same_and_keeps_float32_parameters():
    state, [metrics] = trained(config(compute_type="bfloat16"), [batch()])

    _, [exact] = trained(config(), [batch()])
    assert {leaf.dtype for leaf in leaves(state.params)} == {np.dtype(np.float32)}
    assert {leaf.dtype for leaf in leaves(metrics)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(metrics.sums.loss, exact.sums.loss, rtol=0.01)
    assert metrics.sums.loss != exact.sums.loss


def test_the_loss_falls_when_a_batch_is_repeated():
    settings = config(learning_rate=0.02, label_smoothing=0.0)

    model = network(settings)
    step = make_train_step(settings, nnx.graphdef(model), bos=BOS, total_steps=100)
    state, sharded, key = init_state(settings, model), shard(batch()), jax.random.key(1)
    losses = []
    for _ in range(60):
        state, metrics = step(state, sharded, key)
        losses.append(float(metrics.sums.loss / metrics.sums.tokens))

    assert losses[0] == pytest.approx(np.log(VOCABULARY), abs=0.5)
    assert losses[-1] < 0.2


def test_evaluation_neither_drops_nor_smooths():
    settings = config(dropout=0.4, label_smoothing=0.3)
    graph, params = nnx.split(network(settings), nnx.Param)

    sums = make_eval_step(settings, graph, bos=BOS)(params, shard(batch(rows=6)))

    assert sums.loss == sums.nll
    np.testing.assert_allclose(sums.nll / sums.tokens, mean_loss(graph, params, batch()), rtol=1e-5)


def test_shards_are_the_rows_in_their_order():
    whole = batch(rows=6)

    parts = shard(whole)

    for part, side in zip(parts, whole, strict=True):
        assert part.shape == (2, 3, *side.shape[1:])
        assert {shard.data.shape[0] for shard in part.addressable_shards} == {1}
        np.testing.assert_array_equal(np.concatenate(np.asarray(part)), side)
