"""The moving average of the parameters: that of a loop, over the updates that were made."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from steps import (
    ADAM,
    GATHERING,
    KEY,
    assert_trees_close,
    batch,
    config,
    fresh,
    gatherer,
    leaves,
    nothing,
    stepper,
)

from nmt.training.step import shard

AVERAGED = {**ADAM, "ema": 0.4}  # with this dropout, a step that most tests here share
DROPOUT = 0.4


def averaged(params, *, decay):
    """Returns the average of the initial parameters and those of each update."""
    average = [leaf.astype(np.float64) for leaf in params[0]]
    for t, update in enumerate(params[1:], start=1):
        at = min(decay, (1 + (t - 1)) / (10 + (t - 1)))  # as TensorFlow counts, from 0
        average = [at * old + (1 - at) * new for old, new in zip(average, update, strict=True)]
    return average


# In the last two of eight updates 0.4 is itself the smaller one; the others show one side each.
@pytest.mark.parametrize(
    "decay",
    [pytest.param(0.05, marks=pytest.mark.slow), 0.4, pytest.param(0.9999, marks=pytest.mark.slow)],
)
def test_it_is_the_average_of_a_loop_and_training_goes_on_as_without(decay):
    settings, without = (config(each, dropout=DROPOUT) for each in ({**ADAM, "ema": decay}, ADAM))
    state, plain = fresh(settings), fresh(without)
    params = [leaves(state.params)]

    for seed in range(8):
        state, _ = stepper(settings)(state, shard(batch(seed=seed)), KEY)
        plain, _ = stepper(without)(plain, shard(batch(seed=seed)), KEY)
        params.append(leaves(state.params))

    for one, other in zip(leaves(state.ema), averaged(params, decay=decay), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)
    assert_trees_close(state.params, plain.params, rtol=1e-5)
    assert plain.ema is None


def test_the_first_average_is_nearly_the_first_update():
    settings = config(AVERAGED, dropout=DROPOUT)
    state = fresh(settings)
    before = leaves(state.ema)

    state, _ = stepper(settings)(state, shard(batch()), KEY)

    for first, after, average in zip(before, leaves(state.params), leaves(state.ema), strict=True):
        np.testing.assert_allclose(average, 0.1 * first + 0.9 * after, rtol=1e-4, atol=1e-7)


def broken(state):
    """Returns a state whose next gradient is not a number."""
    return replace(state, params=jax.tree.map(lambda p: jnp.full_like(p, jnp.nan), state.params))


@pytest.mark.parametrize(
    ("training", "before", "rows", "update"),
    [
        pytest.param(AVERAGED, broken, batch(), True, id="a skipped update"),
        pytest.param(AVERAGED, lambda state: state, batch([]), True, id="a batch of padding"),
        pytest.param(
            GATHERING | AVERAGED, lambda state: state, batch(), False, id="a batch that gathers"
        ),
    ],
)
def test_what_makes_no_update_leaves_the_average_as_it_was(training, before, rows, update):
    settings = config(training, dropout=DROPOUT)
    state = before(fresh(settings))
    state = replace(state, ema=jax.tree.map(lambda leaf: leaf + 1, state.ema))
    average = leaves(jax.tree.map(jnp.copy, state.ema))

    step = gatherer(settings, update=update)
    state, *_ = step(state, nothing(settings), shard(rows), KEY)

    assert_trees_close(state.ema, average, rtol=0, atol=0)


def test_a_checkpoint_has_the_average_as_its_parameters_and_gives_the_state_back():
    settings = config(AVERAGED, dropout=DROPOUT)
    state, _ = stepper(settings)(fresh(settings), shard(batch()), KEY)

    items = state.items()

    assert_trees_close(items["params"], state.ema, rtol=0, atol=0)
    assert not np.array_equal(leaves(items["params"])[0], leaves(state.params)[0])
    restored = fresh(settings).restored(items)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    assert_trees_close(restored, state, rtol=0, atol=0)
