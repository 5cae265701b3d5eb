from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmt.decoding.sampling import Greedy, Temperature, TopK, TopP, greedy, sample
from nmt.errors import ConfigError

PAD, BOS, EOS = 0, 1, 2
VOCAB, SRC, ROWS, LIMIT = 7, 3, 97, 6
OPTIONS = {"limit": LIMIT, "source_length": SRC, "bos": BOS, "eos": EOS, "pad": PAD}

_rng = np.random.default_rng(0)
LOG_PROBS = np.log(_rng.dirichlet(np.ones(VOCAB), size=ROWS)).round().astype(np.float32)  # ties
ATTENTION = _rng.dirichlet(np.ones(SRC), size=ROWS).astype(np.float32)


def next_row(row, token):
    """The row of the tables to read after a token: it depends on the sentence and the prefix."""
    return (row * 31 + token * 7 + 5) % ROWS


def step(rows, tokens, memory):
    rows = next_row(rows, tokens)
    return rows, jnp.array(LOG_PROBS)[rows], jnp.array(ATTENTION)[rows]


def replay(sentence, tokens):
    """Returns the model's log-probabilities at each position, and its attention."""
    rows = [next_row(sentence, BOS)]
    for token in tokens[:-1]:
        rows.append(next_row(rows[-1], token))
    return LOG_PROBS[rows], ATTENTION[rows]


def keys_of(*seeds):
    return jax.vmap(jax.random.key)(jnp.array(seeds))


@partial(jax.jit, static_argnames="strategy")
def draw(sentences, max_length, keys, *, strategy):
    return sample(
        step, sentences, (), keys=keys, strategy=strategy, max_length=max_length, **OPTIONS
    )


def assert_replays(found, row, sentence):
    length = found.lengths[row, 0].item()
    tokens = found.tokens[row, 0].tolist()
    log_probs, attention = replay(sentence, tokens[:length])
    gained = log_probs[np.arange(length), tokens[:length]]
    np.testing.assert_allclose(found.log_probs[row, 0], gained.sum(), rtol=1e-6)
    np.testing.assert_array_equal(found.attention[row, 0, :length], attention)
    np.testing.assert_array_equal(found.attention[row, 0, length:], 0)
    assert tokens[length:] == [PAD] * (LIMIT - length)


def test_greedy_takes_the_likeliest_token_until_the_end_or_the_maximum_length():
    sentences, max_length = list(range(30)), [6, 3, 1] * 10

    found = jax.jit(partial(greedy, step, **OPTIONS))(
        jnp.array(sentences), (), max_length=jnp.array(max_length)
    )

    allowed = [EOS, *range(3, VOCAB)]
    for row, length in zip(sentences, max_length, strict=True):
        expected = []
        while len(expected) < length and expected[-1:] != [EOS]:
            log_probs = replay(row, [*expected, PAD])[0][-1]
            expected.append(max(allowed, key=lambda token: (log_probs[token], -token)))
        assert found.tokens[row, 0, : len(expected)].tolist() == expected
        assert found.lengths[row, 0] == len(expected)
        assert_replays(found, row, row)


def test_a_row_of_padding_yields_nothing():
    found = draw(jnp.array([4, 5]), jnp.array([6, 0]), keys_of(1, 2), strategy=Greedy())

    assert found.lengths[1, 0] == 0
    assert found.scores[1, 0] == -np.inf
    np.testing.assert_array_equal(found.tokens[1], PAD)
    np.testing.assert_array_equal(found.attention[1], 0)


@pytest.mark.parametrize("strategy", [TopK(1), TopK(1, temperature=5.0), TopP(1e-6)])
def test_drawing_from_one_token_is_greedy(strategy):
    sentences, max_length = jnp.arange(30), jnp.full(30, LIMIT)

    drawn = draw(sentences, max_length, keys_of(*range(30)), strategy=strategy)

    likeliest = draw(sentences, max_length, keys_of(*range(30)), strategy=Greedy())
    np.testing.assert_array_equal(drawn.tokens, likeliest.tokens)


