"""Doubly stochastic attention against a loop over equation 14 of Xu et al. (2015)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmt import configfile
from nmt.errors import ConfigError
from nmt.training.doubly_stochastic import squares

SOURCES, TARGETS = np.array([4, 2, 4]), np.array([5, 3, 0])


def _weights():
    """Weights that sum to one over the real positions of each sentence, on padding too."""
    weights = np.random.default_rng(0).dirichlet(np.ones(4), size=(3, 5))
    weights[1, :, 2:] = 0
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def _looped(weights):
    total = 0.0
    for row, (positions, steps) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        for i in range(positions if steps else 0):
            total += (1 - sum(weights[row, t, i] for t in range(steps))) ** 2
    return total


def test_the_cost_is_that_of_a_loop_over_sentences_positions_and_steps():
    found = squares(jnp.array(_weights()), jnp.array(SOURCES), jnp.array(TARGETS))

    np.testing.assert_allclose(found, _looped(_weights()), rtol=1e-5)


def test_it_is_zero_if_each_position_is_attended_to_once_and_its_gradient_leads_there():
    once = jnp.array(np.eye(4, dtype=np.float32)[None, [2, 0, 3, 1]])
    lengths = jnp.array([4])

    assert squares(once, lengths, lengths) == 0
    gradient = jax.grad(squares)(jnp.array(_weights()), jnp.array(SOURCES), jnp.array(TARGETS))

    attended = np.array([_weights()[0].sum(axis=0)] * 5)
    np.testing.assert_allclose(gradient[0], -2 * (1 - attended), rtol=1e-4, atol=1e-5)
    assert not gradient[1, 3:].any()
    assert not gradient[2].any()


@pytest.mark.parametrize("mechanism", ["uniform", "none"])
def test_attention_without_weights_that_are_learnt_is_refused(mechanism):
    tree = {
        "data": {"train": "train", "validation": "val"},
        "model": {"attention": mechanism},
        "training": {"doubly_stochastic": {}},
    }

    with pytest.raises(
        ConfigError,
        match="`training.doubly_stochastic` sums the weights of attention, and `mechanism: "
        f"{mechanism}` learns none: leave it out, or choose `mechanism: global`",
    ):
        configfile.validate(tree)
