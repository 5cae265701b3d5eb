import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.decoding.hypotheses import bound, expand, forbid, normalise

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
    log_prob=st.floats(-50, 0, width=32),
    loss=st.floats(0, 50, width=32),
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
