"""Soft attention and the baselines against their equations; test_contract has what all owe."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from memories import BATCH, SIZE, SRC, attend, built, memory_of, query_of

from nmt.config import SCORES


@pytest.mark.parametrize("score", SCORES)
def test_the_global_context_is_the_weighted_sum_of_the_real_annotations(score):
    attention = built(score=score)
    lengths = [4, 2, 1]
    encoded = memory_of(attention, lengths)

    context, weights = attend(attention, query_of(), encoded)

    scores = np.asarray(attention.score(query_of(), encoded.keys), np.float64)
    annotations = np.asarray(encoded.annotations)
    for row, length in enumerate(lengths):
        shares = np.exp(scores[row, :length]) / np.exp(scores[row, :length]).sum()
        expected = sum(share * h for share, h in zip(shares, annotations[row], strict=False))
        np.testing.assert_allclose(weights[row, :length], shares, rtol=1e-5)
        np.testing.assert_array_equal(weights[row, length:], 0)
        np.testing.assert_allclose(context[row], expected, rtol=1e-4, atol=1e-6)


def test_the_global_weights_are_those_of_the_normaliser():
    attention = built(score="dot", normalizer="sparsemax")
    annotations = jnp.zeros((1, 3, SIZE)).at[0, :, 0].set(jnp.array([0.6, 0.2, -0.9]))
    encoded = memory_of(attention, [3], src=3).replace(annotations=annotations, keys=annotations)

    context, weights = attend(attention, jnp.zeros((1, SIZE)).at[0, 0].set(1.0), encoded)

    np.testing.assert_allclose(weights, [[0.7, 0.3, 0]], atol=1e-6)
    np.testing.assert_allclose(context[0, 0], 0.7 * 0.6 + 0.3 * 0.2, rtol=1e-5)


def test_uniform_attention_is_the_mean_of_the_real_annotations():
    attention = built(mechanism="uniform", query_size=2)
    lengths = [4, 2, 0]
    encoded = memory_of(attention, lengths)

    context, weights = attend(attention, jnp.ones((BATCH, 2)), encoded)

    for row, length in enumerate(lengths):
        expected = sum(np.asarray(encoded.annotations[row, :length])) / max(length, 1)
        np.testing.assert_allclose(context[row], np.broadcast_to(expected, SIZE), rtol=1e-5)
        shares = [1 / max(length, 1)] * length + [0] * (SRC - length)
        np.testing.assert_allclose(weights[row], shares, rtol=1e-6)
    assert jax.tree.leaves(nnx.state(attention)) == []


def test_without_attention_the_context_is_the_summary_and_all_weights_are_zero():
    attention = built(mechanism="none", query_size=2)
    encoded = memory_of(attention, [4, 2, 0])

    context, weights = attend(attention, jnp.ones((BATCH, 2)), encoded)

    np.testing.assert_array_equal(context, encoded.summary)
    np.testing.assert_array_equal(weights, np.zeros((BATCH, SRC)))
    assert jax.tree.leaves(nnx.state(attention)) == []
