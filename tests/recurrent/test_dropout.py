"""Dropout: what is dropped, how often, and that a sentence's mask is its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmt.recurrent import dropout

BATCH, LENGTH, SIZE = 3, 4, 5
RATE = 0.25
FLOAT32 = jnp.dtype("float32")


def _keys(batch=BATCH):
    return jax.random.split(jax.random.key(11), batch)


def _values():
    return jnp.array(np.random.default_rng(1).normal(size=(BATCH, LENGTH, SIZE)), jnp.float32)


@pytest.mark.parametrize(("with_keys", "rate"), [(False, RATE), (True, 0.0)])
def test_without_keys_or_a_rate_nothing_changes(with_keys, rate):
    dropped = dropout.over_time(_keys() if with_keys else None, rate, _values())

    np.testing.assert_array_equal(dropped, _values())


def test_a_component_is_dropped_at_every_position_or_at_none():
    factors = np.asarray(dropout.over_time(_keys(), RATE, jnp.ones((BATCH, LENGTH, SIZE))))

    np.testing.assert_array_equal(factors, np.repeat(factors[:, :1], LENGTH, axis=1))
    np.testing.assert_allclose(np.unique(factors), [0, 1 / (1 - RATE)], rtol=1e-6)


def test_sentences_have_different_masks():
    masks = np.asarray(dropout.mask(_keys(), RATE, 50, FLOAT32))

    assert len(np.unique(masks, axis=0)) == BATCH


def test_the_mask_of_a_sentence_does_not_depend_on_the_batch_around_it():
    values, keys = _values(), _keys()

    together = dropout.over_time(keys, RATE, values)

    for row in range(BATCH):
        alone = dropout.over_time(keys[row : row + 1], RATE, values[row : row + 1])
        np.testing.assert_array_equal(alone[0], together[row])


def test_the_rate_is_the_share_dropped_and_the_expectation_is_kept():
    rows, size = 100, 1000

    factors = np.asarray(dropout.mask(_keys(rows), RATE, size, FLOAT32), np.float64)

    # The mean of n = 100,000 draws has a standard deviation of sqrt(rate (1 - rate) / n) = 0.0014;
    # five of them are missed once in two million seeds. Factors spread 1 / (1 - rate) times wider.
    tolerance = 5 * np.sqrt(RATE * (1 - RATE) / (rows * size))
    np.testing.assert_allclose((factors == 0).mean(), RATE, rtol=0, atol=tolerance)
    np.testing.assert_allclose(factors.mean(), 1, rtol=0, atol=tolerance / (1 - RATE))


def test_words_are_dropped_whole_at_some_positions_and_the_others_scaled():
    factors = np.asarray(dropout.of_words(_keys(40), RATE, jnp.ones((40, 50, SIZE))))

    np.testing.assert_array_equal(factors, np.repeat(factors[..., :1], SIZE, axis=-1))
    np.testing.assert_allclose(np.unique(factors), [0, 1 / (1 - RATE)], rtol=1e-6)
    # 2,000 draws, five standard deviations as below
    tolerance = 5 * np.sqrt(RATE * (1 - RATE) / 2000)
    np.testing.assert_allclose((factors[..., 0] == 0).mean(), RATE, rtol=0, atol=tolerance)
    assert len(np.unique(factors[..., 0], axis=0)) == 40


def test_the_words_of_a_sentence_that_are_dropped_depend_on_its_key_alone():
    keys, values = _keys(), _values()

    together = dropout.of_words(keys, RATE, values)
    longer = dropout.of_words(keys, RATE, jnp.pad(values, ((0, 0), (0, 3), (0, 0))))

    np.testing.assert_array_equal(longer[:, :LENGTH], together)
    for row in range(BATCH):
        alone = dropout.of_words(keys[row : row + 1], RATE, values[row : row + 1])
        np.testing.assert_array_equal(alone[0], together[row])


@pytest.mark.parametrize(("keys", "rate"), [(None, RATE), (_keys(), 0.0)])
def test_without_keys_or_a_rate_a_state_has_no_mask(keys, rate):
    assert dropout.recurrent_mask(keys, rate, SIZE, FLOAT32) is None


def test_the_mask_of_a_state_is_a_mask_like_others():
    np.testing.assert_array_equal(
        dropout.recurrent_mask(_keys(), RATE, SIZE, FLOAT32),
        dropout.mask(_keys(), RATE, SIZE, FLOAT32),
    )


def test_factors_have_the_type_that_is_asked_for():
    assert dropout.mask(_keys(), RATE, SIZE, jnp.dtype("bfloat16")).dtype == jnp.bfloat16
    assert dropout.mask(None, RATE, SIZE, jnp.dtype("bfloat16")).dtype == jnp.bfloat16


def test_split_gives_each_row_independent_keys():
    first, second = dropout.split(_keys(), 2)

    drawn = [np.asarray(dropout.mask(keys, RATE, 50, FLOAT32)) for keys in (first, second)]
    assert len(np.unique(np.concatenate(drawn), axis=0)) == 2 * BATCH


def test_split_of_no_keys_gives_none_as_often():
    assert dropout.split(None, 3) == [None, None, None]
