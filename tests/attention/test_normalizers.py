"""Normalizers against bisection in NumPy, closed forms of two scores, and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jax.test_util import check_grads

from nmt.attention.normalizers import build_normalizer
from nmt.config import GlobalConfig

ROWS, COLUMNS = 3, 5
ALPHAS = {"softmax": 1.0, "entmax15": 1.5, "sparsemax": 2.0}
COMPILED = {name: jax.jit(build_normalizer(GlobalConfig(normalizer=name))) for name in ALPHAS}

masks = arrays(bool, (ROWS, COLUMNS))
names = pytest.mark.parametrize("name", ALPHAS)
sparse_names = pytest.mark.parametrize("name", ["entmax15", "sparsemax"])


def _scores(largest):
    return arrays(np.float32, (ROWS, COLUMNS), elements=st.floats(-largest, largest, width=32))


def _bisected(scores, alpha):
    """Returns the weights [(alpha - 1) z - tau]_+ ^ (1 / (alpha - 1)) that sum to one."""
    scores = (alpha - 1) * np.asarray(scores, np.float64)
    low, high = scores.max() - 1, scores.max()
    for _ in range(60):
        tau = (low + high) / 2
        weights = np.maximum(scores - tau, 0) ** (1 / (alpha - 1))
        low, high = (tau, high) if weights.sum() > 1 else (low, tau)
    return weights


@names
@given(scores=_scores(2.0**100), mask=masks)
def test_weights_sum_to_one_over_real_positions_and_are_zero_elsewhere(name, scores, mask):
    weights = np.asarray(COMPILED[name](scores, mask))

    np.testing.assert_array_equal(weights[~mask], 0)
    np.testing.assert_allclose(weights.sum(axis=1), mask.any(axis=1), rtol=1e-6)
    assert (weights >= 0).all()


@given(scores=_scores(30), mask=masks)
def test_softmax_weights_are_the_softmax_of_the_real_scores_alone(scores, mask):
    weights = np.asarray(COMPILED["softmax"](scores, mask))

    for row in range(ROWS):
        real = np.exp(scores[row, mask[row]].astype(np.float64))
        np.testing.assert_allclose(weights[row, mask[row]], real / real.sum(), rtol=1e-4)


@sparse_names
@given(scores=_scores(30) | _scores(1), mask=masks)
def test_sparse_weights_are_what_bisection_finds(name, scores, mask):
    weights = np.asarray(COMPILED[name](scores, mask))

    for row in np.flatnonzero(mask.any(axis=1)):
        expected = _bisected(scores[row, mask[row]], ALPHAS[name])
        np.testing.assert_allclose(weights[row, mask[row]], expected, atol=1e-5)


@sparse_names
@pytest.mark.parametrize("gap", [0.0, 0.99, 1.98, 5.0])
def test_weights_of_long_rows_are_right_wherever_the_threshold_lies(name, gap):
    rng = np.random.default_rng(3)
    scores = np.append(0, 0.01 * rng.random(499) - gap).astype(np.float32)

    weights = COMPILED[name](scores[None, :], np.ones((1, 500), bool))[0]

    np.testing.assert_allclose(weights, _bisected(scores, ALPHAS[name]), atol=1e-6)
    np.testing.assert_allclose(weights.sum(), 1, rtol=5e-6)


@pytest.mark.parametrize("gap", [-3.0, -2.0, -0.7, 0.0, 0.5, 1.0, 1.9, 2.5])
def test_weights_of_two_scores_have_a_closed_form(gap):
    scores, mask = np.array([[4 + gap, 4]], np.float32), np.array([[True, True]])

    weights = {name: COMPILED[name](scores, mask)[0, 0] for name in ALPHAS}

    inside = np.clip(gap, -2, 2)
    np.testing.assert_allclose(weights["softmax"], 1 / (1 + np.exp(-gap)), rtol=1e-6)
    np.testing.assert_allclose(weights["sparsemax"], np.clip((1 + gap) / 2, 0, 1), atol=1e-6)
    np.testing.assert_allclose(
        weights["entmax15"], 1 / 2 + inside / 4 * np.sqrt(2 - inside**2 / 4), atol=1e-6
    )


@names
@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_derivatives_are_those_of_finite_differences(name, spread):
    rng = np.random.default_rng(4)
    scores, mask = spread * rng.normal(size=(4, 6)), rng.random((4, 6)) < 0.7

    with jax.enable_x64(True):
        check_grads(
            lambda scores: COMPILED[name](scores, mask),
            (jnp.array(scores),),
            order=1,
            modes=["fwd", "rev"],
        )


@names
def test_a_row_without_real_positions_has_neither_weights_nor_a_gradient(name):
    scores = jnp.array([[1.0, -2.0, 3e38], [0.5, 1.0, 0.8]])
    mask = jnp.array([[False, False, False], [True, True, True]])

    weights = COMPILED[name](scores, mask)
    gradient = jax.grad(lambda scores: (COMPILED[name](scores, mask)[:, 1] ** 2).sum())(scores)

    np.testing.assert_array_equal(weights[0], 0)
    np.testing.assert_array_equal(gradient[0], 0)
    assert np.isfinite(gradient).all()
    assert (gradient[1] != 0).all()


@names
def test_weights_are_float32_whatever_the_type_of_the_scores(name):
    scores = jnp.array([[0.1, 0.2, 3.0]], jnp.bfloat16)

    weights = COMPILED[name](scores, jnp.array([[True, True, False]]))

    assert weights.dtype == jnp.float32
    nearly_softmax = _bisected(scores[0, :2], max(ALPHAS[name], 1.0001))
    np.testing.assert_allclose(weights[0, :2], nearly_softmax, atol=1e-5)
