"""Each mechanism against its equation in NumPy; test_contract has what all of them owe."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.test_util import check_grads
from pydantic import ValidationError

from nmt.attention.mechanisms import Memory, build_attention
from nmt.config import SCORES, AttentionConfig

BATCH, SRC, SIZE = 3, 4, 6


class NarrowScore(nnx.Module):
    """A dot score that is never asked about more or fewer than five positions."""

    def __init__(self, query_size, annotation_size, *, rngs):
        pass

    def keys(self, annotations):
        return annotations

    def __call__(self, query, keys):
        if keys.shape[1] != 5:
            raise AssertionError(f"asked for {keys.shape[1]} scores")
        return (query[:, None, :] * keys).sum(-1)


def _built(*, query_size=SIZE, **options):
    return build_attention(AttentionConfig(**options), query_size, SIZE, rngs=nnx.Rngs(params=0))


def _memory(attention, lengths, *, src=SRC):
    """Random annotations, on padding too."""
    rng = np.random.default_rng(5)
    annotations = jnp.array(rng.normal(size=(len(lengths), src, SIZE)), jnp.float32)
    return Memory(
        annotations=annotations,
        keys=attention.keys(annotations),
        mask=jnp.array(np.arange(src) < np.array(lengths)[:, None]),
        summary=jnp.array(rng.normal(size=(len(lengths), SIZE)), jnp.float32),
    )


def _query(batch=BATCH):
    return jnp.array(np.random.default_rng(6).normal(size=(batch, SIZE)), jnp.float32)


@pytest.mark.parametrize("score", SCORES)
def test_the_global_context_is_the_weighted_sum_of_the_real_annotations(score):
    attention = _built(score=score)
    lengths = [4, 2, 1]
    memory = _memory(attention, lengths)

    context, weights = attention(_query(), memory)

    scores = np.asarray(attention.score(_query(), memory.keys), np.float64)
    annotations = np.asarray(memory.annotations)
    for row, length in enumerate(lengths):
        shares = np.exp(scores[row, :length]) / np.exp(scores[row, :length]).sum()
        expected = sum(share * h for share, h in zip(shares, annotations[row], strict=False))
        np.testing.assert_allclose(weights[row, :length], shares, rtol=1e-5)
        np.testing.assert_array_equal(weights[row, length:], 0)
        np.testing.assert_allclose(context[row], expected, rtol=1e-4, atol=1e-6)


def test_the_global_weights_are_those_of_the_normaliser():
    attention = _built(score="dot", normaliser="sparsemax")
    annotations = jnp.zeros((1, 3, SIZE)).at[0, :, 0].set(jnp.array([0.6, 0.2, -0.9]))
    memory = _memory(attention, [3], src=3).replace(annotations=annotations, keys=annotations)

    context, weights = attention(jnp.zeros((1, SIZE)).at[0, 0].set(1.0), memory)

    np.testing.assert_allclose(weights, [[0.7, 0.3, 0]], atol=1e-6)
    np.testing.assert_allclose(context[0, 0], 0.7 * 0.6 + 0.3 * 0.2, rtol=1e-5)


def _local_p(centre, length, window, scores):
    """Returns the weights of equation 10, one source position at a time."""
    near = [s for s in range(length) if abs(s - centre) <= window]
    total = sum(np.exp(scores[s]) for s in near)
    weights = np.zeros(len(scores))
    for s in near:
        bell = np.exp(-((s - centre) ** 2) / (2 * (window / 2) ** 2))
        weights[s] = np.exp(scores[s]) / total * bell
    return weights


@pytest.mark.parametrize(
    ("src", "window"),
    [(12, 2), (12, 1), (5, 2), (4, 10), (1, 1)],
    ids=["narrow", "narrowest", "as wide as the source", "wider", "one position"],
)
def test_local_p_follows_its_equations(src, window):
    batch = 24
    attention = _built(mechanism="local_p", score="general", window=window)
    attention.position.kernel[...] = 8 * attention.position.kernel[...]  # reaches both ends
    lengths = [src - row % min(src, 3) for row in range(batch)]
    memory, query = _memory(attention, lengths, src=src), _query(batch)

    context, weights = attention(query, memory)

    w, v = (
        np.asarray(layer.kernel, np.float64) for layer in (attention.hidden, attention.position)
    )
    scores = np.asarray(attention.score(query, memory.keys), np.float64)
    annotations, centres = np.asarray(memory.annotations), []
    for row, length in enumerate(lengths):
        hidden = np.tanh(np.asarray(query[row], np.float64) @ w)
        centres.append(length / (1 + np.exp(-hidden @ v[:, 0])))
        expected = _local_p(centres[-1], length, window, scores[row])
        np.testing.assert_allclose(weights[row], expected, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(context[row], expected @ annotations[row], atol=1e-5)
    shares = np.array(centres) / lengths
    assert shares.min() < 0.05
    assert shares.max() > 0.95


def test_the_predicted_position_learns_through_the_bell_curve():
    with jax.enable_x64(True):
        attention = _built(mechanism="local_p", score="general", window=2)
        graph, state = nnx.split(attention)
        memory = _memory(attention, [9, 6, 1], src=9)
        leaves, tree = jax.tree.flatten((state, _query(), memory.annotations))

        @jax.jit
        def attend(leaves):
            state, query, annotations = jax.tree.unflatten(tree, leaves)
            attention = nnx.merge(graph, state)
            keys = attention.keys(annotations)
            return attention(query, memory.replace(annotations=annotations, keys=keys))

        leaves = [leaf.astype(jnp.float64) for leaf in leaves]
        check_grads(attend, (leaves,), order=1, modes=["rev"])
        gradient = jax.grad(lambda leaves: (attend(leaves)[0] ** 2).sum())(leaves)

    state, _, _ = jax.tree.unflatten(tree, map(np.asarray, gradient))
    assert (state["position"]["kernel"][...] != 0).all()
    assert (state["hidden"]["kernel"][...] != 0).all()


def test_local_p_asks_for_no_score_outside_its_window():
    attention = _built(mechanism="local_p", score=f"{__name__}:NarrowScore", window=2)

    _, weights = attention(_query(), _memory(attention, [40, 7, 3], src=40))

    assert ((np.asarray(weights) > 0).sum(axis=1) <= [5, 5, 3]).all()


def test_local_p_counts_beyond_what_bfloat16_can():
    attention = _built(mechanism="local_p", score="general", window=2)
    graph, state = nnx.split(attention)
    rounded = nnx.merge(graph, jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), state))

    centre = rounded.centre(jnp.zeros((1, SIZE), jnp.bfloat16), jnp.ones((1, 1001), bool))

    np.testing.assert_array_equal(centre, [500.5])


def test_uniform_attention_is_the_mean_of_the_real_annotations():
    attention = _built(mechanism="uniform", query_size=2)
    lengths = [4, 2, 0]
    memory = _memory(attention, lengths)

    context, weights = attention(jnp.ones((BATCH, 2)), memory)

    for row, length in enumerate(lengths):
        expected = sum(np.asarray(memory.annotations[row, :length])) / max(length, 1)
        np.testing.assert_allclose(context[row], np.broadcast_to(expected, SIZE), rtol=1e-5)
        shares = [1 / max(length, 1)] * length + [0] * (SRC - length)
        np.testing.assert_allclose(weights[row], shares, rtol=1e-6)
    assert jax.tree.leaves(nnx.state(attention)) == []


def test_without_attention_the_context_is_the_summary_and_all_weights_are_zero():
    attention = _built(mechanism="none", query_size=2)
    memory = _memory(attention, [4, 2, 0])

    context, weights = attention(jnp.ones((BATCH, 2)), memory)

    np.testing.assert_array_equal(context, memory.summary)
    np.testing.assert_array_equal(weights, np.zeros((BATCH, SRC)))
    assert jax.tree.leaves(nnx.state(attention)) == []


@pytest.mark.parametrize("mechanism", ["uniform", "none"])
@pytest.mark.parametrize(
    ("option", "value"), [("score_options", {"hidden_size": 5}), ("normaliser", "sparsemax")]
)
def test_an_option_that_a_mechanism_does_not_read_is_refused(mechanism, option, value):
    message = (
        rf"`mechanism: {mechanism}` has no scores, so that `{option}` would do nothing: "
        "leave it out, or choose `mechanism: global` or `local_p`"
    )
    with pytest.raises(ValidationError, match=message):
        AttentionConfig(mechanism=mechanism, **{option: value})


def test_a_window_of_the_location_score_is_refused():
    message = (
        "`mechanism: local_p` .* `score: location` .*: choose another score, or `mechanism: gl"
    )
    with pytest.raises(ValidationError, match=message):
        AttentionConfig(mechanism="local_p", score="location")
