"""The LSTM is held against its equations in NumPy, and against PyTorch's numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import layer_norm, randomised, sides, sigmoid
from flax import nnx

from nmt.config import LSTMConfig
from nmt.recurrent.cell import run
from nmt.recurrent.lstm import LSTM, LSTMState

BATCH, INPUT, HIDDEN = 2, 4, 3


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _step(cell, read, c, x):
    """Returns h' and c' (Gers et al. 2000; Ba et al. 2016), where the matrices read `read` of h."""
    inputs, recurrent = sides(cell, x, read, gates=4)
    biases = np.split(cell["input"]["bias"], 4)
    i, f, g, o = (sum(parts) for parts in zip(inputs, recurrent, biases, strict=True))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    shown = layer_norm(c, cell["memory_gain"]) if cell.get("norm") else c
    return sigmoid(o) * np.tanh(shown), c


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("mask", [None, [[0.0, 2.0, 0.0], [2.0, 2.0, 0.0]]])
def test_a_step_follows_the_equations(mask, layer_norm):
    config = LSTMConfig(layer_norm=layer_norm)
    lstm, cell = randomised(lambda: LSTM(config, INPUT, HIDDEN, rngs=nnx.Rngs(params=0)))
    rng = np.random.default_rng(3)
    h, c = rng.normal(size=(2, BATCH, HIDDEN))
    x = rng.normal(size=(BATCH, INPUT))
    dropped = None if mask is None else jnp.array(mask)

    new = lstm.step(LSTMState(jnp.array(h), jnp.array(c)), lstm.project(jnp.array(x)), dropped)

    for row in range(BATCH):
        read = h[row] if mask is None else h[row] * np.array(mask[row])
        output, memory = _step(cell, read, c[row], x[row])
        np.testing.assert_allclose(new.output[row], output, rtol=1e-12)
        np.testing.assert_allclose(new.memory[row], memory, rtol=1e-12)


# PyTorch 2.14.1, float64: nn.LSTM(2, 2), whose weight_ih_l0 is arange(16) / 10 - 0.7, weight_hh_l0
# 0.5 - arange(16) / 20, bias_ih_l0 arange(8) / 10 and bias_hh_l0 is zero, run over these inputs
# from h = c = [0.1, -0.2].
INPUTS = [[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]]
OUTPUTS = [[0.107013972, 0.016589122], [0.172847204, 0.234018566], [0.274052824, 0.407213508]]


def test_a_run_gives_the_numbers_of_pytorch():
    lstm, _ = randomised(lambda: LSTM(LSTMConfig(), 2, 2, rngs=nnx.Rngs(params=0)))
    lstm.input.kernel[...] = (jnp.arange(16.0).reshape(8, 2) / 10 - 0.7).T
    lstm.recurrent[...] = (0.5 - jnp.arange(16.0).reshape(8, 2) / 20).T
    lstm.input.bias[...] = jnp.arange(8.0) / 10

    found = run(lstm, jnp.array([INPUTS]), lstm.start(jnp.array([[0.1, -0.2]])))

    np.testing.assert_allclose(found[0], OUTPUTS, rtol=1e-7)


def test_the_forget_gate_starts_open_and_no_other_does():
    lstm = LSTM(LSTMConfig(forget_bias=1.5), INPUT, HIDDEN, rngs=nnx.Rngs(params=0))

    bias = np.split(np.asarray(lstm.input.bias[...]), 4)

    np.testing.assert_array_equal(bias, np.repeat([[0.0], [1.5], [0.0], [0.0]], HIDDEN, axis=1))
    for matrix in np.split(np.asarray(lstm.recurrent[...]), 4, axis=1):
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(HIDDEN), atol=1e-6)
