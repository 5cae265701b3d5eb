"""Random projections, against norms by NumPy, and the Jacobian that they estimate."""

import jax
import numpy as np
import pytest

from nmt.inference.projections import PROJECTIONS, projections


def squared_errors(matrices):
    """The relative errors of the estimated squares of the norms."""
    vectors = np.asarray(projections(matrices[0].shape[0]), np.float64)
    exact = np.array([np.linalg.norm(each) ** 2 for each in matrices])
    return np.array([np.sum((vectors @ each) ** 2) for each in matrices]) / exact - 1


def test_the_vectors_are_of_signs_and_as_many_as_said():
    found = np.asarray(projections(300))

    assert found.shape == (PROJECTIONS, 300)
    np.testing.assert_allclose(np.abs(found), 1 / np.sqrt(PROJECTIONS), rtol=1e-6)
    assert abs(np.sign(found).mean()) < 0.05
    # Two of the vectors are as good as orthogonal: their signs are not the same, nor opposite.
    assert np.abs(np.triu(found @ found.T, 1)).max() * PROJECTIONS < 0.3 * 300


@pytest.mark.parametrize("rank", [1, 2, 8])
def test_the_error_is_that_of_the_formula(rank):
    # Gaussian columns: their squares beside the diagonal of A A^T are nearly |A|_F^4 / rank.
    rng = np.random.default_rng(rank)
    errors = squared_errors([rng.normal(size=(400, rank)) for _ in range(400)])

    spread = np.sqrt(2 / (PROJECTIONS * rank))
    assert abs(errors.mean()) < 4 * spread / np.sqrt(len(errors))
    assert 0.85 * spread < errors.std() < 1.15 * spread


def test_a_small_matrix_has_its_norm():
    rng = np.random.default_rng(0)
    for size in (1, PROJECTIONS):
        np.testing.assert_allclose(squared_errors([rng.normal(size=(size, 5))]), 0, atol=1e-6)
    assert np.abs(squared_errors([rng.normal(size=(PROJECTIONS + 1, 5))])) > 1e-3


def test_the_precision_is_that_of_the_process():
    with jax.enable_x64(True):
        assert projections(40).dtype == projections(4).dtype == np.float64
