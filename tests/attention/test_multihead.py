"""Multi-head attention against a NumPy loop over heads and positions."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from memories import SIZE, attend, built, memory_of, query_of
from pydantic import ValidationError

from nmt.config import ModelConfig

LENGTHS = [4, 2, 1]


def _kernels(attention):
    return {
        name: np.asarray(getattr(attention, name).kernel, np.float64)
        for name in ("query", "key", "value", "output")
    }


def _scaled_dot(attention, q, k):
    return q @ k / np.sqrt(len(q))


def _additive(attention, q, k):
    score = attention.score
    w, u, v = (np.asarray(x.kernel, np.float64) for x in (score.query, score.key, score.energy))
    return np.tanh(q @ w + k @ u) @ v[:, 0]


def _one_head(attention, n, s, annotations, compare):
    """Returns head n of equation 1, with the values projected before the sum, and its weights."""
    kernels, size = _kernels(attention), SIZE // attention.heads
    part = slice(n * size, (n + 1) * size)
    q = s @ kernels["query"][:, part]
    scores = [compare(attention, q, h @ kernels["key"][:, part]) for h in annotations]
    weights = np.exp(scores) / np.exp(scores).sum()
    values = [h @ kernels["value"][:, part] for h in annotations]
    return sum(weight * value for weight, value in zip(weights, values, strict=True)), weights


@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize(
    ("score", "compare"), [("scaled_dot", _scaled_dot), ("additive", _additive)]
)
def test_the_context_is_that_of_all_heads_through_one_matrix(score, compare, heads):
    attention = built(mechanism="multi_head", score=score, heads=heads, query_size=SIZE)
    encoded, query = memory_of(attention, LENGTHS), query_of()

    context, weights = attend(attention, query, encoded)

    annotations = np.asarray(encoded.annotations, np.float64)
    for row, length in enumerate(LENGTHS):
        real, s = annotations[row, :length], np.asarray(query[row], np.float64)
        found = [_one_head(attention, n, s, real, compare) for n in range(heads)]
        expected = np.concatenate([head for head, _ in found]) @ _kernels(attention)["output"]
        np.testing.assert_allclose(context[row], expected, rtol=1e-4, atol=1e-5)
        mean = sum(weights for _, weights in found) / heads
        np.testing.assert_allclose(weights[row, :length], mean, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(weights[row, length:], 0)


@pytest.mark.parametrize("score", ["additive", "scaled_dot", "location"])
def test_one_head_with_identities_for_projections_is_global_attention(score):
    plain, attention = built(score=score), built(mechanism="multi_head", score=score, heads=1)
    nnx.update(plain.score, nnx.state(attention.score))
    for layer in (attention.query, attention.key, attention.value, attention.output):
        layer.kernel[...] = jnp.eye(SIZE)
    encoded = memory_of(attention, LENGTHS)

    found = attend(attention, query_of(), encoded)

    np.testing.assert_array_equal(encoded.keys, plain.keys(encoded.annotations))
    for one, expected in zip(found, attend(plain, query_of(), encoded), strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-6)


def test_each_head_has_the_weights_of_the_normaliser():
    """Two heads of three components: the first is all for position 0, the second half and half."""
    attention = built(mechanism="multi_head", score="dot", heads=2, normalizer="sparsemax")
    for layer in (attention.query, attention.key, attention.value, attention.output):
        layer.kernel[...] = jnp.eye(SIZE)
    annotations = jnp.zeros((1, 2, SIZE)).at[0, 0, 0].set(3.0).at[0, :, 3].set(1.0)
    encoded = memory_of(attention, [2], src=2)
    encoded = encoded.replace(annotations=annotations, keys=attention.keys(annotations))

    context, weights = attend(attention, jnp.ones((1, SIZE)), encoded)

    np.testing.assert_allclose(weights, [[0.75, 0.25]], rtol=1e-6)
    np.testing.assert_allclose(context, [[3, 0, 0, 1, 0, 0]], atol=1e-6)


def test_a_query_of_another_width_is_projected_too():
    attention = built(mechanism="multi_head", score="scaled_dot", heads=3, query_size=5)

    context, _ = attend(attention, jnp.ones((3, 5)), memory_of(attention, LENGTHS))

    assert context.shape == (3, SIZE)
    assert ModelConfig(
        encoder={"hidden_size": 4},
        decoder={"hidden_size": 5},
        attention={"mechanism": "multi_head", "score": "dot", "heads": 2},
    )


def test_the_score_is_as_wide_as_a_head_and_there_is_one():
    attention = built(mechanism="multi_head", score="general", heads=3)

    assert attention.score.key.kernel.shape == (2, 2)


def test_heads_of_unequal_width_are_refused():
    message = r"`attention\.heads` \(4\) must divide the size of an annotation \(10\), twice"
    with pytest.raises(ValidationError, match=message):
        ModelConfig(encoder={"hidden_size": 5}, attention={"mechanism": "multi_head", "heads": 4})

    assert ModelConfig(
        encoder={"hidden_size": 6}, attention={"mechanism": "multi_head", "heads": 4}
    )
