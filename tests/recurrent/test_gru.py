"""The cell is held against its equations in NumPy, and against flax's own GRU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import gru_states, gru_step, randomised
from flax import nnx

from nmt.config import GRUConfig
from nmt.recurrent.cell import run
from nmt.recurrent.gru import GRU

BATCH, LENGTH, INPUT, HIDDEN = 2, 5, 4, 3


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=[False, True], ids=["plain", "layer_norm"])
def gru(request):
    config = GRUConfig(layer_norm=request.param)
    return randomised(lambda: GRU(config, INPUT, HIDDEN, rngs=nnx.Rngs(params=0)))


def _random(*shape):
    return np.random.default_rng(3).normal(size=shape)


def test_a_step_follows_the_equations(gru):
    gru, cell = gru
    states, inputs = _random(BATCH, HIDDEN), _random(BATCH, INPUT)

    new = gru.step(jnp.array(states), gru.project(jnp.array(inputs)))

    expected = [gru_step(cell, s, x) for s, x in zip(states, inputs, strict=True)]
    np.testing.assert_allclose(new, expected, rtol=1e-12)


def test_recurrent_dropout_is_of_what_the_matrices_read_and_not_of_what_is_carried_on(gru):
    gru, cell = gru
    states, inputs = _random(BATCH, HIDDEN), _random(BATCH, INPUT)
    mask = np.array([[0.0, 2.0, 0.0], [2.0, 2.0, 0.0]])

    new = gru.step(jnp.array(states), gru.project(jnp.array(inputs)), jnp.array(mask))

    expected = [gru_step(cell, s, x, m) for s, x, m in zip(states, inputs, mask, strict=True)]
    np.testing.assert_allclose(new, expected, rtol=1e-12)


def test_a_step_is_that_of_flax_with_the_update_gate_turned_round():
    gru, cell = randomised(lambda: GRU(GRUConfig(), INPUT, HIDDEN, rngs=nnx.Rngs(params=0)))
    gru.proposal_bias[...] = jnp.zeros(HIDDEN)  # flax has no bias on the state's side
    turned = np.repeat([1.0, -1.0, 1.0], HIDDEN)  # 1 - sigmoid(x) = sigmoid(-x)
    flax = nnx.GRUCell(INPUT, HIDDEN, param_dtype=jnp.float64, rngs=nnx.Rngs(params=0))
    flax.dense_i.kernel[...] = jnp.array(cell["input"]["kernel"] * turned)
    flax.dense_i.bias[...] = jnp.array(cell["input"]["bias"] * turned)
    flax.dense_h.kernel[...] = jnp.array(cell["recurrent"] * turned)
    states, inputs = jnp.array(_random(BATCH, HIDDEN)), jnp.array(_random(BATCH, INPUT))

    new = gru.step(states, gru.project(inputs))

    expected, _ = flax(states, inputs)
    np.testing.assert_allclose(new, expected, rtol=1e-12)


def test_a_run_gives_the_state_after_each_input(gru):
    gru, cell = gru
    initial, inputs = _random(BATCH, HIDDEN), _random(BATCH, LENGTH, INPUT)

    states = run(gru, jnp.array(inputs), jnp.array(initial))

    expected = [gru_states(cell, s, xs) for s, xs in zip(initial, inputs, strict=True)]
    np.testing.assert_allclose(states, expected, rtol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_where_the_mask_is_false_the_state_stays_as_it_was(gru, reverse):
    gru, cell = gru
    initial, inputs = _random(BATCH, HIDDEN), _random(BATCH, LENGTH, INPUT)
    mask = np.array([[True, True, False, True, False], [False, False, True, True, True]])

    states = run(gru, jnp.array(inputs), jnp.array(initial), mask=jnp.array(mask), reverse=reverse)

    order = range(LENGTH - 1, -1, -1) if reverse else range(LENGTH)
    for row in range(BATCH):
        state = initial[row]
        for position in order:
            if mask[row, position]:
                state = gru_step(cell, state, inputs[row, position])
            np.testing.assert_allclose(states[row, position], state, rtol=1e-12)


def test_the_three_recurrent_matrices_start_orthogonal_and_different():
    gru = GRU(GRUConfig(), INPUT, HIDDEN, rngs=nnx.Rngs(params=0))

    matrices = np.split(np.asarray(gru.recurrent[...]), 3, axis=1)

    for matrix in matrices:
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(HIDDEN), atol=1e-6)
    assert not np.allclose(matrices[0], matrices[1])
    assert not np.allclose(matrices[1], matrices[2])
