"""Methods of explanation, against finite differences of the forced log-probabilities."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from tiers import slow_where

from nmt.config import ModelConfig
from nmt.data.batching import Batch
from nmt.errors import DataError
from nmt.inference.compiled import ForcedInputs
from nmt.inference.explanations import explain
from nmt.inference.methods import METHODS
from nmt.inference.predictor import LoadedModel
from nmt.inference.projections import PROJECTIONS
from nmt.inference.ranking import Ranking
from nmt.inference.translator import Translator
from nmt.model.seq2seq import build

EOS, BOS, VOCAB = 3, 2, 9
SOURCE, TARGET = [5, 7, 4, EOS], [6, 8, EOS]  # no source piece twice: its table row is its place
STEP = 1e-5

DECODERS = {
    "bahdanau": {"kind": "bahdanau"},
    "luong": {"kind": "luong"},
    "luong without input feeding": {"kind": "luong", "input_feeding": False},
    "conditional": {"kind": "conditional"},
}


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=slow_where(DECODERS, lambda each: each == "luong"))
def model(request):
    """Graph and random parameters of a tiny model."""
    return make(DECODERS[request.param])


def make(decoder, table=None, mechanism="global", size=3):
    config = ModelConfig(
        embedding_size=size,
        encoder={"hidden_size": 2},
        decoder={"hidden_size": 3, **decoder},
        attention={"mechanism": mechanism},
    )
    graph, params = nnx.split(
        nnx.eval_shape(partial(build, config, source=VOCAB, target_size=VOCAB, seed=0))
    )
    rng = np.random.default_rng(3)
    params = jax.tree.map(lambda leaf: jnp.array(rng.normal(0, 0.6, leaf.shape)), params)
    return graph, params if table is None else with_table(params, table)


def table_of(params):
    return np.array(params["source_embedding"]["embedding"][...])


def with_table(params, table):
    changed = jax.tree.map(lambda leaf: leaf, params)
    changed["source_embedding"]["embedding"][...] = jnp.array(table)
    return changed


def padded(sentences, width, rows):
    array = np.zeros((rows, width), np.int32)
    for row, sentence in enumerate(sentences):
        array[row, : len(sentence)] = sentence
    lengths = [*map(len, sentences), *[0] * (rows - len(sentences))]
    return jnp.array(array), jnp.array(lengths, dtype=jnp.int32)


def matrix(model, method, source=SOURCE, target=TARGET, *, wide=0, others=()):
    """The matrix of a sentence, computed in frames that are wider and of more rows."""
    pairs = [*others, (source, target)]
    sources, targets = zip(*pairs, strict=True)
    width = wide + max(len(each) for pair in pairs for each in pair)
    rows = len(pairs) + bool(wide)
    rows += rows % 2  # two devices share them
    found = np.array(asked(model, sources, targets, width, rows, method)[2])[len(others)]
    assert not found[:, len(source) :].any()
    return found[: len(target), : len(source)]


def asked(model, sources, targets, width, rows, method):
    """What a method finds of pairs: log-probabilities, scores and matrices."""
    graph, params = model
    batch = Batch(*padded(sources, width, rows), *padded(targets, width, rows))
    scorer = ForcedInputs(LoadedModel(params, graph), Ranking(k=0.0, alpha=1.0, beta=0.0))
    return explain(scorer, batch, bos=BOS, method=method)


def log_probs(graph, params):
    """Of each target piece: differences between the forced log-probabilities of prefixes."""
    prefixes = [TARGET[: length + 1] for length in range(len(TARGET))]
    sources = [SOURCE] * len(prefixes)
    found = asked((graph, params), sources, prefixes, len(SOURCE), len(prefixes) + 1, "attention")
    return np.diff(np.array(found[0]).sum(axis=1)[: len(prefixes)], prepend=0.0)


def readouts(graph, params):
    source = padded([SOURCE], len(SOURCE), 1)
    return np.array(_readouts(graph, params, *source, jnp.array([[BOS, *TARGET[:-1]]])))[0]


@partial(jax.jit, static_argnums=0)
def _readouts(graph, params, source, lengths, previous):
    model = nnx.merge(graph, params)
    return model.teacher_forced(previous, model.encode(source, lengths))[0]


def differences(model, outputs):
    """Central differences of outputs (target, ...) in the embedding of each source position."""
    graph, params = model
    table = table_of(params)
    found = np.zeros((*outputs(graph, params).shape, len(SOURCE), table.shape[1]))
    for place, token in enumerate(SOURCE):
        for component in range(table.shape[1]):
            there, back = table.copy(), table.copy()
            there[token, component] += STEP
            back[token, component] -= STEP
            change = outputs(graph, with_table(params, there)) - outputs(
                graph, with_table(params, back)
            )
            found[..., place, component] = change / (2 * STEP)
    return found


def normalized(rows):
    return rows / rows.sum(axis=1, keepdims=True)


def test_saliency_is_the_absolute_gradient(model):
    gradients = differences(model, log_probs)

    expected = normalized(np.abs(gradients).sum(axis=-1))
    np.testing.assert_allclose(matrix(model, "saliency"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "model", slow_where(DECODERS, lambda each: each != "bahdanau"), indirect=True
)
def test_saliency_of_the_input_is_gradient_times_embedding(model):
    gradients = differences(model, log_probs)
    embedded = table_of(model[1])[SOURCE]

    expected = normalized(np.abs((gradients * embedded[None]).sum(axis=-1)))
    np.testing.assert_allclose(matrix(model, "saliency_input"), expected, rtol=1e-5)


def test_the_jacobian_is_that_of_the_readouts(model):
    derivatives = differences(model, readouts)  # (target, readout, source, embed)

    expected = normalized(np.sqrt((derivatives**2).sum(axis=(1, 3))))
    np.testing.assert_allclose(matrix(model, "jacobian"), expected, rtol=1e-6)


def test_the_projected_jacobian_has_the_error_that_is_said():
    wide = make(DECODERS["luong"], size=40)
    assert readouts(*wide).shape[1] > PROJECTIONS

    errors = matrix(wide, "projected_jacobian") / matrix(wide, "jacobian") - 1

    assert 1e-3 < np.sqrt(np.mean(errors**2)) < 1 / np.sqrt(2 * PROJECTIONS)


def test_shifted_attention_is_that_of_the_step_which_reads_the_piece(model):
    # One piece more, whichever: its step is the one that reads the end of the target.
    longer = matrix(model, "attention", target=[*TARGET, 1])

    np.testing.assert_allclose(matrix(model, "shifted"), longer[1:], rtol=1e-9)


def test_smoothing_without_a_spread_is_gradient_times_input():
    table = np.full((VOCAB, 3), 0.4)  # noise is a share of the range of the embeddings: here 0
    flat = make(DECODERS["bahdanau"], table)

    np.testing.assert_allclose(matrix(flat, "smoothed"), matrix(flat, "saliency_input"), rtol=1e-9)


def test_smoothing_is_a_mean_over_the_neighbourhood_of_the_embeddings():
    # With a range r, noise moves the mean by a second-order term, and one of 30 samples' chance.
    far = []
    for scale in (1e-2, 1e-3):
        near = make(DECODERS["bahdanau"], scale * np.random.default_rng(0).normal(size=(VOCAB, 3)))
        far.append(np.abs(matrix(near, "smoothed") - matrix(near, "saliency_input")).max())

    assert 1e-8 < far[1] < 0.3 * far[0] < 0.1


@pytest.mark.parametrize("method", METHODS)
def test_rows_sum_to_one_whatever_stands_beside_the_sentence(method):
    model = make(DECODERS["luong"])

    alone = matrix(model, method)
    together = matrix(model, method, wide=3, others=[([1, EOS], [4, 5, 6, 7, EOS])])

    np.testing.assert_allclose(alone.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(together, alone, rtol=1e-7)


@pytest.mark.parametrize(
    "method", slow_where(METHODS[2:], lambda each: each not in ("saliency", "jacobian"))
)
def test_a_model_without_attention_can_be_asked_too(method):
    model = make(DECODERS["luong"], mechanism="none")

    assert not matrix(model, "attention").any()
    np.testing.assert_allclose(matrix(model, method).sum(axis=1), 1, rtol=1e-6)


def test_the_score_is_that_of_forcing():
    model = make(DECODERS["luong"])
    found = [asked(model, [SOURCE], [TARGET], 4, 2, method) for method in METHODS]

    log_prob = log_probs(*model).sum()
    assert [float(each[0][0].sum()) for each in found] == pytest.approx([log_prob] * len(METHODS))
    average = log_prob / len(TARGET)
    assert [float(each[1][0]) for each in found] == pytest.approx([average] * len(METHODS))


@pytest.fixture(scope="module")
def translator(copy_run):
    with jax.enable_x64(False):
        return Translator.load(copy_run)


@pytest.mark.parametrize("method", METHODS[2:])
def test_a_model_that_copies_owes_each_letter_to_itself(translator, method):
    lines = ["a c e g b d", "h g f e d c", "b d f", "c a", "e h a f b", "g b h d a e"]
    with jax.enable_x64(False):
        found = translator.align(lines, lines, method=method)

    own = [each.words.weights.argmax(axis=1) == np.arange(len(each.words.target)) for each in found]
    assert np.concatenate(own).mean() > 0.8
    assert {(each.method, each.attention.dtype) for each in found} == {
        (method, np.dtype("float32"))
    }


def test_a_translation_of_another_model_is_not_explained(translator):
    with jax.enable_x64(False):
        found = translator.translate("a b c")
    other = dataclasses.replace(found, source_pieces=("▁a", "▁Hund", "▁c", "</s>"))

    with pytest.raises(DataError, match=r"^'▁Hund' is no piece of this model, but of another one$"):
        translator.explain(other, method="saliency")


@pytest.mark.parametrize("method", METHODS)
def test_explaining_a_search_is_forcing_what_it_found(translator, method):
    lines = ["a b c", "", "h g f e d"]
    with jax.enable_x64(False):
        found = translator.translate(lines)
        explained = translator.explain(found, method=method)
        forced = translator.align(lines, [each.text for each in found], method=method)

    for before, one, two in zip(found, explained, forced, strict=True):
        assert (one.text, one.score, one.target_pieces) == (
            before.text,
            before.score,
            before.target_pieces,
        )
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)


def test_an_unknown_method_is_named_with_all_there_are(translator):
    message = (
        r"unknown method of explanation 'saliencies'; choose one of attention, shifted, saliency, "
    )
    with pytest.raises(DataError, match=message):
        translator.align([], [], method="saliencies")
    with pytest.raises(DataError, match=message):
        translator.explain([], method="saliencies")
