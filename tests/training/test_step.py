"""The compiled step: the same parameters on one device and on two, whole or in parts."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from steps import (
    ADAM,
    BOS,
    GATHERING,
    KEY,
    LENGTHS,
    SGD,
    VOCABULARY,
    assert_trees_close,
    batch,
    config,
    fresh,
    gatherer,
    leaves,
    network,
    nothing,
    stepper,
    trained,
    with_rate_times,
)

from nmt import devices
from nmt.data.batching import Batch
from nmt.training.step import make_eval_step, shard


def forced(graph, params, rows):
    model = nnx.merge(graph, params)
    previous = np.concatenate([np.full((len(rows.target), 1), BOS), rows.target[:, :-1]], axis=1)
    encoded = model.encode(jnp.asarray(rows.source), jnp.asarray(rows.source_lengths))
    return model, *model.teacher_forced(jnp.asarray(previous, jnp.int32), encoded)


def mean_loss(graph, params, rows, *, smoothing=0.0):
    """The mean over the real tokens, which are picked out: without sums, weights or devices."""
    model, readouts, _ = forced(graph, params, rows)
    logits = model.logits(readouts)
    real = np.arange(rows.target.shape[1]) < rows.target_lengths[:, None]
    labels = optax.smooth_labels(jax.nn.one_hot(rows.target[real], VOCABULARY), smoothing)
    return optax.softmax_cross_entropy(logits[real], labels).mean()


OPTIONS = {"plain": {}, "r_drop and ema": {"r_drop": {}, "ema": 0.9}}


def three_steps_with_dropout(options):
    """Parameters after three steps, and their moving averages."""
    settings = config(ADAM | OPTIONS[options], dropout=0.4)
    state, _ = trained(settings, [batch(seed=seed) for seed in range(3)])
    return leaves((state.params, state.ema))


def save_three_steps(path, options):
    """What the process with one device runs."""
    assert devices.count() == 1
    np.savez(path, *three_steps_with_dropout(options))


# That the passes of r_drop drop alike on two devices is tested by its step, too.
@pytest.mark.parametrize(
    "options", ["plain", pytest.param("r_drop and ema", marks=pytest.mark.slow)]
)
def test_two_devices_find_the_parameters_of_one(tmp_path, options):
    flags = os.environ["XLA_FLAGS"].replace("device_count=2", "device_count=1")
    program = "import sys, test_step; test_step.save_three_steps(*sys.argv[1:])"
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "one.npz"), options],
        cwd=Path(__file__).parent,
        env={**os.environ, "XLA_FLAGS": flags},
        check=True,
    )

    assert devices.count() == 2
    found = three_steps_with_dropout(options)

    with np.load(tmp_path / "one.npz") as arrays:
        expected = [arrays[name] for name in arrays.files]
    assert_trees_close(found, expected)


def test_the_gradient_is_that_of_the_mean_over_tokens():
    settings = config(SGD)
    graph, before = nnx.split(network(settings), nnx.Param)
    loss, gradient = jax.jit(
        jax.value_and_grad(lambda params: mean_loss(graph, params, batch(), smoothing=0.3))
    )(before)

    state, [metrics] = trained(settings, [batch()])

    assert_trees_close(jax.tree.map(jnp.subtract, before, state.params), gradient, atol=1e-5)
    np.testing.assert_allclose(metrics.gradient_norm, optax.tree.norm(gradient), rtol=1e-4)
    np.testing.assert_allclose(metrics.sums.loss / metrics.sums.tokens, loss, rtol=1e-5)


def test_links_add_the_cross_entropy_of_the_weights_that_write_each_piece():
    settings = config(
        {**SGD, "label_smoothing": 0.0, "guided_alignment": {"weight": 0.5}},
        train={"path": "unused", "alignments": "unused"},
    )
    places = [[(0, 0), (4, 0), (2, 5)], [(3, 1)], [], [(1, 0)]]  # source and target piece
    links = [np.array(each, np.int32).reshape(-1, 2) for each in places]
    graph, before = nnx.split(network(settings), nnx.Param)

    def loss(params):
        _, _, attended = forced(graph, params, batch())
        cost = 0.0
        for row, linked in enumerate(places):
            for source, piece in linked:
                share = 1 / len([other for _, other in linked if other == piece])
                cost -= share * jnp.log(attended.weights[row, piece, source])
        tokens = sum(target for _, target in LENGTHS)
        return mean_loss(graph, params, batch()) + 0.5 * cost / tokens

    expected, gradient = jax.jit(jax.value_and_grad(loss))(before)

    state, [metrics] = trained(settings, [batch(links=links)])

    assert_trees_close(jax.tree.map(jnp.subtract, before, state.params), gradient, atol=1e-5)
    np.testing.assert_allclose(metrics.sums.loss / metrics.sums.tokens, expected, rtol=1e-5)


def test_accumulated_batches_make_the_update_of_one_batch_of_all_rows():
    settings = config(GATHERING)
    first, second = batch(LENGTHS[:2]), batch(LENGTHS[2:], seed=7)
    sides = zip(first[:4], second[:4], strict=True)
    whole = Batch(*(np.concatenate([one[:2], other[:2]]) for one, other in sides))
    expected, [at_once] = trained(config(ADAM), [whole])

    add, step = gatherer(settings, update=False), gatherer(settings)
    state, gathered, before = add(fresh(settings), nothing(settings), shard(first), KEY)
    state, gathered, updated = step(state, gathered, shard(second), KEY)

    assert_trees_close(state.params, expected.params)
    assert_trees_close(updated.gradient_norm, at_once.gradient_norm)
    assert_trees_close(before.sums + updated.sums, at_once.sums)
    assert (int(state.step), int(state.batches)) == (1, 2)
    assert not any(leaf.any() for leaf in leaves(gathered))  # the next update starts anew


def equations(jaxpr):
    """Yields the operations of a traced program, and those of its parts."""
    for each in jaxpr.eqns:
        yield each
        for inner in jax.extend.core.jaxprs_in_params(each.params):
            yield from equations(inner)


def test_devices_exchange_gradients_once_for_an_update():
    settings = config(GATHERING)
    arguments = fresh(settings), nothing(settings), shard(batch()), KEY
    largest = max(leaf.size for leaf in leaves(fresh(settings).params))

    def exchanged(step):
        """The sizes of all arrays that are added up over the devices."""
        return {
            each.aval.size
            for equation in equations(jax.make_jaxpr(step)(*arguments).jaxpr)
            if "psum" in equation.primitive.name
            for each in equation.invars
        }

    assert exchanged(gatherer(settings, update=False)) == {1}  # losses and numbers of tokens
    assert largest in exchanged(gatherer(settings))


def test_a_batch_that_only_gathers_moves_nothing():
    settings = config(GATHERING)

    state, gathered, metrics = gatherer(settings, update=False)(
        fresh(settings), nothing(settings), shard(batch()), KEY
    )

    before = fresh(settings)
    assert any(leaf.any() for leaf in leaves(gathered.gradient))
    assert_trees_close(state.params, before.params, rtol=0, atol=0)
    assert_trees_close(state.optimizer, before.optimizer, rtol=0, atol=0)
    assert (int(state.step), int(state.batches)) == (0, 1)
    assert metrics.gradient_norm == 0


@pytest.mark.parametrize("training", [ADAM, GATHERING], ids=["at once", "accumulated"])
def test_an_update_that_is_not_finite_is_left_out_and_counted(training):
    settings = config(training)
    step, gathered = gatherer(settings), nothing(settings)
    state, gathered, _ = step(fresh(settings), gathered, shard(batch()), KEY)
    before = jax.tree.map(jnp.copy, state)
    broken = replace(state, params=jax.tree.map(lambda p: jnp.full_like(p, jnp.nan), state.params))

    broken, gathered, first = step(broken, gathered, shard(batch()), KEY)
    broken, gathered, second = step(broken, gathered, shard(batch()), KEY)
    assert np.isnan(first.gradient_norm)
    assert_trees_close(broken.optimizer, before.optimizer, rtol=0, atol=0)
    assert (int(broken.step), int(broken.batches)) == (1, 3)

    mended = replace(broken, params=jax.tree.map(jnp.copy, before.params))
    mended, gathered, third = step(mended, gathered, shard(batch()), KEY)
    assert [int(each.skipped) for each in (first, second, third)] == [1, 2, 2]
    assert [int(each.skipped_in_row) for each in (first, second, third)] == [1, 2, 0]
    assert int(mended.step) == 2
    assert not any(np.isnan(leaf).any() for leaf in leaves(mended))


@pytest.mark.parametrize(
    ("training", "dropout"), [(ADAM, 0.4), (GATHERING, 0.0)], ids=["at once", "accumulated"]
)
def test_a_batch_of_padding_alone_changes_nothing_at_all(training, dropout):
    settings = config(training, dropout=dropout)
    state, gathered = fresh(settings), nothing(settings)
    state, gathered, _ = gatherer(settings)(state, gathered, shard(batch()), KEY)
    if training is GATHERING:
        add = gatherer(settings, update=False)
        state, gathered, _ = add(state, gathered, shard(batch(seed=2)), KEY)
    before = jax.tree.map(jnp.copy, (state, gathered))

    state, gathered, metrics = gatherer(settings)(state, gathered, shard(batch([])), KEY)

    assert_trees_close((state, gathered), before, rtol=0, atol=0)
    assert metrics.sums.tokens == 0


def test_rows_of_padding_change_nothing_even_alone_on_a_device():
    settings = config(ADAM, dropout=0.4)

    state, [metrics] = trained(settings, [batch(rows=8)])

    expected, [without] = trained(settings, [batch()])
    assert_trees_close(state.params, expected.params)
    assert_trees_close(metrics, without)
    assert metrics.sums.tokens == sum(target for _, target in LENGTHS)


@pytest.mark.parametrize(("dropout", "different"), [(0.0, 1), (0.4, 3)])
def test_each_batch_drops_other_components(dropout, different):
    settings = config(ADAM, dropout=dropout)
    state = with_rate_times(0.0, fresh(settings))

    losses = []
    for _ in range(3):
        state, metrics = stepper(settings)(state, shard(batch()), KEY)
        losses.append(float(metrics.sums.loss))

    assert len(set(losses)) == different


def test_the_rate_follows_the_schedule_and_the_cuts_of_validation():
    settings = config(ADAM)
    state = with_rate_times(0.25, fresh(settings))

    rates = []
    for _ in range(3):
        state, metrics = stepper(settings)(state, shard(batch()), KEY)
        rates.append(float(metrics.learning_rate))

    assert rates == pytest.approx([0.01 / 2 / 4, 0.01 / 4, 0.01 / 4])


def test_bfloat16_computes_nearly_the_same_and_keeps_float32_parameters():
    state, [metrics] = trained(config({**ADAM, "dtype": "bfloat16"}), [batch()])

    _, [exact] = trained(config(ADAM), [batch()])
    assert {leaf.dtype for leaf in leaves(state.params)} == {np.dtype(np.float32)}
    assert {leaf.dtype for leaf in leaves(metrics.sums)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(metrics.sums.loss, exact.sums.loss, rtol=0.01)
    assert metrics.sums.loss != exact.sums.loss


def test_the_loss_falls_when_a_batch_is_repeated():
    _, metrics = trained(config(ADAM), [batch()] * 150)

    nll = [float(each.sums.nll / each.sums.tokens) for each in metrics]
    assert nll[0] == pytest.approx(np.log(VOCABULARY), abs=0.5)
    assert nll[-1] < 0.25  # with label smoothing of 0.1, 0.1 would be the best there is


def test_a_step_is_compiled_once_for_each_frame(caplog):
    settings = config(SGD, dropout=0.1)  # of no other test

    with jax.log_compiles():
        trained(settings, [batch()] * 3)

    compiled = [text for text in caplog.messages if text.startswith("Compiling")]
    assert len(compiled) == 1


def test_evaluation_neither_drops_nor_smooths():
    settings = config(SGD, dropout=0.4)
    graph, params = nnx.split(network(settings), nnx.Param)

    sums = make_eval_step(settings, graph, bos=BOS)(params, shard(batch(rows=6)))

    assert sums.loss == sums.nll
    expected = jax.jit(lambda params: mean_loss(graph, params, batch()))(params)
    np.testing.assert_allclose(sums.nll / sums.tokens, expected, rtol=1e-5)


def test_shards_are_the_rows_in_their_order():
    whole = batch(rows=6)

    parts = shard(whole)

    for part, side in zip(parts[:4], whole[:4], strict=True):
        assert part.shape == (2, 3, *side.shape[1:])
        assert [piece.data.shape[0] for piece in part.addressable_shards] == [1, 1]
        np.testing.assert_array_equal(np.concatenate(np.asarray(part)), side)
