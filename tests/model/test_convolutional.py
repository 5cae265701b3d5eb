"""The convolutional encoder against loops over the pixels of whole pictures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import compiled, randomised
from flax import nnx
from pictures import CELL, GRID, cut, pictures

from nmt.config import ConvolutionalConfig, DropoutConfig, GRUConfig, InputShape

SHAPE = InputShape(3 * CELL**2, grid=GRID)


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def _built(**settings):
    config = ConvolutionalConfig(**{"channels": (4, 5), "annotation_size": 6} | settings)
    rates = DropoutConfig(rate=0.5)
    return randomised(
        lambda: config.build(GRUConfig(), SHAPE, rates=rates, rngs=nnx.Rngs(params=0))
    )


@compiled
def _run(encoder, inputs, mask, keys=None):
    return encoder(inputs, mask, dropout_keys=keys)


def _normalized(layer, a):
    mean, variance = sum(a) / len(a), sum((each - sum(a) / len(a)) ** 2 for each in a) / len(a)
    return np.maximum(layer["scale"] * (a - mean) / np.sqrt(variance + 1e-6) + layer["bias"], 0)


def _looped(encoder, picture):
    """Returns the annotations of a picture (height, width, 3) in reading order."""
    grid = picture
    for layer in encoder["layers"].values():
        kernel = layer["layer"]["kernel"]
        stride = 2 if len(kernel) == 4 else 1
        rows, columns = grid.shape[0] // stride, grid.shape[1] // stride
        seen = np.empty((rows, columns, kernel.shape[-1]))
        for r, c in np.ndindex(rows, columns):
            total = np.zeros(kernel.shape[-1])
            for i, j in np.ndindex(*kernel.shape[:2]):
                y, x = stride * r + i - 1, stride * c + j - 1
                if 0 <= y < grid.shape[0] and 0 <= x < grid.shape[1]:
                    total += kernel[i, j].T @ grid[y, x]
            seen[r, c] = _normalized(layer["norm"], total)
        grid = seen
    places = encoder["rows"][:, None] + encoder["columns"]
    return (grid + places).reshape(-1, grid.shape[-1])


def test_the_annotations_of_a_picture_are_those_of_loops_over_its_pixels():
    encoder, parameters = _built()
    given = pictures(2) / 127.5 - 1
    inputs = np.array([cut(given[0]), cut(given[1]), np.zeros((6, SHAPE.size))])
    mask = np.array([True, True, False])[:, None].repeat(6, axis=1)

    found = _run(encoder, jnp.array(inputs), jnp.array(mask))

    for row in range(2):
        expected = _looped(parameters, given[row])
        np.testing.assert_allclose(found.annotations[row], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.summary[row], expected.mean(axis=0), rtol=1e-5, atol=1e-6)
    assert not found.annotations[2].any()
    assert not found.summary[2].any()


@pytest.mark.parametrize(
    ("cell", "widths"), [(1, []), (2, [32]), (4, [32, 64]), (32, [32, 64, 128, 256, 256])]
)
def test_there_are_as_many_layers_as_halve_a_cell_to_one_position(cell, widths):
    shape = InputShape(3 * cell**2, grid=(2, 2))
    encoder = nnx.eval_shape(
        lambda: ConvolutionalConfig().build(
            GRUConfig(), shape, rates=DropoutConfig(), rngs=nnx.Rngs(params=0)
        )
    )

    kernels = [layer.layer.kernel.shape for layer in encoder.layers]
    assert [wider for side, _, _, wider in kernels if side == 4] == widths
    assert [kernel[0] for kernel in kernels[len(widths) :]] == [3]


def test_components_of_annotations_are_dropped_at_every_position_alike():
    encoder, _ = _built()
    inputs, mask = jnp.array(cut(pictures(1)[0])[None] / 255.0), jnp.ones((1, 6), bool)

    whole = np.asarray(_run(encoder, inputs, mask).annotations[0])
    keys = jax.random.split(jax.random.key(1), 1)
    dropped = np.asarray(_run(encoder, inputs, mask, keys).annotations[0])

    gone = (dropped == 0).all(axis=0)
    assert 0 < gone.sum() < len(gone)
    np.testing.assert_allclose(dropped[:, ~gone], 2 * whole[:, ~gone], rtol=1e-9)
