"""The whole model: the equations from tokens to logits, and what must not change its answers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import (
    additive,
    bahdanau,
    compiled,
    conditional,
    encode,
    general,
    lexical,
    luong,
    randomised,
)
from flax import nnx

from nmt.config import ModelConfig
from nmt.errors import ConfigError
from nmt.model.seq2seq import build

VOCAB = 7
SOURCE = np.array([[3, 4, 5, 2], [6, 2, 0, 0]])
LENGTHS = np.array([4, 2])
PREVIOUS = np.array([[1, 5, 3], [1, 6, 6]])

KINDS = {
    "bahdanau": ({"kind": "bahdanau"}, "additive", False),
    "luong": ({"kind": "luong"}, "general", False),
    "luong without input feeding": ({"kind": "luong", "input_feeding": False}, "general", False),
    "luong with a lexical model": ({"kind": "luong"}, "general", True),
    "conditional": ({"kind": "conditional"}, "additive", False),
    "conditional with a lexical model": ({"kind": "conditional"}, "additive", True),
}
# Every way to be deep at once: their parts are held against equations by themselves.
TWO = {"layers": 2, "residual": True}
DEEP = {
    "deep luong": {
        "cell": {"kind": "gru", "layer_norm": True},
        "encoder": {**TWO, "transitions": 2},
        "decoder": {"kind": "luong", **TWO, "transitions": 2},
    },
    "bideep lstm": {
        "cell": {"kind": "lstm", "layer_norm": True},
        "encoder": {"kind": "alternating", **TWO, "transitions": 2},
        "decoder": {"kind": "conditional", **TWO, "transitions": 3, "upper_transitions": 2},
    },
}
EQUATIONS = {"bahdanau": bahdanau, "luong": luong, "conditional": conditional}
SCORES = {"additive": additive, "general": general}


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _config(kind, *, tied="none", dropout=0.0, encoder_size=2):
    decoder, score, lexical = KINDS.get(kind, ({}, "additive", False))
    deep = DEEP.get(kind, {})
    return ModelConfig(
        embedding_size=4,
        cell=deep.get("cell", "gru"),
        encoder={"hidden_size": encoder_size, **deep.get("encoder", {})},
        decoder={"hidden_size": 3, **decoder, **deep.get("decoder", {})},
        attention={"score": score},
        dropout=dropout,
        tied_embeddings=tied,
        lexical_model=lexical,
    )


def _model(kind, **options):
    config = _config(kind, **options)
    return randomised(lambda: build(config, source=VOCAB, target_size=VOCAB, seed=0))


@compiled
def _teacher_forced(model, source, lengths, previous, keys=None):
    """Returns logits and attention weights."""
    encoded = model.encode(source, lengths, dropout_keys=keys)
    readouts, attended = model.teacher_forced(previous, encoded, dropout_keys=keys)
    return model.logits(readouts), attended.weights


@compiled
def _start(model, source, lengths):
    """Returns what the decoder attends to, and its first state."""
    encoded = model.encode(source, lengths)
    return encoded, model.initial_state(encoded)


@compiled
def _step(model, state, tokens, encoded):
    return model.decode_step(state, tokens, encoded)


def _answers(model, source=SOURCE, lengths=LENGTHS, previous=PREVIOUS, keys=None):
    """Returns logits and attention weights as NumPy arrays."""
    answers = _teacher_forced(model, *map(jnp.array, (source, lengths, previous)), keys)
    return jax.tree.map(np.asarray, answers)


@pytest.fixture(scope="module", params=[*KINDS, *DEEP])
def model(request):
    return _model(request.param)[0]


@pytest.fixture(scope="module")
def answers(model):
    return _answers(model)


@pytest.mark.parametrize(
    ("kind", "tied"),
    [
        ("bahdanau", "none"),
        ("bahdanau", "target"),
        ("luong", "all"),
        ("luong with a lexical model", "none"),
        ("luong with a lexical model", "all"),
        ("conditional", "all"),
        ("conditional with a lexical model", "none"),
    ],
)
def test_the_model_follows_the_equations_from_tokens_to_logits(kind, tied):
    model, parameters = _model(kind, tied=tied)
    decoder, score, _ = KINDS[kind]
    target_table = parameters["target_embedding"]["embedding"]
    source_table = target_table
    if tied != "all":
        source_table = parameters["source_embedding"]["embedding"]
    output = target_table if tied != "none" else parameters["output"]["embedding"]

    logits, weights = _answers(model)

    for row, length in enumerate(LENGTHS):
        words = [source_table[token] for token in SOURCE[row, :length]]
        annotations, summary = encode(parameters["encoder"], words)
        embedded = [target_table[token] for token in PREVIOUS[row]]
        readouts, shares = EQUATIONS[decoder["kind"]](
            parameters["decoder"], embedded, annotations, summary, score=SCORES[score]
        )
        expected = np.array([output @ readout for readout in readouts]) + parameters["output_bias"]
        if "lexical_model" in parameters:
            expected += lexical(parameters["lexical_model"], words, shares)
        np.testing.assert_allclose(logits[row], expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(weights[row, :, :length], shares, rtol=1e-5)


def test_search_and_teacher_forcing_agree(model, answers):
    logits, weights = answers
    encoded, state = _start(model, jnp.array(SOURCE), jnp.array(LENGTHS))

    for position in range(PREVIOUS.shape[1]):
        state, log_probs, row = _step(model, state, jnp.array(PREVIOUS[:, position]), encoded)

        normalizer = np.log(np.exp(logits[:, position]).sum(axis=1, keepdims=True))
        np.testing.assert_allclose(log_probs, logits[:, position] - normalizer, atol=1e-5)
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(row, weights[:, position], rtol=1e-5, atol=1e-7)


def test_padding_of_source_target_and_batch_changes_no_answer(model, answers):
    rows, positions, length = len(SOURCE), PREVIOUS.shape[1], SOURCE.shape[1]
    source = np.pad(SOURCE, ((0, 1), (0, 2)), constant_values=VOCAB - 1)
    previous = np.pad(PREVIOUS, ((0, 1), (0, 2)), constant_values=VOCAB - 1)

    logits, weights = _answers(model, source, np.append(LENGTHS, 0), previous)

    np.testing.assert_allclose(logits[:rows, :positions], answers[0], atol=1e-5)
    np.testing.assert_allclose(weights[:rows, :positions, :length], answers[1], atol=1e-6)
    np.testing.assert_array_equal(weights[:, :, length:], 0)
    np.testing.assert_array_equal(weights[rows:], 0)
    assert np.isfinite(logits).all()


def test_dropout_of_a_sentence_does_not_depend_on_the_batch_around_it():
    model, _ = _model("luong", dropout=0.5)
    keys = jax.random.split(jax.random.key(0), 3)
    source = np.array([[6, 6, 6, 2], SOURCE[1]])

    logits, _ = _answers(model, keys=keys[:2])
    beside_another, _ = _answers(model, source, keys=keys[jnp.array([2, 1])])
    with_another_key, _ = _answers(model, keys=keys[jnp.array([0, 2])])

    np.testing.assert_allclose(beside_another[1], logits[1], atol=1e-5)
    assert np.abs(with_another_key[1] - logits[1]).max() > 0.01


# What each place reaches: the embedded source (None without a lexical model), the annotations, and
# the readouts given an encoded source without dropout.
PLACES = {
    "embeddings": (True, True, True),
    "layers": (False, True, True),
    "annotations": (False, True, False),
    "readout": (False, False, True),
    "recurrent": (False, True, True),
    "source_words": (True, True, False),
    "target_words": (False, False, True),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_rate_drops_in_its_own_place_alone(place):
    config = ModelConfig(
        embedding_size=4,
        encoder={"hidden_size": 2, "layers": 2},
        decoder={"hidden_size": 3, "layers": 2},
        lexical_model=True,
        dropout={"rate": 0.0, place: 0.5},
    )
    model, _ = randomised(lambda: build(config, source=VOCAB, target_size=VOCAB, seed=0))
    keys = jax.random.split(jax.random.key(0), len(SOURCE))

    @compiled
    def run(model, source, lengths, previous, keys):
        clean = model.encode(source, lengths)
        found = []
        for each in (None, keys):
            encoded = model.encode(source, lengths, dropout_keys=each)
            readouts, _ = model.teacher_forced(previous, clean, dropout_keys=each)
            found.append((encoded.embedded, encoded.annotations, readouts))
        return found

    before, after = run(model, *map(jnp.array, (SOURCE, LENGTHS, PREVIOUS)), keys)

    changed = tuple(bool((a != b).any()) for a, b in zip(before, after, strict=True))
    assert changed == PLACES[place]


def _in_bfloat16(model):
    graph, state = nnx.split(model)
    return nnx.merge(graph, jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), state))


@pytest.mark.parametrize("tied", ["none", "target"])
@pytest.mark.parametrize("kind", [*KINDS, *DEEP])
def test_bfloat16_is_computed_in_bfloat16_up_to_weights_and_logits(kind, tied):
    model = _in_bfloat16(_model(kind, tied=tied)[0])

    def run(source, lengths, previous):
        encoded = model.encode(source, lengths)
        state, *step = model.decode_step(model.initial_state(encoded), previous[:, 0], encoded)
        readouts, attended = model.teacher_forced(previous, encoded)
        computed = [
            encoded.annotations,
            encoded.keys,
            encoded.summary,
            *jax.tree.leaves(state.stack),
            state.input_feed,
        ]
        return [*computed, readouts], [*step, model.logits(readouts), attended.weights]

    narrow, answers = jax.eval_shape(run, *map(jnp.array, (SOURCE, LENGTHS, PREVIOUS)))

    assert {array.dtype.name for array in narrow} == {"bfloat16"}
    assert {array.dtype.name for array in answers} == {"float32"}


def test_bfloat16_gives_nearly_the_same_answers():
    model, _ = _model("luong")
    logits, weights = _answers(model)

    rounded_logits, rounded_weights = _answers(_in_bfloat16(model))

    # A bfloat16 has 8 significant bits, a rounding of 0.4 %; a dozen of them follow each other.
    np.testing.assert_allclose(rounded_logits, logits, atol=0.05 * np.abs(logits).max())
    np.testing.assert_allclose(rounded_weights, weights, atol=0.05)


def _count(config, **sizes):
    model = nnx.eval_shape(lambda: build(config, **sizes, seed=0))
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model)))


def test_a_bahdanau_model_has_the_parameters_of_its_equations():
    count = _count(_config("bahdanau", encoder_size=3), source=7, target_size=8)

    embed, encoder, annotation, hidden, readout = 4, 3, 6, 3, 4
    assert count == sum(
        [
            7 * embed + 8 * embed,
            2 * (3 * encoder * (embed + encoder + 1) + encoder),  # both directions
            annotation * hidden + hidden,  # initial state
            3 * hidden * (embed + annotation + hidden + 1) + hidden,  # GRU
            hidden * hidden + hidden * annotation + hidden,  # score: W, U, v
            2 * readout * (hidden + annotation + embed + 1),  # maxout
            8 * readout + 8,  # output
        ]
    )


def test_a_luong_model_has_the_parameters_of_its_equations():
    count = _count(_config("luong", tied="all"), source=7, target_size=7)

    embed, encoder, annotation, hidden = 4, 2, 4, 3
    assert count == sum(
        [
            7 * embed + 7,  # the one table, and the bias of the output
            2 * (3 * encoder * (embed + encoder + 1) + encoder),  # both directions
            annotation * hidden + hidden,  # initial state
            3 * hidden * (embed + embed + hidden + 1) + hidden,  # GRU, input feeding
            hidden * annotation,  # score
            (annotation + hidden) * embed,  # attentional vector
        ]
    )


def test_a_conditional_model_has_the_parameters_of_its_equations():
    count = _count(_config("conditional"), source=7, target_size=8)

    embed, encoder, annotation, hidden, readout = 4, 2, 4, 3, 4
    assert count == sum(
        [
            7 * embed + 8 * embed,
            2 * (3 * encoder * (embed + encoder + 1) + encoder),  # both directions
            annotation * hidden + hidden,  # initial state
            3 * hidden * (embed + hidden + 1) + hidden,  # the cell before attention
            3 * hidden * (annotation + hidden + 1) + hidden,  # the cell after it
            hidden * hidden + hidden * annotation + hidden,  # score: W, U, v
            readout * (hidden + annotation + embed + 1),  # deep output
            8 * readout + 8,  # output
        ]
    )


def test_parameters_are_a_function_of_the_seed():
    def leaves(seed):
        model = build(_config("luong"), source=VOCAB, target_size=VOCAB, seed=seed)
        return jax.tree.leaves(nnx.state(model))

    first, again, other = leaves(1), leaves(1), leaves(2)

    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any((one != two).any() for one, two in zip(first, other, strict=True))


def test_one_embedding_for_two_vocabulary_sizes_is_refused():
    with pytest.raises(ConfigError, match=r"tied_embeddings: 'all' .* have 7 and 8 pieces; use a"):
        build(_config("luong", tied="all"), source=7, target_size=8, seed=0)
