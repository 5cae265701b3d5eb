"""The guided head: its weights against a loop, and what it must not change or teach."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import affine, compiled, randomised
from flax import nnx

from nmt.config import ModelConfig
from nmt.model.decoder import dropout_masks
from nmt.model.seq2seq import Seq2Seq, build

VOCABULARY = 7
SOURCE = jnp.array([[3, 4, 5, 2], [6, 2, 0, 0]])
LENGTHS = jnp.array([4, 2])
PREVIOUS = jnp.array([[1, 5, 3], [1, 6, 6]])
DECODERS = {
    "bahdanau": {"kind": "bahdanau", "layers": 2},
    "luong": {"kind": "luong"},
    "luong without input feeding": {"kind": "luong", "input_feeding": False},
    "conditional": {"kind": "conditional"},
    "xu": {"kind": "xu"},
}


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def config(decoder="luong", head=None, **model):
    return ModelConfig(
        embedding_size=3,
        encoder={"hidden_size": 2},
        decoder={"hidden_size": 5, **DECODERS[decoder]},
        guided_head=head,
        **model,
    )


def maker(settings):
    return partial(build, settings, source=VOCABULARY, target_size=VOCABULARY, seed=0)


def forced(model):
    encoded = model.encode(SOURCE, LENGTHS)
    return encoded, *model.teacher_forced(PREVIOUS, encoded)


@compiled
def states(model):
    """The decoder's states after each step, as the steps of a search make them."""
    encoded, found = model.encode(SOURCE, LENGTHS), []
    state = model.initial_state(encoded)
    embedded = model.target_embedding(PREVIOUS)
    masks = dropout_masks(model.decoder, model.dropout, embedded.dtype)
    projected = model.decoder.project(embedded)
    for position in range(PREVIOUS.shape[1]):
        state, *_ = model.decoder.step(state, projected[:, position], encoded, masks)
        found.append(model.decoder.stack.output(state.stack))
    return encoded.annotations, jnp.stack(found, axis=1)


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_weights_are_those_of_the_state_that_has_read_the_token(decoder):
    model, parameters = randomised(maker(config(decoder, {"size": 4})))
    annotations, hidden = map(np.asarray, states(model))
    head = parameters["guided_head"]
    ours, theirs = (parameters[f"{side}_embedding"]["embedding"] for side in ("source", "target"))

    _, _, attended = compiled(forced)(model)

    assert attended.hidden is None
    for row, step in np.ndindex(PREVIOUS.shape):
        query = affine(head["state"], hidden[row, step])
        query = query + affine(head["token"], theirs[PREVIOUS[row, step]])
        energies = [
            query
            @ (
                affine(head["annotation"], annotations[row, j])
                + affine(head["source"], ours[token])
            )
            / 2  # the root of the size
            for j, token in enumerate(SOURCE[row, : LENGTHS[row]].tolist())
        ]
        expected = np.exp(energies) / np.sum(np.exp(energies))
        found = np.asarray(attended.guided[row, step])
        np.testing.assert_allclose(found[: len(expected)], expected, rtol=1e-5)
        np.testing.assert_array_equal(found[len(expected) :], 0)


@pytest.mark.parametrize("decoder", ["bahdanau", "luong without input feeding"])
def test_a_head_changes_neither_the_other_parameters_nor_what_they_compute(decoder):
    found, params = [], []
    for head in ({"size": 4}, None):
        graph, started = nnx.split(maker(config(decoder, head))())
        params.append(jax.tree.map(lambda leaf: leaf.astype(jnp.float64), started))
        found.append(compiled(forced)(nnx.merge(graph, params[-1])))

    own, other = params
    assert set(own) - set(other) == {"guided_head"}
    for name in other:
        jax.tree.map(np.testing.assert_array_equal, own[name], other[name])
    (_, readouts, attended), (_, expected, plain) = found
    np.testing.assert_array_equal(readouts, expected)
    np.testing.assert_array_equal(attended.weights, plain.weights)
    assert plain.guided is None


@pytest.mark.parametrize("isolated", [True, False])
def test_the_gradient_of_an_isolated_head_is_that_of_its_own_parameters(isolated):
    model, _ = randomised(maker(config(head={"size": 4, "isolated": isolated})))
    graph, params = nnx.split(model)

    @jax.jit
    @jax.grad
    def gradient(params):
        _, _, attended = forced(nnx.merge(graph, params))
        return jnp.sum(jnp.log(attended.guided[:, 1:, 0]))

    moved = {
        name: any(bool(jnp.any(leaf)) for leaf in jax.tree.leaves(part))
        for name, part in gradient(params).items()
    }

    learners = {"guided_head"}
    if not isolated:
        learners |= {"encoder", "decoder", "source_embedding", "target_embedding"}
    assert {name for name, does in moved.items() if does} == learners


def test_a_step_and_a_prefix_tell_what_teacher_forcing_finds():
    model, _ = randomised(maker(config("conditional", {"size": 4})))

    @compiled
    def stepped(model):
        encoded = model.encode(SOURCE, LENGTHS)
        state, found = model.initial_state(encoded), []
        for position in range(PREVIOUS.shape[1]):
            state, _, told = model.decode_step(state, PREVIOUS[:, position], encoded)
            found.append(told)
        return jax.tree.map(lambda *steps: jnp.stack(steps, axis=1), *found)

    @compiled
    def read(model):
        encoded = model.encode(SOURCE, LENGTHS)
        embedded, lengths = model.target_embedding(PREVIOUS), jnp.array([3, 3])
        return Seq2Seq.read(model, model.initial_state(encoded), embedded, lengths, encoded)[2]

    _, _, expected = compiled(forced)(model)

    for told in (stepped(model), read(model)):
        np.testing.assert_allclose(told.guided, expected.guided, rtol=1e-5)
        np.testing.assert_allclose(told.weights, expected.weights, rtol=1e-5)
