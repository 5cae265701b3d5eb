"""Monotonic attention against the process that it is the expectation of, played in Python."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jax.test_util import check_grads
from pydantic import ValidationError

from nmt.attention.interface import EncodedSource
from nmt.config import MonotonicConfig

SRC, STEPS = 3, 3
LENGTHS = [3, 2, 0]
OUTCOMES = [
    np.reshape(stops, (STEPS, SRC)) for stops in itertools.product([0, 1], repeat=STEPS * SRC)
]


def _logits(elements):
    return arrays(np.float32, (len(LENGTHS), STEPS, SRC), elements=elements)


class CountedScore(nnx.Module):
    """A dot score that counts how often it is asked, of one key at a time."""

    asked = 0

    def __init__(self, query_size, annotation_size, *, rngs):
        pass

    def keys(self, annotations):
        return annotations

    def __call__(self, query, keys):
        if keys.shape[1] != 1:
            raise AssertionError(f"asked for {keys.shape[1]} scores")
        CountedScore.asked += 1
        return (query[:, None, :] * keys).sum(-1)


def _attention(size=STEPS, *, score="dot", offset=0.0, noise=0.0):
    config = MonotonicConfig(score=score, offset=offset, noise=noise)
    return config.build(size, size, rngs=nnx.Rngs(params=0))


def _attend(attention, logits, lengths, *, draws=False, training=False):
    """Returns contexts and weights where the scores of the i-th target position are logits[:, i].

    The i-th query is the i-th unit vector, and annotations have its products as components.
    """
    graph, state = nnx.split(attention)
    return _attended(graph, state, logits, jnp.array(lengths), draws or training, training)


@partial(jax.jit, static_argnums=(0, 4, 5))
def _attended(graph, state, logits, lengths, draws, training):
    attention = nnx.merge(graph, state)
    annotations = jnp.swapaxes(logits, 1, 2)
    batch, src, size = annotations.shape
    encoded = EncodedSource(
        annotations=annotations,
        keys=annotations,
        mask=jnp.arange(src)[None, :] < lengths[:, None],
        summary=annotations[:, 0],
        sample_keys=jax.random.split(jax.random.key(3), batch) if draws else None,
        training=training,
    )

    def step(state, unit):
        query = jnp.broadcast_to(unit[None, :], (batch, size))
        context, attended, state = attention(query, encoded, state)
        return state, (context, attended.weights)

    units = jnp.eye(size, dtype=annotations.dtype)
    _, found = jax.lax.scan(step, attention.initial_state(encoded), units)
    return jax.tree.map(lambda times: times.swapaxes(0, 1), found)


@jax.jit
def _expected(logits):
    return _attend(_attention(), logits, LENGTHS, training=True)


@jax.jit
def _hard(logits):
    return _attend(_attention(), logits, LENGTHS)


def _sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def _process(stops, length):
    """Returns the one-hot weights of each target position, where it is given what stops where."""
    weights, position = np.zeros(np.shape(stops)), 0
    for i, stops_now in enumerate(stops):
        while position < length and not stops_now[position]:
            position += 1
        if position < length:
            weights[i, position] = 1
    return weights


PLAYED = {
    length: np.array([_process(stops, length) for stops in OUTCOMES]) for length in set(LENGTHS)
}


# XLA takes a subnormal number for zero, NumPy does not.
LOGITS = st.floats(-30, 30, width=32, allow_subnormal=False)


@given(logits=_logits(LOGITS))
def test_training_weights_are_the_mean_over_all_outcomes_of_the_process(logits):
    contexts, weights = _expected(logits)

    for row, length in enumerate(LENGTHS):
        p = _sigmoid(logits[row])
        chances = [np.prod(np.where(stops, p, 1 - p)) for stops in OUTCOMES]
        expected = np.einsum("o,ots->ts", chances, PLAYED[length])
        np.testing.assert_allclose(weights[row], expected, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(contexts[row], expected @ logits[row].T, rtol=1e-4, atol=1e-4)


@given(logits=_logits(LOGITS))
def test_translating_takes_the_first_position_of_at_least_one_half(logits):
    contexts, weights = _hard(logits)

    for row, length in enumerate(LENGTHS):
        expected = _process(logits[row] >= 0, length)
        np.testing.assert_array_equal(weights[row], expected)
        np.testing.assert_allclose(contexts[row], expected @ logits[row].T, rtol=1e-6)


@given(logits=_logits(st.sampled_from([-200.0, 200.0])))
def test_training_and_translating_are_one_where_nothing_is_left_to_chance(logits):
    for trained, hard in zip(_expected(logits), _hard(logits), strict=True):
        np.testing.assert_allclose(trained, hard, atol=1e-6)


def _equation_9(p):
    """Returns alpha of each target position, by the double loop that the paper prints."""
    steps, src = p.shape
    alpha, before = np.zeros((steps, src)), np.eye(src)[0]
    for i in range(steps):
        for j in range(src):
            for k in range(j + 1):
                alpha[i, j] += p[i, j] * before[k] * np.prod(1 - p[i, k:j])
        before = alpha[i]
    return alpha


@pytest.mark.parametrize("spread", [1.0, 30.0])
def test_training_weights_follow_equation_9_on_longer_sources(spread):
    src, lengths = 40, [40, 33, 1]
    logits = spread * np.random.default_rng(1).normal(size=(3, 6, src)).astype(np.float32) - 1

    _, weights = _attend(_attention(6), jnp.array(logits), lengths, training=True)

    for row, length in enumerate(lengths):
        expected = _equation_9(_sigmoid(logits[row, :, :length]))
        np.testing.assert_allclose(weights[row, :, :length], expected, rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(weights[row, :, length:], 0)


def test_gradients_of_the_expectation_are_those_of_finite_differences():
    with jax.enable_x64(True):
        attention = _attention(offset=-1.0)
        graph, state = nnx.split(attention)
        offset = state["offset"][...].astype(jnp.float64)
        logits = jnp.array(np.random.default_rng(2).normal(size=(3, STEPS, SRC)))

        @jax.jit
        def attend(offset, logits):
            attention = nnx.merge(graph, jax.tree.map(lambda _: offset, state))
            return _attend(attention, logits, LENGTHS, training=True)

        check_grads(attend, (offset, logits), order=1, modes=["rev"])
        gradient = float(jax.grad(lambda offset: attend(offset, logits)[1].sum())(offset))

    assert gradient != 0


@pytest.mark.parametrize("training", [True, False])
def test_the_offset_is_added_to_the_scores(training):
    logits = jnp.array(np.random.default_rng(4).normal(size=(3, STEPS, SRC)), jnp.float32)

    _, weights = _attend(_attention(offset=0.75), logits, LENGTHS, training=training)

    _, expected = _attend(_attention(), logits + 0.75, LENGTHS, training=training)
    np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-7)


def test_a_sentence_takes_no_more_scores_than_source_and_target_have_positions():
    rng, src, steps = np.random.default_rng(6), 9, 7
    attention = _attention(steps, score=f"{__name__}:CountedScore")
    for bias in (-5, -1, 0, 5):
        logits = rng.normal(size=(1, steps, src)).astype(np.float32) + bias
        CountedScore.asked = 0

        with jax.disable_jit():
            _, weights = _attend(attention, jnp.array(logits), [src])

        played = _process(logits[0] >= 0, src)
        np.testing.assert_array_equal(weights[0], played)
        stopped = played.any(axis=1)
        passed = played.argmax(axis=1)[stopped].max(initial=0) if stopped.all() else src
        assert CountedScore.asked == passed + stopped.sum()


def test_positions_are_drawn_as_often_as_the_expectation_says():
    rows = 4000
    logits = np.random.default_rng(7).normal(size=(1, STEPS, SRC)).astype(np.float32)
    many = jnp.array(np.repeat(logits, rows, axis=0))

    _, weights = _attend(_attention(), many, [SRC] * rows, draws=True)

    expected = _equation_9(_sigmoid(logits[0]))
    four_sigma = 4 * np.sqrt(expected * (1 - expected) / rows)
    assert (np.abs(np.mean(weights, axis=0) - expected) < four_sigma).all()
    assert (np.isin(weights, [0, 1])).all()


def test_the_noise_of_training_is_gaussian_and_new_at_each_target_position():
    rows, noise = 4000, 0.5
    logits = jnp.full((rows, 2, 2), 0.25, jnp.float32)

    _, weights = _attend(_attention(2, noise=noise), logits, [1] * rows, training=True)

    first = np.asarray(weights[:, 0, 0], np.float64)
    second = np.asarray(weights[:, 1, 0], np.float64) / first
    drawn = np.log([first / (1 - first), second / (1 - second)]) - 0.25
    np.testing.assert_allclose(drawn.mean(axis=1), 0, atol=4 * noise / np.sqrt(rows))
    np.testing.assert_allclose(drawn.std(axis=1), noise, rtol=4 / np.sqrt(2 * rows))
    assert np.abs(np.corrcoef(drawn)[0, 1]) < 4 / np.sqrt(rows)


def test_at_the_start_a_pointer_passes_over_e_to_the_minus_r_positions():
    src = 60

    _, weights = _attend(_attention(1, offset=-1.0), jnp.zeros((1, 1, src)), [src], training=True)

    mean = np.asarray(weights[0, 0]) @ np.arange(src)
    np.testing.assert_allclose(mean, np.e, rtol=1e-4)


def test_monotonic_attention_over_the_location_score_is_refused():
    message = "`mechanism: monotonic` compares one position after the other, .*: choose another"
    with pytest.raises(ValidationError, match=message):
        MonotonicConfig(score="location")


def test_noise_is_not_negative():
    with pytest.raises(ValidationError, match="noise"):
        MonotonicConfig(noise=-0.5)
