"""The decoder of Xu et al. (2015) with an LSTM, whose memory has a first value of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import additive, affine, attend, compiled, randomised, sigmoid
from flax import nnx

from nmt.attention.interface import EncodedSource
from nmt.config import DropoutConfig, ModelConfig
from nmt.model.decoder import dropout_masks

ROWS, SRC, TGT, EMBED, ANNOTATION, HIDDEN = 2, 4, 3, 5, 4, 3
LENGTHS = [4, 2]


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def _lstm(cell, h, c, x):
    """Equations 1 to 3; the gates of the parameters are i, f, g and o, side by side."""
    i, f, g, o = np.split(affine(cell["input"], x) + cell["recurrent"].T @ h, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def _looped(decoder, embedded, annotations):
    mean = sum(annotations) / len(annotations)
    h = np.tanh(affine(decoder["stack"]["initial"][0], mean))
    c = np.tanh(affine(decoder["memory"][0], mean))
    cell = decoder["stack"]["cells"][0]
    kernel = np.vstack([cell["input"]["kernel"], decoder["context"]["kernel"]])
    cell = cell | {"input": cell["input"] | {"kernel": kernel}}
    readouts, weights = [], []
    for y in embedded:
        z, row = attend(decoder, additive, h, annotations, None)
        z = sigmoid(affine(decoder["gate"], h)) * z
        h, c = _lstm(cell, h, c, np.concatenate([y, z]))
        readouts.append(y + affine(decoder["from_hidden"], h) + affine(decoder["from_context"], z))
        weights.append(row)
    return np.array(readouts), np.array(weights)


def test_it_follows_the_equations_of_the_paper():
    config = ModelConfig(
        embedding_size=EMBED,
        cell="lstm",
        encoder={"hidden_size": ANNOTATION // 2},
        decoder={"kind": "xu", "hidden_size": HIDDEN},
        attention={"score": "additive"},
    )
    decoder, parameters = randomised(lambda: config.decoder.build(config, rngs=nnx.Rngs(params=0)))
    rng = np.random.default_rng(8)
    annotations, embedded = (
        rng.normal(size=(ROWS, n, ANNOTATION + (n == TGT))) for n in (SRC, TGT)
    )
    encoded = EncodedSource(
        annotations=jnp.array(annotations),
        keys=decoder.attention.keys(jnp.array(annotations)),
        mask=jnp.array(np.arange(SRC) < np.array(LENGTHS)[:, None]),
        summary=jnp.array(rng.normal(size=(ROWS, ANNOTATION))),  # that of the encoder is not read
    )
    masks = dropout_masks(decoder, DropoutConfig(rate=0), jnp.dtype("float64"))

    run = compiled(type(decoder).teacher_forced)
    readouts, attended = run(decoder, jnp.array(embedded), encoded, masks)

    for row, length in enumerate(LENGTHS):
        expected, weights = _looped(parameters, embedded[row], annotations[row, :length])
        np.testing.assert_allclose(attended.weights[row, :, :length], weights, rtol=1e-5)
        np.testing.assert_allclose(readouts[row], expected, atol=1e-6)


def test_the_embedding_must_be_as_wide_as_the_readout_that_it_is_added_to():
    with pytest.raises(
        ValueError,
        match=r"`decoder.kind: xu` adds the embedding to the readout: `decoder.readout_size` \(7\) "
        r"must equal `embedding_size` \(5\)",
    ):
        ModelConfig(embedding_size=5, decoder={"kind": "xu", "readout_size": 7})
