"""Sources of vectors and of pictures: what the encoder is given, and what explanations find."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from pictures import CELL, GRID, cut, pictures
from tiers import slow_where

from nmt.config import InputShape, ModelConfig
from nmt.data.batching import Batch
from nmt.inference.compiled import ForcedInputs
from nmt.inference.ensemble import LoadedEnsemble
from nmt.inference.explanations import explain
from nmt.inference.methods import METHODS
from nmt.inference.predictor import LoadedModel, Source
from nmt.inference.ranking import Ranking
from nmt.model.seq2seq import build

BOS, VOCAB, SIZE = 2, 7, 3
VECTORS = InputShape(SIZE)
CELLS = InputShape(3 * CELL**2, grid=GRID)
PICTURES = np.array([cut(each) for each in pictures(2)])
TARGET, LENGTHS = np.array([[4, 6, 3], [5, 3, 0]], np.int32), np.array([3, 2], np.int32)
STEP = 1e-5
ALIKE = ("shifted", "saliency_input", "smoothed", "projected_jacobian")  # computed like the others


def _model(shape, encoder, **settings):
    config = ModelConfig(
        embedding_size=4,
        encoder=encoder,
        decoder={"kind": "xu", "hidden_size": 3},
        cell="lstm",
        **settings,
    )
    graph, params = nnx.split(
        nnx.eval_shape(partial(build, config, source=shape, target_size=VOCAB, seed=0))
    )
    rng = np.random.default_rng(3)
    params = jax.tree.map(lambda leaf: jnp.array(rng.normal(0, 0.6, leaf.shape)), params)
    return LoadedModel(params, graph)


def _of_vectors():
    return _model(VECTORS, {"kind": "identity", "annotation_size": SIZE})


def _of_pictures():
    return _model(CELLS, {"kind": "conv", "channels": [2, 3], "annotation_size": 4})


def _explained(loaded, source, lengths, method="attention"):
    batch = Batch(source, np.array(lengths, np.int32), TARGET, LENGTHS)
    shared = ForcedInputs(loaded, Ranking(k=0.0, alpha=1.0, beta=0.0))
    return jax.tree.map(np.asarray, explain(shared, batch, bos=BOS, method=method))


def _vectors(width=5):
    """Vectors of four and two positions, with noise on the padding."""
    return np.random.default_rng(5).normal(size=(width, 2, SIZE)).swapaxes(0, 1)


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.usefixtures("float64")
def test_saliency_in_vectors_is_their_absolute_gradient_by_finite_differences():
    loaded, source, lengths = _of_vectors(), _vectors(), [4, 2]
    expected = np.zeros((2, 3, 5))

    for row, place, component in np.ndindex(2, 5, SIZE):
        there, back = source.copy(), source.copy()
        there[row, place, component] += STEP
        back[row, place, component] -= STEP
        change = (
            _explained(loaded, there, lengths)[0][row] - _explained(loaded, back, lengths)[0][row]
        )
        expected[row, :, place] += np.abs(change / (2 * STEP))

    found = _explained(loaded, source, lengths, "saliency")[2]
    for row in range(2):
        steps = LENGTHS[row]
        rows = expected[row, :steps] / expected[row, :steps].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found[row, :steps], rows, rtol=1e-4, atol=1e-6)
    assert not found[0, :, 4:].any()
    assert not found[1, :, 2:].any()


@pytest.mark.parametrize("method", slow_where(METHODS, lambda each: each in ALIKE))
def test_every_method_explains_captions_of_pictures(method):
    matrix = _explained(_of_pictures(), PICTURES, [6, 6], method)[2]

    assert matrix.shape == (2, 3, 6)
    for row, steps in enumerate(LENGTHS):
        np.testing.assert_allclose(matrix[row, :steps].sum(axis=1), 1, rtol=1e-4)
        assert matrix[row, :steps].std(axis=1).all()  # positions differ


def test_an_ensemble_of_models_of_pictures_averages_what_they_predict():
    one = _of_pictures()
    other = LoadedModel(jax.tree.map(lambda leaf: leaf / 2, one.params), one.graph)

    probabilities = [np.exp(_explained(each, PICTURES, [6, 6])[0]) for each in (one, other)]
    together = np.exp(_explained(LoadedEnsemble((one, other)), PICTURES, [6, 6])[0])

    np.testing.assert_allclose(together, sum(probabilities) / 2, rtol=1e-4)


def test_pixels_are_numbers_from_minus_one_to_one_and_vectors_stay_as_they_are():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 256).repeat(2, axis=0)
    model = nnx.merge(_of_pictures().graph, _of_pictures().params)

    embedded = model.embed(jnp.array(pixels))

    np.testing.assert_allclose(embedded[0, 0], np.linspace(-1, 1, 256), atol=1e-6)
    vectors = np.float32(_vectors())
    np.testing.assert_array_equal(model.embed(jnp.array(vectors)), vectors)


def test_a_model_of_vectors_computes_in_the_type_of_its_parameters():
    loaded = _of_vectors()
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), loaded.params)
    model = nnx.merge(loaded.graph, half)

    encoded = model.encode(jnp.array(np.float32(_vectors())), jnp.array([4, 2]))

    assert encoded.annotations.dtype == jnp.bfloat16


def test_such_a_model_has_no_source_embedding_and_drops_nothing_of_what_it_is_given():
    loaded = _model(
        VECTORS,
        {"kind": "identity", "annotation_size": SIZE},
        dropout={"rate": 0.0, "embeddings": 0.5},
    )
    model = nnx.merge(loaded.graph, loaded.params)
    vectors = np.float32(_vectors())

    encoded = model.encode(
        jnp.array(vectors),
        jnp.array([4, 2]),
        dropout_keys=jax.random.split(jax.random.key(0), 2),
    )

    assert "source_embedding" not in loaded.params
    mask = np.arange(5) < np.array([[4], [2]])
    np.testing.assert_array_equal(encoded.annotations, vectors * mask[..., None])


def _keys(rows, lengths):
    return np.asarray(jax.random.key_data(Source(rows, np.array(lengths, np.int32)).keys(7)))


@pytest.mark.parametrize("rows", [np.float32(_vectors()), PICTURES], ids=["vectors", "pictures"])
def test_random_keys_depend_on_the_content_of_a_source_alone(rows):
    lengths = [4, 2]
    found = _keys(rows, lengths)

    wider = np.pad(rows, ((0, 1), (0, 3), (0, 0)), constant_values=9)[[1, 0, 2]]
    np.testing.assert_array_equal(_keys(wider, [2, 4, 0])[[1, 0]], found)
    changed = rows.copy()
    changed[1, 1, -1] += 1
    after = _keys(changed, lengths)
    np.testing.assert_array_equal(after[0], found[0])
    assert (after[1] != found[1]).any()
    turned = rows.copy()
    turned[0, [0, 1]] = rows[0, [1, 0]]
    assert (_keys(turned, lengths)[0] != found[0]).any()


def test_random_keys_of_round_vectors_differ():
    """The low bits of small whole numbers are all zeros."""
    rows = np.random.default_rng(0).permuted(np.eye(64, 65, dtype=np.float32), axis=1)[:, None]
    rows = np.arange(2000, dtype=np.float32).reshape(2000, 1, 1) * rows[0]

    assert len(np.unique(_keys(rows, [1] * 2000), axis=0)) == 2000
