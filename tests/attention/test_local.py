"""Local attention against Luong's equations in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.test_util import check_grads
from memories import SIZE, attend, attend_again, built, configured, memory_of, query_of
from pydantic import ValidationError


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


def _near(center, length, window):
    """Returns the real positions of a window."""
    return [s for s in range(length) if abs(s - center) <= window]


def _aligned(near, scores):
    """Returns the softmax of the scores near by, and zeros."""
    total = sum(np.exp(scores[s]) for s in near)
    return np.array([np.exp(scores[s]) / total if s in near else 0 for s in range(len(scores))])


def _local_p(center, length, window, scores):
    """Returns the weights of equation 10, one source position at a time."""
    weights = _aligned(_near(center, length, window), scores)
    return weights * np.exp(-((np.arange(len(scores)) - center) ** 2) / (2 * (window / 2) ** 2))


@pytest.mark.parametrize(
    ("src", "window"),
    [(12, 2), (12, 1), (5, 2), (4, 10), (1, 1)],
    ids=["narrow", "narrowest", "as wide as the source", "wider", "one position"],
)
def test_local_p_follows_its_equations(src, window):
    batch = 24
    attention = built(mechanism="local_p", score="general", window=window)
    attention.position.kernel[...] = 8 * attention.position.kernel[...]  # reaches both ends
    lengths = [src - row % min(src, 3) for row in range(batch)]
    encoded, query = memory_of(attention, lengths, src=src), query_of(batch)

    context, weights = attend(attention, query, encoded)

    w, v = (
        np.asarray(layer.kernel, np.float64) for layer in (attention.hidden, attention.position)
    )
    scores = np.asarray(attention.score(query, encoded.keys), np.float64)
    annotations, centers = np.asarray(encoded.annotations), []
    for row, length in enumerate(lengths):
        hidden = np.tanh(np.asarray(query[row], np.float64) @ w)
        centers.append(length / (1 + np.exp(-hidden @ v[:, 0])))
        expected = _local_p(centers[-1], length, window, scores[row])
        np.testing.assert_allclose(weights[row], expected, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(context[row], expected @ annotations[row], atol=1e-5)
    shares = np.array(centers) / lengths
    assert shares.min() < 0.05
    assert shares.max() > 0.95


def test_the_predicted_position_learns_through_the_bell_curve():
    with jax.enable_x64(True):
        attention = built(mechanism="local_p", score="general", window=2)
        graph, state = nnx.split(attention)
        encoded = memory_of(attention, [9, 6, 1], src=9)
        leaves, tree = jax.tree.flatten((state, query_of(), encoded.annotations))

        @jax.jit
        def found(leaves):
            state, query, annotations = jax.tree.unflatten(tree, leaves)
            attention = nnx.merge(graph, state)
            keys = attention.keys(annotations)
            return attend(attention, query, encoded.replace(annotations=annotations, keys=keys))

        leaves = [leaf.astype(jnp.float64) for leaf in leaves]
        check_grads(found, (leaves,), order=1, modes=["rev"])
        gradient = jax.grad(lambda leaves: (found(leaves)[0] ** 2).sum())(leaves)

    state, _, _ = jax.tree.unflatten(tree, map(np.asarray, gradient))
    assert (state["position"]["kernel"][...] != 0).all()
    assert (state["hidden"]["kernel"][...] != 0).all()


@pytest.mark.parametrize("window", [1, 2, 10])
def test_local_m_attends_around_the_diagonal_and_stays_at_the_last_position(window):
    attention = built(mechanism="local_m", score="general", window=window)
    lengths, src, query = [9, 4, 1, 0], 9, query_of(4)
    encoded = memory_of(attention, lengths, src=src)
    scores = np.asarray(attention.score(query, encoded.keys), np.float64)

    found = attend_again(attention, query, encoded, steps=21)

    for time in (0, 3, 8, 20):
        context, weights = (each[time] for each in found)
        for row, length in enumerate(lengths):
            near = _near(min(time, max(length - 1, 0)), length, window)
            expected = _aligned(near, scores[row])
            np.testing.assert_allclose(weights[row], expected, rtol=1e-4, atol=1e-7)
            np.testing.assert_allclose(
                context[row], expected @ np.asarray(encoded.annotations[row]), atol=1e-5
            )


@pytest.mark.parametrize("mechanism", ["local_m", "local_p"])
def test_no_score_outside_a_window_is_asked_for(mechanism):
    attention = built(mechanism=mechanism, score=f"{__name__}:NarrowScore", window=2)

    _, weights = attend(attention, query_of(), memory_of(attention, [40, 7, 3], src=40))

    assert ((np.asarray(weights) > 0).sum(axis=1) <= [5, 5, 3]).all()


def test_local_p_counts_beyond_what_bfloat16_can():
    attention = built(mechanism="local_p", score="general", window=2)
    graph, state = nnx.split(attention)
    rounded = nnx.merge(graph, jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), state))

    center = rounded.center(jnp.zeros((1, SIZE), jnp.bfloat16), jnp.ones((1, 1001), bool))

    np.testing.assert_array_equal(center, [500.5])


@pytest.mark.parametrize("mechanism", ["local_m", "local_p"])
def test_a_window_of_the_location_score_is_refused(mechanism):
    message = (
        f"`mechanism: {mechanism}` .* `score: location` .*: choose another score, or `mechanism: gl"
    )
    with pytest.raises(ValidationError, match=message):
        configured(mechanism=mechanism, score="location")
