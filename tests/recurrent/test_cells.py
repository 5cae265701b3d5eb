"""What every cell promises, whatever its equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import randomised
from flax import nnx

from nmt.config import ModelConfig
from nmt.config.place import Place
from nmt.recurrent.cell import Cell, run
from nmt.recurrent.transition import build

BATCH, LENGTH, INPUT, HIDDEN = 2, 5, 4, 3
CELLS = Place.of(ModelConfig.model_fields["cell"]).names


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


VARIANTS = {
    f"{kind}{', layer_norm' if norm else ''}, {transitions} transitions": (
        section(**({"layer_norm": True} if norm else {})),
        transitions,
    )
    for kind, section in CELLS.items()
    for norm in (False, True)
    for transitions in (1, 3)
    if "layer_norm" in section.model_fields or not norm
}


def _built(config, transitions):
    return build(config, INPUT, HIDDEN, transitions=transitions, rngs=nnx.Rngs(params=0))


@pytest.fixture(params=VARIANTS)
def cell(request):
    return randomised(lambda: _built(*VARIANTS[request.param]))[0]


def _random(*shape):
    return jnp.array(np.random.default_rng(3).normal(size=shape))


def _outputs(cell, inputs, start, mask=None):
    """What one step after the other puts out, for one row."""
    state, found = cell.start(start), []
    for x in inputs:
        state = cell.step(state, cell.project(x), mask)
        found.append(cell.output(state))
    return found


def test_it_is_a_cell_and_tells_its_sizes(cell):
    assert isinstance(cell, Cell)
    assert cell.hidden_size == HIDDEN
    assert cell.project(_random(BATCH, INPUT)).shape == (BATCH, cell.gates)
    assert cell.output(cell.start(_random(BATCH, HIDDEN))).shape == (BATCH, HIDDEN)


def test_a_start_puts_out_what_it_was_made_of(cell):
    wanted = _random(BATCH, HIDDEN)

    np.testing.assert_array_equal(cell.output(cell.start(wanted)), wanted)


def test_rows_do_not_know_of_each_other_and_may_have_any_axes(cell):
    states, inputs = _random(6, HIDDEN), _random(6, INPUT)

    together = cell.output(cell.step(cell.start(states), cell.project(inputs)))
    folded = cell.start(states.reshape(2, 3, HIDDEN)), cell.project(inputs.reshape(2, 3, INPUT))

    np.testing.assert_allclose(
        cell.output(cell.step(*folded)), together.reshape(2, 3, HIDDEN), rtol=1e-12
    )
    for row in range(6):
        np.testing.assert_allclose(
            _outputs(cell, inputs[row : row + 1], states[row])[0], together[row], rtol=1e-12
        )


@pytest.mark.parametrize("reverse", [False, True])
def test_a_run_is_the_repeated_step_and_stays_as_it_was_where_the_mask_is_false(cell, reverse):
    start, inputs = _random(BATCH, HIDDEN), _random(BATCH, LENGTH, INPUT)
    mask = np.array([[True, True, False, True, False], [False, False, True, True, True]])

    found = run(cell, inputs, cell.start(start), mask=jnp.array(mask), reverse=reverse)

    order = range(LENGTH - 1, -1, -1) if reverse else range(LENGTH)
    for row in range(BATCH):
        real = [position for position in order if mask[row, position]]
        outputs = iter(_outputs(cell, inputs[row][jnp.array(real)], start[row]))
        expected = start[row]
        for position in order:
            expected = next(outputs) if mask[row, position] else expected
            np.testing.assert_allclose(found[row, position], expected, rtol=1e-12)


def test_a_run_drops_the_same_components_of_each_state(cell):
    start, inputs = _random(BATCH, HIDDEN), _random(BATCH, LENGTH, INPUT)
    mask = jnp.array([[0.0, 2.0, 2.0], [2.0, 0.0, 0.0]])

    found = run(cell, inputs, cell.start(start), dropout=mask)
    whole = run(cell, inputs, cell.start(start), dropout=jnp.ones_like(mask))

    for row in range(BATCH):
        expected = _outputs(cell, inputs[row], start[row], mask[row])
        np.testing.assert_allclose(found[row], expected, rtol=1e-12)
    assert (np.abs(found - whole).max(axis=(1, 2)) > 1e-3).all()
    np.testing.assert_allclose(whole, run(cell, inputs, cell.start(start)), rtol=1e-12)


def test_a_run_without_a_mask_reads_all(cell):
    start, inputs = _random(BATCH, HIDDEN), _random(BATCH, LENGTH, INPUT)

    found = run(cell, inputs, cell.start(start))

    for row in range(BATCH):
        np.testing.assert_allclose(found[row], _outputs(cell, inputs[row], start[row]), rtol=1e-12)


def test_a_cell_computes_in_the_type_of_its_inputs(cell):
    graph, params = nnx.split(cell)
    narrow = nnx.merge(graph, jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), params))

    def step(start, inputs, mask):
        state = narrow.step(narrow.start(start), narrow.project(inputs), mask)
        return jax.tree.leaves(state)

    arrays = [jnp.ones((BATCH, size), jnp.bfloat16) for size in (HIDDEN, INPUT, HIDDEN)]
    leaves = jax.eval_shape(step, *arrays)

    assert {leaf.dtype.name for leaf in leaves} == {"bfloat16"}
