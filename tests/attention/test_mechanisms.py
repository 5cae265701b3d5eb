"""The softmax over real positions, and what every score and mechanism owes the decoder."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmt.attention.mechanisms import Memory, build_attention, masked_softmax
from nmt.config import SCORES, AttentionConfig

BATCH, SRC, SIZE = 3, 4, 6
ROWS, COLUMNS = 3, 5

softmax = jax.jit(masked_softmax)
masks = arrays(bool, (ROWS, COLUMNS))


def _scores(largest):
    return arrays(np.float32, (ROWS, COLUMNS), elements=st.floats(-largest, largest, width=32))


@pytest.fixture(params=[*SCORES, "none"])
def attention(request):
    """Every mechanism, and the global one with every score; location has too few positions."""
    mechanism = "none" if request.param == "none" else "global"
    location = request.param == "location"
    config = AttentionConfig(
        mechanism=mechanism,
        score="additive" if mechanism == "none" else request.param,
        score_options={"max_positions": SRC - 1} if location else {},
    )
    return build_attention(config, SIZE, SIZE, rngs=nnx.Rngs(params=0))


def _memory(attention, lengths, *, src=SRC):
    """Random annotations, on padding too; a longer `src` adds more of them and changes none."""
    rng = np.random.default_rng(5)
    summary = rng.normal(size=(BATCH, SIZE))
    by_position = rng.normal(size=(src, BATCH, SIZE))
    annotations = jnp.array(by_position.swapaxes(0, 1), jnp.float32)
    return Memory(
        annotations=annotations,
        keys=attention.keys(annotations),
        mask=jnp.array(np.arange(src) < np.array(lengths)[:, None]),
        summary=jnp.array(summary, jnp.float32),
    )


def _query():
    return jnp.array(np.random.default_rng(6).normal(size=(BATCH, SIZE)), jnp.float32)


@given(_scores(2.0**100), masks)
def test_weights_sum_to_one_over_real_positions_and_are_zero_elsewhere(scores, mask):
    weights = np.asarray(softmax(scores, mask))

    np.testing.assert_array_equal(weights[~mask], 0)
    np.testing.assert_allclose(weights.sum(axis=1), mask.any(axis=1), rtol=1e-6)
    assert (weights >= 0).all()


@given(_scores(30), masks)
def test_weights_are_the_softmax_of_the_real_scores_alone(scores, mask):
    weights = np.asarray(softmax(scores, mask))

    for row in range(ROWS):
        real = np.exp(scores[row, mask[row]].astype(np.float64))
        np.testing.assert_allclose(weights[row, mask[row]], real / real.sum(), rtol=1e-4)


def test_a_row_without_real_positions_has_neither_weights_nor_a_gradient():
    scores = jnp.array([[1.0, -2.0, 3e38], [0.5, 2.0, 1.0]])
    mask = jnp.array([[False, False, False], [True, True, True]])

    weights = masked_softmax(scores, mask)
    gradient = jax.grad(lambda scores: (masked_softmax(scores, mask)[:, 1] ** 2).sum())(scores)

    np.testing.assert_array_equal(weights[0], 0)
    np.testing.assert_array_equal(gradient[0], 0)
    assert np.isfinite(gradient).all()
    assert (gradient[1] != 0).all()


def test_weights_are_float32_whatever_the_type_of_the_scores():
    scores = jnp.array([[0.1, 0.2, 3.0]], jnp.bfloat16)

    weights = masked_softmax(scores, jnp.array([[True, True, False]]))

    assert weights.dtype == jnp.float32
    real = np.exp(np.asarray(scores[0, :2]).astype(np.float64))
    np.testing.assert_allclose(weights[0, :2], real / real.sum(), rtol=1e-6)


@pytest.mark.parametrize("score", SCORES)
def test_the_context_is_the_weighted_sum_of_the_real_annotations(score):
    attention = build_attention(AttentionConfig(score=score), SIZE, SIZE, rngs=nnx.Rngs(params=0))
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


def test_without_attention_the_context_is_the_summary_and_all_weights_are_zero():
    attention = build_attention(AttentionConfig(mechanism="none"), 2, SIZE, rngs=nnx.Rngs(params=0))
    memory = _memory(attention, [4, 2, 0])

    context, weights = attention(jnp.ones((BATCH, 2)), memory)

    np.testing.assert_array_equal(context, memory.summary)
    np.testing.assert_array_equal(weights, np.zeros((BATCH, SRC)))
    assert jax.tree.leaves(nnx.state(attention)) == []


def test_a_row_does_not_depend_on_the_batch_around_it(attention):
    memory, query = _memory(attention, [4, 2, 0]), _query()

    context, weights = attention(query, memory)

    for row in range(BATCH):
        only = slice(row, row + 1)
        alone = attention(query[only], jax.tree.map(lambda part, only=only: part[only], memory))
        np.testing.assert_allclose(alone[0], context[only], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(alone[1], weights[only], rtol=1e-5)


def test_padding_to_a_longer_width_changes_nothing(attention):
    lengths = [4, 2, 1]
    context, weights = attention(_query(), _memory(attention, lengths))

    padded_context, padded_weights = attention(_query(), _memory(attention, lengths, src=SRC + 2))

    np.testing.assert_allclose(padded_context, context, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(padded_weights[:, :SRC], weights, rtol=1e-5)
    np.testing.assert_array_equal(padded_weights[:, SRC:], 0)


def test_gradients_are_finite_for_one_real_position_and_for_none(attention):
    graph, state = nnx.split(attention)
    memory = _memory(attention, [1, 0, 4])

    @jax.jit
    @jax.grad
    def gradient(inputs):
        state, query, annotations, summary = inputs
        attention = nnx.merge(graph, state)
        keys = attention.keys(annotations)
        context, weights = attention(
            query, Memory(annotations=annotations, keys=keys, mask=memory.mask, summary=summary)
        )
        return (context**2).sum() + (weights**2).sum()

    gradients = gradient((state, _query(), memory.annotations, memory.summary))

    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    _, query, annotations, _ = gradients
    np.testing.assert_array_equal(query[1], 0)
    np.testing.assert_array_equal(annotations[1], 0)
