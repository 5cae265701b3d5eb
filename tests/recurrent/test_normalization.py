"""Layer normalization of gates: against flax, its gradients, and what it computes in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nmt.recurrent.normalization import normalized

ROWS, GATES, SIZE = 4, 3, 5


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


def _random(*shape):
    return np.random.default_rng(5).normal(1.5, 2.0, size=shape)


def _by_flax(values, gain):
    """The same by flax, gate by gate."""
    norm = nnx.LayerNorm(
        SIZE, epsilon=1e-5, use_bias=False, use_scale=False, use_fast_variance=False,
        param_dtype=values.dtype, rngs=nnx.Rngs(0),
    )  # fmt: skip
    gates = jnp.split(values, GATES, axis=-1), jnp.split(gain, GATES)
    parts = [norm(gate) * jnp.broadcast_to(g, gate.shape) for gate, g in zip(*gates, strict=True)]
    return jnp.concatenate(parts, axis=-1)


@pytest.mark.parametrize("rows", [(), (ROWS,), (2, ROWS)])
def test_values_and_gradients_are_those_of_flax(float64, rows):
    values, gain = _random(*rows, GATES * SIZE), _random(GATES * SIZE)
    weights = np.random.default_rng(6).normal(size=values.shape)

    def total(function):
        def summed(values, gain):
            found = function(values, gain)
            return (found * weights).sum(), found

        return jax.jit(jax.grad(summed, argnums=(0, 1), has_aux=True))

    arrays = jnp.array(values), jnp.array(gain)
    found = total(lambda values, gain: normalized(values, gain, SIZE))(*arrays)
    expected = total(_by_flax)(*arrays)

    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_each_gate_has_its_own_mean_and_variance(float64):
    values = jnp.array([[1.0, 3.0, 100.0, 300.0]])

    found = normalized(values, jnp.array([1.0, 1.0, 2.0, 2.0]), 2)

    np.testing.assert_allclose(found, [[-1, 1, -2, 2]], rtol=1e-5)


def test_a_gate_that_is_nothing_stays_nothing_and_has_a_finite_gradient(float64):
    zeros = jnp.zeros((1, SIZE))

    found, pull_back = jax.vjp(lambda values: normalized(values, jnp.ones(SIZE), SIZE), zeros)

    np.testing.assert_array_equal(found, 0)
    assert np.isfinite(pull_back(jnp.arange(1.0, SIZE + 1)[None])[0]).all()


def test_statistics_of_bfloat16_are_computed_in_float32():
    # In bfloat16, whose significant digits are 8 bits, 256 and 258 are neighbors: a sum of many of
    # them, or their mean 257, would be rounded to a multiple of 2 at best.
    values = jnp.tile(jnp.array([256.0, 258.0], jnp.bfloat16), 50)[None]

    gain = jnp.ones(100, jnp.bfloat16)
    found, pull_back = jax.vjp(lambda values: normalized(values, gain, 100), values)

    assert found.dtype == pull_back(found)[0].dtype == jnp.bfloat16
    np.testing.assert_array_equal(found.astype(jnp.float32), np.tile([-1, 1], 50)[None])
