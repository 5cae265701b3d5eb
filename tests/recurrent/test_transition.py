"""Deep transitions: held against the equations, one cell after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import gru_step, randomised
from flax import nnx

from nmt.config import GRUConfig, LSTMConfig
from nmt.recurrent.cell import run
from nmt.recurrent.gru import GRU
from nmt.recurrent.lstm import LSTM
from nmt.recurrent.transition import DeepTransition, build

BATCH, LENGTH, INPUT, HIDDEN = 2, 4, 5, 3
NOTHING = np.zeros(0)


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _random(*shape):
    return np.random.default_rng(3).normal(size=shape)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("transitions", [2, 4])
@pytest.mark.parametrize("mask", [None, [0.0, 2.0, 2.0]])
def test_the_first_cell_reads_the_input_and_the_others_the_state_alone(
    transitions, layer_norm, mask
):
    config = GRUConfig(layer_norm=layer_norm)
    cell, parameters = randomised(
        lambda: build(config, INPUT, HIDDEN, transitions=transitions, rngs=nnx.Rngs(params=0))
    )
    initial, inputs = _random(BATCH, HIDDEN), _random(BATCH, LENGTH, INPUT)
    dropped = None if mask is None else jnp.array([mask] * BATCH)

    found = run(cell, jnp.array(inputs), jnp.array(initial), dropout=dropped)

    for row in range(BATCH):
        s = initial[row]
        for position in range(LENGTH):
            for number, each in parameters["cells"].items():
                x = NOTHING if number else inputs[row, position]
                s = gru_step(each, s, x, 1 if mask is None else np.array(mask))
            np.testing.assert_allclose(found[row, position], s, rtol=1e-12)


def test_an_lstm_hands_its_memory_on_from_cell_to_cell():
    cell, _ = randomised(
        lambda: build(LSTMConfig(), INPUT, HIDDEN, transitions=2, rngs=nnx.Rngs(params=0))
    )
    state, inputs = cell.start(jnp.array(_random(BATCH, HIDDEN))), jnp.array(_random(BATCH, INPUT))

    found = cell.step(state, cell.project(inputs))

    first, second = cell.cells
    between = first.step(state, first.project(inputs))
    expected = second.step(between, second.project(jnp.zeros((BATCH, 0))))
    np.testing.assert_array_equal(found.output, expected.output)
    np.testing.assert_array_equal(found.memory, expected.memory)
    assert (np.abs(found.memory - between.memory) > 0.01).any()


@pytest.mark.parametrize(("config", "kind"), [(GRUConfig(), GRU), (LSTMConfig(), LSTM)])
def test_a_fresh_transition_has_no_input_and_one_is_the_cell_itself(config, kind):
    one = build(config, INPUT, HIDDEN, transitions=1, rngs=nnx.Rngs(params=0))
    two = build(config, INPUT, HIDDEN, transitions=2, rngs=nnx.Rngs(params=0))

    assert type(one) is kind
    assert isinstance(two, DeepTransition)
    assert [cell.input.kernel.shape[0] for cell in two.cells] == [INPUT, 0]
    for each in two.cells:
        for matrix in np.split(np.asarray(each.recurrent[...]), config.matrices, axis=1):
            np.testing.assert_allclose(matrix.T @ matrix, np.eye(HIDDEN), atol=1e-6)
