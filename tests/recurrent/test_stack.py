"""A stack of any cell: one step, a run, and where it starts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import affine, compiled, randomised
from flax import nnx

from nmt.config import DropoutConfig, GRUConfig, LSTMConfig
from nmt.recurrent.stack import Stack

BATCH, LENGTH, INPUT, HIDDEN, SUMMARY = 2, 4, 5, 3, 6
CELLS = [GRUConfig(), LSTMConfig()]


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _random(*shape):
    return jnp.array(np.random.default_rng(3).normal(size=shape))


def _built(config, layers, *, transitions=1, **options):
    def build():
        rngs = nnx.Rngs(params=0)
        return Stack(
            config,
            INPUT,
            HIDDEN,
            depths=[transitions] * layers,
            summary_size=SUMMARY,
            rngs=rngs,
            **options,
        )

    return randomised(build)


@pytest.mark.parametrize("config", CELLS, ids=lambda each: each.kind)
@pytest.mark.parametrize("transitions", [1, 2])
@pytest.mark.parametrize(("layers", "residual"), [(1, False), (3, False), (3, True)])
def test_a_run_is_the_repeated_step_of_cells_that_read_those_below(
    config, layers, residual, transitions
):
    stack, _ = _built(config, layers, residual=residual, transitions=transitions)
    inputs, summary = _random(BATCH, LENGTH, INPUT), _random(BATCH, SUMMARY)
    keys = [jax.random.split(jax.random.key(layer), BATCH) for layer in range(2 * layers - 1)]
    masks = stack.dropout_masks(keys, DropoutConfig(rate=0.5, recurrent=0.4), jnp.dtype("float64"))

    found = compiled(Stack.run)(stack, inputs, stack.start(summary), masks)

    states, cells = stack.start(summary), list(stack.cells)
    by_hand = list(states)
    for position in range(LENGTH):
        states = stack.step(states, stack.project(inputs[:, position]), masks)
        output = inputs[:, position]
        for layer, cell in enumerate(cells):
            below = output * masks.below[layer - 1] if layer else output
            by_hand[layer] = cell.step(by_hand[layer], cell.project(below), masks.recurrent[layer])
            new = cell.output(by_hand[layer])
            output = new + output if residual and layer else new
        np.testing.assert_allclose(stack.output(states), output, rtol=1e-12)
        np.testing.assert_allclose(found[:, position], output, rtol=1e-12)


@pytest.mark.parametrize("config", CELLS, ids=lambda each: each.kind)
def test_each_layer_starts_from_its_own_view_of_the_summary(config):
    stack, parameters = _built(config, 2)
    summary = _random(BATCH, SUMMARY)

    states = stack.start(summary)

    layers = zip(parameters["initial"].values(), stack.cells, states, strict=True)
    for layer, cell, state in layers:
        for row in range(BATCH):
            expected = np.tanh(affine(layer, np.asarray(summary[row])))
            np.testing.assert_allclose(cell.output(state)[row], expected, rtol=1e-12)


def test_the_bottom_layer_takes_more_inputs_in_terms_of_its_gates():
    stack, _ = _built(LSTMConfig(), 2)

    assert stack.gates == stack.project(_random(BATCH, INPUT)).shape[-1] == 4 * HIDDEN
