"""Annotations are held against the equations in NumPy, one sentence without padding at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import compiled, encode, randomised
from flax import nnx

from nmt.config import BidirectionalConfig, DropoutConfig, GRUConfig, InputShape

BATCH, SRC, INPUT, HIDDEN = 3, 5, 4, 3
LENGTHS = [5, 3, 1]


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _encoder(layers=1, residual=False, **rates):
    def build():
        config = BidirectionalConfig(hidden_size=HIDDEN, layers=layers, residual=residual)
        rngs = nnx.Rngs(params=0)
        given = DropoutConfig(**{"rate": 0.0, **rates})
        return config.build(GRUConfig(), InputShape(INPUT), rates=given, rngs=rngs)

    return randomised(build)


@compiled
def _run(encoder, inputs, mask, keys=None):
    return encoder(inputs, mask, dropout_keys=keys)


def _inputs(src=SRC):
    """Random inputs, on padding too; a longer `src` adds more of them and changes none."""
    by_position = np.random.default_rng(4).normal(size=(src, BATCH, INPUT))
    return by_position.swapaxes(0, 1)


def _mask(lengths, src=SRC):
    return jnp.array(np.arange(src) < np.array(lengths)[:, None])


@pytest.mark.parametrize(("layers", "residual"), [(1, False), (2, False), (2, True), (3, True)])
def test_annotations_and_summary_follow_the_equations(layers, residual):
    encoder, parameters = _encoder(layers, residual)
    inputs = _inputs()

    annotations, _, summary = _run(encoder, jnp.array(inputs), _mask(LENGTHS))

    for row, length in enumerate(LENGTHS):
        expected, last = encode(parameters, inputs[row, :length], residual=residual)
        np.testing.assert_allclose(annotations[row, :length], expected, rtol=1e-12)
        np.testing.assert_array_equal(annotations[row, length:], 0)
        np.testing.assert_allclose(summary[row], last, rtol=1e-12)


def test_padding_changes_nothing():
    encoder, _ = _encoder(layers=2)
    annotations, _, summary = _run(encoder, jnp.array(_inputs()), _mask(LENGTHS))

    wider = jnp.array(_inputs(SRC + 2))
    padded, _, padded_summary = _run(encoder, wider, _mask(LENGTHS, SRC + 2))

    np.testing.assert_allclose(padded[:, :SRC], annotations, rtol=1e-12)
    np.testing.assert_array_equal(padded[:, SRC:], 0)
    np.testing.assert_allclose(padded_summary, summary, rtol=1e-12)


def test_an_empty_sentence_has_annotations_and_a_summary_of_zero():
    encoder, _ = _encoder(layers=2)

    annotations, _, summary = _run(encoder, jnp.array(_inputs()), _mask([5, 0, 1]))

    np.testing.assert_array_equal(annotations[1], 0)
    np.testing.assert_array_equal(summary[1], 0)


def test_dropout_takes_the_same_components_from_all_annotations_and_the_summary():
    encoder, _ = _encoder(annotations=0.5)
    inputs, mask = jnp.array(_inputs()), _mask(LENGTHS)
    annotations, _, summary = _run(encoder, inputs, mask)

    keys = jax.random.split(jax.random.key(0), BATCH)
    dropped, _, dropped_summary = _run(encoder, inputs, mask, keys)

    factors = dropped_summary / summary
    np.testing.assert_allclose(dropped, annotations * factors[:, None, :], rtol=1e-12)
    assert {0.0, 2.0} == set(np.round(np.asarray(factors).ravel(), 12))


def test_dropout_of_a_lower_layer_reaches_the_upper_one():
    encoder, parameters = _encoder(layers=2, rate=0.5)
    lower = {"layers": {0: parameters["layers"][0]}}
    upper = {"layers": {0: parameters["layers"][1]}}
    inputs, mask = _inputs(), _mask([SRC] * BATCH)
    keys = jax.random.split(jax.random.key(0), BATCH)

    _, _, summary = _run(encoder, jnp.array(inputs), mask, keys)

    for row in range(BATCH):
        kept = np.asarray(summary[row]) != 0
        candidates = []
        for pattern in np.ndindex(*[2] * (2 * HIDDEN)):
            annotations, _ = encode(lower, inputs[row])
            _, last = encode(upper, annotations * np.array(pattern) * 2)
            candidates.append(np.allclose(summary[row], last * kept * 2, rtol=1e-9))
        assert sum(candidates) == 1
