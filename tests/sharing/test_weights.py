"""Parameters in a file: as they are, in half the bytes, or in a quarter of them."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load_file

from nmt import weights
from nmt.errors import RunError

FLOATS = st.floats(-100, 100, width=32, allow_subnormal=False)
SHAPES = st.sampled_from([(1, 1), (2, 3), (4, 2)])  # few: each is compiled
MATRICES = arrays.arrays(np.float32, SHAPES, elements=FLOATS)


def by_rows(matrix):
    """Integers and scales by the definition, value by value."""
    integers, scales = np.zeros(matrix.shape, int), np.zeros(len(matrix))
    for i, row in enumerate(matrix):
        scales[i] = max(abs(value) for value in row) / 127
        for j, value in enumerate(row):
            integers[i, j] = round(float(value) / scales[i]) if scales[i] else 0
    return integers, scales


@given(MATRICES)
def test_a_value_is_stored_to_half_a_step(matrix):
    integers, scales = map(np.asarray, weights.quantized(jnp.asarray(matrix)))

    rows, columns = matrix.shape
    assert scales.shape == ((rows, 1) if rows > columns else (1, columns))
    assert integers.dtype == np.int8
    assert np.abs(integers.astype(int)).max() <= 127
    error = np.abs(integers * scales.astype(np.float64) - matrix)
    assert (error <= 0.5 * scales * (1 + 1e-5) + 1e-30).all()


@pytest.mark.parametrize("turned", [False, True])
def test_the_longer_side_has_the_scales(turned):
    matrix = np.array([[1.0, -2.0], [0.5, 0.25], [0.0, 0.0], [3.0, 1.5]], np.float32)
    expected, scales = by_rows(matrix)

    found = weights.quantized(jnp.asarray(matrix.T if turned else matrix))

    np.testing.assert_array_equal(found[0].T if turned else found[0], expected)
    np.testing.assert_allclose(np.ravel(found[1]), scales, rtol=1e-6)
    np.testing.assert_array_equal(expected[0], [64, -127])  # 1 / (2 / 127) = 63.5, to even


def state(**values):
    return nnx.State({name: nnx.Param(jnp.asarray(value)) for name, value in values.items()})


PARAMS = {
    "matrix": np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2),
    "vector": np.array([1 / 3, 2.0], np.float32),
    "empty": np.zeros((0, 4), np.float32),
}
# The type of the matrix and that of the vector, and the largest relative error of each
TYPES = {
    "float32": (np.float32, np.float32, 0, 0),
    "float16": (np.float16, np.float16, 2**-11, 2**-11),
    "int8": (np.int8, np.float32, 1 / 254, 0),
}


@pytest.mark.parametrize("dtype", TYPES)
def test_parameters_come_back_in_their_own_type(tmp_path, dtype):
    path, params = tmp_path / "x.safetensors", state(**PARAMS)
    of_matrix, of_vector, error, error_of_vector = TYPES[dtype]
    weights.write(path, params, dtype=dtype, tokenizer="t")

    found = weights.read(path, params, dtype=dtype, tokenizer="t")

    stored = load_file(path)
    assert stored["matrix"].dtype == of_matrix
    assert stored["vector"].dtype == of_vector
    assert {found[name].dtype for name in PARAMS} == {jnp.dtype("float32")}
    np.testing.assert_allclose(found["matrix"][...], PARAMS["matrix"], atol=error)
    np.testing.assert_allclose(found["vector"][...], PARAMS["vector"], rtol=error_of_vector)


@pytest.mark.parametrize(
    ("dtype", "value"), [("float16", 70_000), ("float32", np.nan), ("int8", np.inf)]
)
def test_a_value_that_a_type_cannot_hold_is_named(tmp_path, dtype, value):
    params = state(vector=np.array([1, value], np.float32))

    with pytest.raises(RunError, match=f"vector: has values that {dtype} cannot hold; export ano"):
        weights.write(tmp_path / "x.safetensors", params, dtype=dtype, tokenizer="t")
