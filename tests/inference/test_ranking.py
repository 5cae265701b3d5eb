import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import DecodingConfig
from nmt.inference.ranking import Ranking, coverage_penalty


def ranking(penalty, beta=0.0):
    return Ranking.of(DecodingConfig(length_penalty=penalty, coverage_penalty=beta))


# log p, length, alpha, and the score worked out by hand.
@pytest.mark.parametrize(
    ("penalty", "log_prob", "length", "expected"),
    [
        ({"kind": "none"}, -6.0, 4, -6.0),
        ({"kind": "average"}, -6.0, 4, -1.5),
        ({"kind": "average", "alpha": 0.5}, -6.0, 4, -3.0),
        ({"kind": "average", "alpha": 0.0}, -6.0, 4, -6.0),
        ({"kind": "gnmt", "alpha": 0.6}, -6.0, 1, -6.0),  # (5 + 1) / 6 = 1
        ({"kind": "gnmt", "alpha": 1.0}, -6.0, 7, -3.0),  # (5 + 7) / 6 = 2
        ({"kind": "gnmt", "alpha": 0.5}, -6.0, 19, -3.0),  # (5 + 19) / 6 = 4, its root 2
    ],
)
def test_scores_follow_the_formula(penalty, log_prob, length, expected):
    score = ranking(penalty).score(jnp.array([[log_prob]]), jnp.array([[length]]))

    np.testing.assert_allclose(score, [[expected]], rtol=1e-6)


def test_the_penalty_of_coverage_is_that_of_its_equation():
    # Positions that got 0.5, 2 and 1 of the attention, and padding: log 0.5 + log 1 + log 1.
    covered = coverage_penalty(
        jnp.array([[0.5, 2.0, 1.0, 0.0]]), jnp.array([[True, True, True, False]])
    )
    score = ranking({"kind": "average"}, beta=0.2).score(jnp.array([-6.0]), jnp.array([4]), covered)

    np.testing.assert_allclose(covered, [np.log(0.5)], rtol=1e-6)
    np.testing.assert_allclose(score, [-1.5 + 0.2 * np.log(0.5)], rtol=1e-6)


def test_a_position_without_any_attention_leaves_the_score_finite():
    covered = coverage_penalty(jnp.array([[0.0, 1.0]]), jnp.array([[True, True]]))

    assert np.isfinite(covered).all()


PENALTIES = st.one_of(
    st.just({"kind": "none"}),
    st.builds(
        lambda kind, alpha: {"kind": kind, "alpha": alpha},
        st.sampled_from(["average", "gnmt"]),
        st.floats(0, 2),
    ),
)


@given(penalty=PENALTIES, length=st.integers(0, 3))
def test_an_absent_hypothesis_keeps_its_score(penalty, length):
    absent = jnp.full((1, 2), -jnp.inf)

    scores = ranking(penalty).score(absent, jnp.full((1, 2), length))

    np.testing.assert_array_equal(scores, absent)


@given(
    penalty=PENALTIES,
    log_prob=st.floats(-50, 0, width=32, allow_subnormal=False),
    loss=st.floats(0, 50, width=32, allow_subnormal=False),
    length=st.integers(1, 30),
    rest=st.integers(0, 30),
    covered=st.floats(-9, 0, width=32),
)
def test_no_continuation_beats_the_bound(penalty, log_prob, loss, length, rest, covered):
    now, later = jnp.array([[log_prob]]), jnp.array([[log_prob - loss]])
    by = ranking(penalty, beta=0.5)

    highest = by.bound(now, jnp.array([[length + rest]]))
    score = by.score(later, jnp.array([[length]]), jnp.array([[covered]]))

    # Float32 powers of the two lengths may differ in the last digit.
    assert score.item() <= highest.item() + 1e-6 * abs(highest.item())
