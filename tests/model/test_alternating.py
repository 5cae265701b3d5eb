"""The alternating encoder is held against its equations in NumPy, one sentence at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import compiled, gru_states, randomised
from flax import nnx

from nmt.config import AlternatingConfig, DropoutConfig, GRUConfig, InputShape

BATCH, SRC, INPUT, HIDDEN = 3, 5, 4, 3
LENGTHS = np.array([5, 3, 1])


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _encoder(depth, *, residual=False, **rates):
    config = AlternatingConfig(hidden_size=HIDDEN, layers=depth, residual=residual)
    given = DropoutConfig(**{"rate": 0.0, **rates})
    return randomised(
        lambda: config.build(GRUConfig(), InputShape(INPUT), rates=given, rngs=nnx.Rngs(params=0))
    )


@compiled
def _run(encoder, inputs, mask, keys=None):
    return encoder(inputs, mask, dropout_keys=keys)


INPUTS = np.random.default_rng(4).normal(size=(BATCH, SRC, INPUT))
MASK = jnp.array(np.arange(SRC) < LENGTHS[:, None])


def _column(cells, inputs, *, backward, residual):
    below = None
    for cell in cells.values():
        turned = inputs[::-1] if backward else inputs
        states = gru_states(cell, np.zeros(HIDDEN), turned)
        states = np.array(states[::-1] if backward else states)
        below = states + below if residual and below is not None else states
        inputs, backward = below, not backward
    return below


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("layers", [2, 3])
def test_annotations_and_summary_follow_the_equations(layers, residual):
    encoder, parameters = _encoder(layers, residual=residual)

    annotations, _, summary = _run(encoder, jnp.array(INPUTS), MASK)

    for row, length in enumerate(LENGTHS):
        expected = np.concatenate(
            [
                _column(cells, INPUTS[row, :length], backward=backward, residual=residual)
                for cells, backward in zip(
                    parameters["columns"].values(), (False, True), strict=True
                )
            ],
            axis=1,
        )
        np.testing.assert_allclose(annotations[row, :length], expected, rtol=1e-12)
        np.testing.assert_array_equal(annotations[row, length:], 0)
        np.testing.assert_allclose(summary[row], expected.mean(axis=0), rtol=1e-12)


def test_dropout_takes_the_same_components_from_all_annotations_and_the_summary():
    encoder, _ = _encoder(2, annotations=0.5)
    before = _run(encoder, jnp.array(INPUTS), MASK)

    after = _run(encoder, jnp.array(INPUTS), MASK, jax.random.split(jax.random.key(0), BATCH))

    factors = after.summary / before.summary
    np.testing.assert_allclose(
        after.annotations, before.annotations * factors[:, None, :], rtol=1e-12
    )
    assert {0.0, 2.0} == set(np.round(np.asarray(factors).ravel(), 12))


@pytest.mark.parametrize("place", ["layers", "recurrent"])
def test_a_rate_inside_of_the_columns_changes_both(place):
    encoder, _ = _encoder(2, **{place: 0.5})
    before = _run(encoder, jnp.array(INPUTS), MASK)

    after = _run(encoder, jnp.array(INPUTS), MASK, jax.random.split(jax.random.key(0), BATCH))

    changed = np.asarray(after.annotations != before.annotations)[0]
    assert changed[:, :HIDDEN].any()
    assert changed[:, HIDDEN:].any()
