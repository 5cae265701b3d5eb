"""Batches: every pair once, inside its bucket and the budget, with little padding, from a seed."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import (
    DataConfig,
    SentenceBatchConfig,
    TokenBatchConfig,
    TrainedTokenizerConfig,
)
from nmt.data import tokenizer_training
from nmt.data.batching import (
    GRID,
    Bucket,
    choose_buckets,
    in_order,
    pad,
    pad_side,
    plan_epoch,
)
from nmt.errors import ConfigError


def sizes(longest):
    side = st.integers(1, longest)
    pairs = st.lists(st.tuples(side, side), min_size=1, max_size=60)
    return pairs.map(lambda pairs: np.array(pairs, np.int32))


budgets = st.one_of(
    st.builds(SentenceBatchConfig, sentences=st.integers(1, 9), buckets=st.integers(1, 5)),
    st.builds(TokenBatchConfig, tokens=st.integers(800, 3000), buckets=st.integers(1, 5)),
)
devices = st.sampled_from([1, 2, 3, 8])
epochs = st.integers(0, 3)


def cells(lengths, buckets):
    """The cells that pairs take up, each in the smallest bucket that holds it."""
    holds = (lengths[:, None, :] <= np.array(buckets)).all(axis=-1)
    return np.where(holds, np.sum(buckets, axis=-1), 10**6).min(axis=1).sum()


def sides_of(buckets):
    return [(shape.source, shape.target) for shape in buckets]


def as_lists(plan):
    return [(batch.bucket, batch.pairs.tolist()) for batch in plan]


@given(lengths=sizes(100), config=budgets, devices=devices, seed=st.integers(0, 9), epoch=epochs)
def test_an_epoch_has_every_pair_exactly_once_in_a_bucket_that_holds_it(
    lengths, config, devices, seed, epoch
):
    buckets = choose_buckets(lengths, config, devices=devices)

    plan = plan_epoch(lengths, buckets, seed=seed, epoch=epoch)

    together = np.concatenate([batch.pairs for batch in plan])
    assert sorted(together.tolist()) == list(range(len(lengths)))
    for batch in plan:
        assert batch.bucket in buckets
        assert 1 <= len(batch.pairs) <= batch.bucket.rows
        assert lengths[batch.pairs, 0].max() <= batch.bucket.source
        assert lengths[batch.pairs, 1].max() <= batch.bucket.target


@given(lengths=sizes(100), config=budgets, devices=devices)
def test_only_one_batch_of_an_epoch_is_not_full(lengths, config, devices):
    buckets = choose_buckets(lengths, config, devices=devices)

    plan = plan_epoch(lengths, buckets, seed=1, epoch=0)

    assert sum(len(batch.pairs) < batch.bucket.rows for batch in plan) <= 1


@given(lengths=sizes(100), config=budgets, devices=devices)
def test_rows_keep_the_budget_and_divide_by_the_devices(lengths, config, devices):
    buckets = choose_buckets(lengths, config, devices=devices)

    assert len(buckets) <= config.buckets
    for shape in buckets:
        assert shape.rows % devices == 0
        if isinstance(config, TokenBatchConfig):
            assert shape.rows * max(shape.source, shape.target) <= config.tokens
        elif shape.rows > devices:  # a row on each device there must be, whatever the budget
            assert shape.rows <= config.sentences


def test_rows_are_as_many_as_the_budget_allows():
    lengths = np.array([[7, 10], [7, 10]], np.int32)

    def rows(config, devices):
        return choose_buckets(lengths, config, devices=devices)[0].rows

    assert rows(TokenBatchConfig(tokens=109), 1) == 10
    assert rows(TokenBatchConfig(tokens=109), 4) == 8
    assert rows(SentenceBatchConfig(sentences=11), 1) == 11
    assert rows(SentenceBatchConfig(sentences=11), 4) == 8
    assert rows(SentenceBatchConfig(sentences=3), 4) == 4


@pytest.mark.parametrize(("tokens", "devices", "needed"), [(9, 1, 10), (39, 4, 40)])
def test_fewer_tokens_than_the_longest_pair_takes_are_refused(tokens, devices, needed):
    lengths = np.array([[2, 3], [7, 10]], np.int32)

    message = (
        rf"data\.batch\.tokens is {tokens}, but a batch of the longest sentences has {needed}: one "
        r"of 10 pieces on each .*; raise data\.batch\.tokens to that or more, or lower data\.max_l"
    )
    with pytest.raises(ConfigError, match=message):
        choose_buckets(lengths, TokenBatchConfig(tokens=tokens), devices=devices)


@given(lengths=sizes(30), config=budgets, seed=st.integers(0, 9), epoch=epochs)
def test_the_same_seed_and_epoch_give_the_same_plan(lengths, config, seed, epoch):
    first, second = (
        plan_epoch(lengths, choose_buckets(lengths, config), seed=seed, epoch=epoch)
        for _ in range(2)
    )

    assert as_lists(first) == as_lists(second)


def test_another_epoch_or_seed_puts_other_pairs_together():
    lengths = np.full((200, 2), 5, np.int32)
    buckets = choose_buckets(lengths, SentenceBatchConfig(sentences=10))

    first, *others = (
        {frozenset(batch.pairs.tolist()) for batch in plan_epoch(lengths, buckets, **of)}
        for of in ({"seed": 1, "epoch": 0}, {"seed": 1, "epoch": 1}, {"seed": 2, "epoch": 0})
    )

    assert all(first.isdisjoint(other) for other in others)


def test_long_and_short_batches_are_mixed_over_the_epoch():
    lengths = np.repeat(np.array([[3, 3], [30, 30]], np.int32), 300, axis=0)
    buckets = choose_buckets(lengths, SentenceBatchConfig(sentences=10, buckets=2))

    plan = plan_epoch(lengths, buckets, seed=1, epoch=0)

    widths = [batch.bucket.source for batch in plan]
    assert widths not in (sorted(widths), sorted(widths, reverse=True))


@given(lengths=sizes(100), config=budgets)
def test_buckets_are_ordered_and_the_last_one_holds_everything(lengths, config):
    buckets = sides_of(choose_buckets(lengths, config))

    assert buckets == sorted(set(buckets), key=lambda bucket: (sum(bucket), bucket))
    assert (lengths <= buckets[-1]).all()


@pytest.mark.parametrize("number", [2, 5, 6])
def test_no_single_bucket_can_be_replaced_by_a_better_one(number):
    everywhere = list(itertools.product(range(1, 13), repeat=2))
    for seed in range(12):
        lengths = np.random.default_rng(seed).integers(1, 13, (100, 2)).astype(np.int32)

        buckets = sides_of(
            choose_buckets(lengths, SentenceBatchConfig(sentences=2, buckets=number))
        )

        chosen = cells(lengths, buckets)
        for index in range(number - 1):
            others = [*buckets[:index], *buckets[index + 1 :]]
            assert all(chosen <= cells(lengths, [*others, bucket]) for bucket in everywhere)


@given(
    lengths=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=8).map(
        lambda pairs: np.array(pairs, np.int32)
    ),
    number=st.integers(1, 3),
)
def test_the_padding_of_the_buckets_is_near_the_least_there_is(lengths, number):
    largest = tuple(lengths.max(axis=0).tolist())
    everywhere = list(itertools.product(range(1, 5), repeat=2))
    least = min(
        cells(lengths, [largest, *others])
        for others in itertools.combinations(everywhere, number - 1)
    )

    chosen = sides_of(choose_buckets(lengths, SentenceBatchConfig(sentences=2, buckets=number)))

    # With one bucket or two there is no choice that greed can miss.
    assert cells(lengths, chosen) <= least * (1.0 if number <= 2 else 1.1)


def test_lengths_beyond_the_grid_are_rounded_up():
    lengths = np.stack([np.arange(1, 1001), np.arange(1, 1001)], axis=1).astype(np.int32)

    buckets = sides_of(choose_buckets(lengths, SentenceBatchConfig(sentences=2, buckets=70)))

    assert len(buckets) == len({source for source, _ in buckets}) <= GRID
    assert 1000 <= buckets[-1][0] <= 1000 + -(-1000 // GRID)


@given(lengths=sizes(20), config=budgets)
def test_in_order_has_every_pair_once_and_in_the_order_of_the_corpus(lengths, config):
    buckets = choose_buckets(lengths, config)

    plan = in_order(lengths, buckets)

    assert sorted(np.concatenate([batch.pairs for batch in plan]).tolist()) == list(
        range(len(lengths))
    )
    for shape in buckets:
        own = [batch.pairs for batch in plan if batch.bucket == shape]
        assert (np.diff(np.concatenate([*own, [len(lengths)]])) > 0).all()
    for batch in plan:
        assert (lengths[batch.pairs] <= (batch.bucket.source, batch.bucket.target)).all()
        assert len(batch.pairs) <= batch.bucket.rows


def test_padding_is_zero_and_missing_rows_have_length_zero():
    pairs = [
        (np.array([5, 6, 3], np.int32), np.array([9, 3], np.int32)),
        (np.array([3], np.int32), np.array([7, 8, 4, 3], np.int32)),
    ]

    batch = pad(pairs, Bucket(rows=4, source=4, target=5))

    assert batch.source.tolist() == [[5, 6, 3, 0], [3, 0, 0, 0], [0] * 4, [0] * 4]
    assert batch.source_lengths.tolist() == [3, 1, 0, 0]
    assert batch.target.tolist() == [[9, 3, 0, 0, 0], [7, 8, 4, 3, 0], [0] * 5, [0] * 5]
    assert batch.target_lengths.tolist() == [2, 4, 0, 0]
    assert {part.dtype for part in batch[:4]} == {np.dtype(np.int32)}
    assert batch.links is None


def test_links_lie_at_the_target_row_and_the_source_column_of_their_pair():
    pairs = [(np.array([5, 6, 3], np.int32), np.array([9, 3], np.int32))] * 2
    links = [np.array([[2, 0], [0, 1]], np.int32), np.empty((0, 2), np.int32)]

    batch = pad(pairs, Bucket(rows=3, source=4, target=2), links=links)

    assert batch.links.shape == (3, 2, 4)
    assert np.argwhere(batch.links).tolist() == [[0, 0, 2], [0, 1, 0]]


@given(
    sentences=st.lists(st.lists(st.integers(1, 99), max_size=6), max_size=5),
    rows=st.integers(5, 8),
    length=st.integers(6, 9),
)
def test_a_padded_side_gives_the_sentences_back(sentences, rows, length):
    tokens, lengths = pad_side(sentences, rows, length)

    assert tokens.shape == (rows, length)
    assert [row[:n].tolist() for row, n in zip(tokens, lengths, strict=True)] == sentences + [
        [] for _ in range(rows - len(sentences))
    ]
    assert tokens.sum() == sum(map(sum, sentences))


@pytest.mark.slow
def test_nine_tenths_of_the_cells_of_multi30k_hold_tokens(shared_data):
    sides = [
        (shared_data / "multi30k" / f"train.{language}").read_text(encoding="utf-8").splitlines()
        for language in ("de", "en")
    ]
    joint = tokenizer_training.train(*sides, TrainedTokenizerConfig()).source
    lengths = np.array(
        [[len(ids) + 1 for ids in joint.encode_batch(side)] for side in sides], np.int32
    ).T

    buckets = choose_buckets(lengths, DataConfig.model_fields["batch"].default)
    plan = plan_epoch(lengths, buckets, seed=1, epoch=0)

    size = sum(batch.bucket.rows * (batch.bucket.source + batch.bucket.target) for batch in plan)
    assert lengths.sum() >= 0.9 * size
