"""Hard attention: what it takes, how often it draws what, and what learning is told."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from memories import SIZE, SRC, built, memory_of, query_of
from pydantic import ValidationError

from nmt.config import HardConfig

DRAWS = 4000


def _softmax(scores, length):
    shares = np.exp(scores[:length]) / np.exp(scores[:length]).sum()
    return np.pad(shares, (0, len(scores) - length))


def _many(**estimator):
    """A mechanism, and one sentence of three positions and a padded one, in many rows.

    Each row has a key of its own. Annotations are unit vectors: a context says what was drawn.
    """
    attention = built(mechanism="hard", score="general", estimator=estimator)
    encoded = memory_of(attention, [3] * DRAWS)
    encoded = encoded.replace(
        annotations=jnp.broadcast_to(jnp.eye(SRC, SIZE)[None], (DRAWS, SRC, SIZE)),
        keys=jnp.broadcast_to(encoded.keys[:1], encoded.keys.shape),
        sample_keys=jax.random.split(jax.random.key(4), DRAWS),
    )
    query = jnp.broadcast_to(query_of(1), (DRAWS, SIZE))
    scores = np.asarray(attention.score(query[:1], encoded.keys[:1]), np.float64)[0]
    return attention, encoded, query, _softmax(scores, 3)


def test_translating_takes_the_most_probable_position():
    attention = built(mechanism="hard", score="general")
    lengths = [4, 2, 1]
    encoded, query = memory_of(attention, lengths), query_of()

    context, attended, _ = attention(query, encoded, attention.initial_state(encoded))

    scores = np.asarray(attention.score(query, encoded.keys), np.float64)
    for row, length in enumerate(lengths):
        shares = _softmax(scores[row], length)
        np.testing.assert_allclose(attended.weights[row], shares, rtol=1e-5)
        expected = encoded.annotations[row, shares.argmax()]
        np.testing.assert_allclose(context[row], expected, rtol=1e-6)
    assert attended.log_choice is None


def test_positions_are_drawn_as_often_as_they_weigh_and_anew_at_each_step():
    attention, encoded, query, shares = _many()
    state, drawn = attention.initial_state(encoded), []

    for _ in range(2):
        context, attended, state = attention(query, encoded, state)
        np.testing.assert_allclose(attended.weights[0], shares, rtol=1e-5)
        np.testing.assert_array_equal(np.sort(context, axis=1)[:, -2:], [[0, 1]] * DRAWS)
        drawn.append(np.asarray(context)[:, :SRC])

    together = np.einsum("ni,nj->ij", *drawn) / DRAWS
    deviation = np.sqrt(0.25 / DRAWS)
    np.testing.assert_allclose(together, np.outer(shares, shares), atol=5 * deviation)
    np.testing.assert_array_equal(together[3], 0)


@pytest.mark.parametrize("soft_fraction", [0.0, 0.5])
def test_in_training_a_share_of_the_sentences_has_the_mean_as_its_context(soft_fraction):
    attention, encoded, query, shares = _many(soft_fraction=soft_fraction)
    encoded = encoded.replace(training=True)
    state = attention.initial_state(encoded)

    for _ in range(2):  # a sentence keeps its kind from step to step
        context, attended, state = attention(query, encoded, state)
        context = np.asarray(context)[:, :SRC]
        soft = np.isclose(context, shares, atol=1e-6).all(axis=1)
        np.testing.assert_array_equal(soft, state.soft)
        chosen = context[~soft].argmax(axis=1)
        np.testing.assert_allclose(attended.log_choice[~soft], np.log(shares[chosen]), rtol=1e-5)
        np.testing.assert_array_equal(attended.log_choice[soft], 0)

    assert abs(soft.mean() - soft_fraction) <= 5 * np.sqrt(
        soft_fraction * (1 - soft_fraction) / DRAWS
    )


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_gumbel_goes_forwards_by_the_draw_and_backwards_by_the_softmax(temperature):
    attention, encoded, query, shares = _many(kind="gumbel", temperature=temperature)
    encoded = encoded.replace(training=True)
    state = attention.initial_state(encoded)
    costs = jnp.arange(1.0, SIZE + 1)

    def cost(annotations_shift, query):
        moved = encoded.replace(annotations=encoded.annotations + annotations_shift)
        context, attended, _ = attention(query, moved, state)
        assert attended.log_choice is None
        return jnp.sum(context * costs[None, :]), context

    gradient_of = jax.jit(jax.value_and_grad(cost, argnums=1, has_aux=True))
    (_, context), gradient = gradient_of(0.0, query)

    drawn = np.asarray(context)[:, :SRC]
    np.testing.assert_allclose(np.sort(drawn, axis=1)[:, -2:], [[0, 1]] * DRAWS, atol=1e-6)
    np.testing.assert_allclose(drawn.mean(axis=0), shares, atol=5 * np.sqrt(0.25 / DRAWS))
    # d cost / d scores = J_softmax((log shares + g) / temperature) costs / temperature
    keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(encoded.sample_keys[:5], 1)
    noise = np.stack([np.asarray(jax.random.gumbel(key, (SRC,))) for key in keys])
    for row in range(5):
        soft = _softmax((np.log(shares[:3]) + noise[row, :3]) / temperature, 3)
        of_scores = soft * (np.arange(1, 4) - soft @ np.arange(1, 4)) / temperature
        expected = of_scores @ np.asarray(encoded.keys[0, :3])
        np.testing.assert_allclose(gradient[row], expected, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_a_row_of_padding_leaves_the_gradient_finite(temperature):
    estimator = {"kind": "gumbel", "temperature": temperature}
    attention = built(mechanism="hard", score="general", estimator=estimator)
    encoded = memory_of(attention, [3, 0])
    encoded = encoded.replace(training=True, sample_keys=jax.random.split(jax.random.key(1), 2))
    state = attention.initial_state(encoded)

    def cost(query, annotations):
        context, _, _ = attention(query, encoded.replace(annotations=annotations), state)
        return jnp.sum(context * annotations[:, 0])

    gradients = jax.jit(jax.grad(cost, argnums=(0, 1)))(query_of(2), encoded.annotations)
    for gradient in map(np.asarray, gradients):
        assert np.isfinite(gradient).all()
        assert gradient[0].any()
        assert not gradient[1].any()


@pytest.mark.parametrize(
    ("kind", "option", "value"),
    [
        ("reinforce", "soft_fraction", 1.0),
        ("gumbel", "temperature", 0),
        ("reinforce", "reward_weight", 0),
    ],
)
def test_options_outside_their_range_are_refused(kind, option, value):
    with pytest.raises(ValidationError, match=rf"estimator\.{kind}\.{option}"):
        HardConfig(estimator={"kind": kind, option: value})
