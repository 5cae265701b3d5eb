import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.decoding.hypotheses import BLOCK, bound, expand, forbid, largest, normalise

KINDS = ["none", "average", "gnmt"]


# log p, length, alpha, and the score worked out by hand.
@pytest.mark.parametrize(
    ("kind", "log_prob", "length", "alpha", "expected"),
    [
        ("none", -6.0, 4, 1.0, -6.0),
        ("average", -6.0, 4, 1.0, -1.5),
        ("average", -6.0, 4, 0.5, -3.0),
        ("average", -6.0, 4, 0.0, -6.0),
        ("gnmt", -6.0, 1, 0.6, -6.0),  # (5 + 1) / 6 = 1
        ("gnmt", -6.0, 7, 1.0, -3.0),  # (5 + 7) / 6 = 2
        ("gnmt", -6.0, 19, 0.5, -3.0),  # (5 + 19) / 6 = 4, its root 2
    ],
)
def test_scores_follow_the_formula(kind, log_prob, length, alpha, expected):
    score = normalise(jnp.array([[log_prob]]), jnp.array([[length]]), kind=kind, alpha=alpha)

    np.testing.assert_allclose(score, [[expected]], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_an_absent_hypothesis_keeps_its_score(kind, alpha):
    absent = jnp.full((1, 2), -jnp.inf)

    scores = normalise(absent, jnp.array([[0, 3]]), kind=kind, alpha=alpha)

    np.testing.assert_array_equal(scores, absent)


@pytest.mark.parametrize("kind", KINDS)
@given(
    log_prob=st.floats(-50, 0, width=32, allow_subnormal=False),
    loss=st.floats(0, 50, width=32, allow_subnormal=False),
    length=st.integers(1, 30),
    rest=st.integers(0, 30),
    alpha=st.floats(0, 2, width=32),
)
def test_no_continuation_beats_the_bound(kind, log_prob, loss, length, rest, alpha):
    now, later = jnp.array([[log_prob]]), jnp.array([[log_prob - loss]])

    highest = bound(now, jnp.array([[length + rest]]), kind=kind, alpha=alpha)
    score = normalise(later, jnp.array([[length]]), kind=kind, alpha=alpha)

    # Float32 powers of the two lengths may differ in the last digit.
    assert score.item() <= highest.item() + 1e-6 * abs(highest.item())


def test_every_hypothesis_of_a_sentence_starts_from_its_state():
    keys = jax.random.split(jax.random.key(3), 2)
    state = {"hidden": jnp.array([[1.0, 2.0], [3.0, 4.0]]), "keys": keys}

    expanded = expand(state, 3)

    np.testing.assert_array_equal(expanded["hidden"], [[[1.0, 2.0]] * 3, [[3.0, 4.0]] * 3])
    assert (expanded["keys"] == keys[:, None]).all()
    assert expanded["keys"].shape == (2, 3)


def test_forbidden_tokens_become_impossible_and_the_rest_stays():
    log_probs = jnp.array([[[-1.0, -2.0, -3.0, -4.0]]])

    allowed = forbid(log_probs, 1, 3)

    np.testing.assert_array_equal(allowed, [[[-1.0, -np.inf, -3.0, -np.inf]]])


@pytest.mark.parametrize("size", [10, 5 * BLOCK, 20 * BLOCK, 37 * BLOCK - 1])
@pytest.mark.parametrize("k", [1, 6])
def test_the_largest_values_are_those_that_a_stable_sort_puts_first(size, k):
    rng = np.random.default_rng(size)
    levels = np.repeat([2, 3, 50, 10**6], 5)  # many ties, few ties, none
    values = rng.integers(levels[:, None], size=(20, size)).astype(np.float32)
    impossible = np.tile([0.0, 0.3, 0.9, 0.98, 0.99], 4)
    values[rng.random(values.shape) < impossible[:, None]] = -np.inf
    values[-1] = -np.inf

    best, places = largest(jnp.array(values), k)

    expected = np.argsort(-values, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_array_equal(best, np.take_along_axis(values, expected, axis=1))