# The probabilities of four tokens, and those that a draw should have.
@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Temperature(), [0.3, 0.1, 0.4, 0.2]),
        (Temperature(0.5), np.array([9, 1, 16, 4]) / 30),  # squares
        (TopK(2), [3 / 7, 0, 4 / 7, 0]),
        (TopK(9), [0.3, 0.1, 0.4, 0.2]),
        (TopK(3, temperature=0.5), np.array([9, 0, 16, 4]) / 29),
        (TopP(0.39), [0, 0, 1, 0]),
        (TopP(0.41), [3 / 7, 0, 4 / 7, 0]),
        (TopP(0.71), np.array([3, 0, 4, 2]) / 9),
        (TopP(1.0), [0.3, 0.1, 0.4, 0.2]),
        (TopP(0.6, temperature=0.5), [9 / 25, 0, 16 / 25, 0]),  # 16 / 30 < 0.6 < 25 / 30
    ],
    ids=str,
)
def test_draws_follow_the_distribution(strategy, expected):
    number, expected = 4000, np.array(expected)
    log_probs = jnp.broadcast_to(jnp.log(jnp.array([[0.3, 0.1, 0.4, 0.2]])), (number, 4))

    tokens = jax.jit(strategy)(log_probs, jax.random.split(jax.random.key(8), number))

    counts = np.bincount(tokens, minlength=4)
    possible = expected > 0
    assert counts[~possible].sum() == 0
    # Chi square of at most 3 degrees of freedom: one fair draw in 10,000 lies above 21.1.
    difference = (counts - number * expected)[possible]
    assert np.sum(difference**2 / (number * expected[possible])) < 21.1


def test_a_sample_has_the_probability_that_the_model_gives_it():
    sentences = jnp.arange(30)

    found = draw(sentences, jnp.full(30, LIMIT), keys_of(*range(30)), strategy=Temperature(3.0))

    assert not np.isin(np.asarray(found.tokens)[found.attention.any(-1)], [PAD, BOS]).any()
    for row in range(30):
        assert_replays(found, row, row)
        length = found.lengths[row, 0]
        assert length == LIMIT or found.tokens[row, 0, length - 1] == EOS


def test_a_sentence_draws_from_its_own_key_whatever_the_batch():
    lengths = jnp.array([6, 5, 2])
    together = draw(jnp.array([11, 12, 13]), lengths, keys_of(1, 2, 3), strategy=Temperature())
    turned = draw(jnp.array([13, 12, 11]), lengths[::-1], keys_of(3, 2, 1), strategy=Temperature())
    alone = draw(jnp.array([12]), lengths[1:2], keys_of(2), strategy=Temperature())

    np.testing.assert_array_equal(together.tokens, turned.tokens[::-1])
    np.testing.assert_array_equal(together.tokens[1:2], alone.tokens)


def test_every_position_is_drawn_anew():
    def uniform(state, tokens, memory):
        return state, jnp.zeros((*tokens.shape, 100)), jnp.zeros((*tokens.shape, SRC))

    found = sample(
        uniform,
        jnp.zeros(10),
        (),
        keys=keys_of(*range(10)),
        strategy=Temperature(),
        max_length=jnp.full(10, LIMIT),
        **OPTIONS,
    )

    # Sixty draws of a hundred tokens: were a position or a sentence repeated, ten at most.
    assert len(np.unique(found.tokens)) > 30


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TopK(0), "top-k sampling: k is 0; give at least 1"),
        (lambda: TopP(0.0), "top-p sampling: p is 0.0; give more than 0 and at most 1"),
        (lambda: TopP(1.5), "top-p sampling: p is 1.5; give more than 0 and at most 1"),
        (lambda: Temperature(0.0), "sampling: temperature is 0.0; give more than 0"),
        (lambda: TopK(3, temperature=-1.0), "sampling: temperature is -1.0; give more than 0"),
        (lambda: TopP(0.9, temperature=0.0), "sampling: temperature is 0.0; give more than 0"),
    ],
)
def test_impossible_settings_are_refused(build, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        build()
