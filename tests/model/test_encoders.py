"""What every encoder promises, whatever it computes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import compiled, randomised
from flax import nnx
from tiers import slow_where

from nmt.config import DropoutConfig, GRUConfig, InputShape, LSTMConfig, ModelConfig
from nmt.config.place import Place
from nmt.model.encoder import Encoder

BATCH, SRC, INPUT, GRID = 3, 6, 12, (2, 3)
RATES = DropoutConfig(rate=0.5, recurrent=0.4)
LENGTHS = np.array([6, 2, 0])
DEEP = {"hidden_size": 8, "layers": 3, "transitions": 2, "residual": True}
ENCODERS = Place.of(ModelConfig.model_fields["encoder"]).names
SETTINGS = {"identity": {"annotation_size": INPUT}, "conv": {"annotation_size": 8}}


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


CASES = [
    (kind, cell, deep)
    for kind in ENCODERS
    for cell in ("gru", "lstm")
    for deep in (False, True)
    if kind not in SETTINGS or (cell, deep) == ("gru", False)  # no cells, no layers
]


@pytest.fixture(
    scope="module",
    params=slow_where(CASES, lambda case: case[1:] in [("gru", True), ("lstm", False)]),
)
def encoder(request):
    kind, cell, deep = request.param
    config = ENCODERS[kind](**(DEEP if deep else SETTINGS.get(kind, {})))
    cell = {"gru": GRUConfig, "lstm": LSTMConfig}[cell]()

    def build():
        return config.build(
            cell, InputShape(INPUT, grid=GRID), rates=RATES, rngs=nnx.Rngs(params=0)
        )

    return randomised(build)[0], config


@compiled
def _run(encoder, inputs, mask, keys=None):
    return encoder(inputs, mask, dropout_keys=keys)


def _inputs(src=SRC):
    """Random inputs, on padding too."""
    return jnp.array(np.random.default_rng(4).normal(size=(src, BATCH, INPUT)).swapaxes(0, 1))


def _mask(src=SRC):
    return jnp.array(np.arange(src) < LENGTHS[:, None])


def test_it_is_an_encoder_and_its_annotations_have_the_size_that_its_section_says(encoder):
    encoder, config = encoder

    found = _run(encoder, _inputs(), _mask())

    assert isinstance(encoder, Encoder)
    assert found.annotations.shape == (*found.mask.shape, config.annotation_size)
    assert found.summary.shape == (BATCH, config.annotation_size)
    np.testing.assert_array_equal(found.annotations[~np.asarray(found.mask)], 0)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


def test_what_stands_on_padding_and_in_other_rows_changes_nothing(encoder):
    encoder, _ = encoder

    found, padded = (
        _run(encoder, _inputs(), _mask()),
        _run(encoder, _inputs(SRC + 2), _mask(SRC + 2)),
    )
    alone = _run(encoder, _inputs()[:1], _mask()[:1])

    width = found.annotations.shape[1]
    np.testing.assert_allclose(
        padded.annotations[:, :width], found.annotations, rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(padded.summary, found.summary, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(alone.annotations[0], found.annotations[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(alone.summary[0], found.summary[0], rtol=1e-10, atol=1e-12)


def test_dropout_depends_on_the_keys_of_a_row_alone(encoder):
    encoder, _ = encoder
    keys = jax.random.split(jax.random.key(0), BATCH)

    found = _run(encoder, _inputs(), _mask(), keys)
    turned = _run(encoder, _inputs()[::-1], _mask()[::-1], keys[::-1])

    np.testing.assert_allclose(turned.annotations[::-1], found.annotations, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(turned.summary[::-1], found.summary, rtol=1e-10, atol=1e-12)
