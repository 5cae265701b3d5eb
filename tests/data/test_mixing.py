"""How often an epoch reads the pairs of each corpus: weights, temperature, and their balance."""

import re
from collections import Counter

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import CorpusConfig, DataConfig
from nmt.data import mixing
from nmt.errors import DataError


def data(*weights, temperature=None):
    corpora = tuple(CorpusConfig(path="x", weight=weight) for weight in weights)
    return DataConfig(train=corpora, validation="y", temperature=temperature)


# Pairs read in an epoch, size times weight, worked out by hand: 10, 1000 and 100 pairs with T = 2
# are read as 100, 1000 and 316 = sqrt(10 * 1000), sqrt(1000 * 1000) and sqrt(100 * 1000).
@pytest.mark.parametrize(
    ("sizes", "settings", "read"),
    [
        ([30, 50], data(None, None), [30, 50]),
        ([30, 50], data(2, None), [60, 50]),
        ([30, 50], data(2, 0.5), [60, 25]),
        ([30], data(3), [90]),
        ([10, 1000, 100], data(None, None, None, temperature=1), [10, 1000, 100]),
        ([10, 1000, 100], data(None, None, None, temperature=2), [100, 1000, 316.2278]),
        ([16, 1], data(None, None, temperature=4), [16, 8]),
        ([10, 1000], data(None, None, temperature=1e9), [1000, 1000]),
    ],
)
def test_an_epoch_reads_pairs_in_these_proportions(sizes, settings, read):
    found = mixing.weights(sizes, settings)

    assert [size * weight for size, weight in zip(sizes, found, strict=True)] == pytest.approx(read)


@pytest.mark.parametrize(
    ("sizes", "settings", "message"),
    [
        (
            [100, 9],
            data(None, 0.1),
            "data.train.1: an epoch would have less than one pair of this corpus (9 pairs with "
            "weight 0.1); look at the corpus, or raise its weight",
        ),
        ([0, 9], data(None, None), "data.train.0: an epoch would have less than one pair of"),
        ([9, 0], data(None, None, temperature=5), "data.train.1: an epoch would have less than"),
    ],
)
def test_a_corpus_of_which_nothing_is_read_is_refused(sizes, settings, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        mixing.weights(sizes, settings)


@pytest.mark.parametrize("sizes", [[5], [3, 4], [1, 1, 1]])
def test_with_weights_of_one_an_epoch_reads_every_pair_once(sizes):
    for epoch in (0, 1, 7):
        found = mixing.rows(sizes, [1.0] * len(sizes), seed=1, epoch=epoch)

        np.testing.assert_array_equal(found, np.arange(sum(sizes)))


def test_whole_weights_repeat_every_pair_and_halves_read_all_in_two_epochs():
    first, second = (mixing.rows([3, 4], [2, 0.5], seed=1, epoch=epoch) for epoch in (2, 3))

    for found in (first, second):
        assert found[:6].tolist() == [0, 0, 1, 1, 2, 2]
    assert sorted([*first[6:], *second[6:]]) == [3, 4, 5, 6]


weighted = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=3
)


@given(weighted, st.integers(0, 9), st.integers(1, 6))
def test_after_any_epochs_the_pairs_of_a_corpus_were_read_equally_often(corpora, seed, epochs):
    sizes = [size for size, _, _ in corpora]
    weights = [part / of if size * part >= of else 1.0 for size, part, of in corpora]
    read = [mixing.rows(sizes, weights, seed=seed, epoch=epoch) for epoch in range(epochs)]

    counts = Counter(np.concatenate(read).tolist())
    before = 0
    for size, weight in zip(sizes, weights, strict=True):
        own = [counts[row] for row in range(before, before + size)]
        before += size
        assert max(own) - min(own) <= 1
        assert abs(sum(own) - epochs * weight * size) < 1 + 1e-9
    assert set(counts) <= set(range(before))
    for rows in read:
        assert (np.diff(rows) >= 0).all()
        assert len(rows)


def test_parts_of_a_corpus_depend_on_seed_epoch_and_corpus():
    def drawn(seed, epoch):
        return mixing.rows([40, 40], [0.5, 0.5], seed=seed, epoch=epoch).tolist()

    assert drawn(1, 0) == drawn(1, 0)
    assert drawn(1, 0) != drawn(2, 0)
    assert drawn(1, 0) != drawn(1, 2)
    first, second = drawn(1, 0)[:20], [row - 40 for row in drawn(1, 0)[20:]]
    assert first != second


def test_sizes_are_counted_after_pairs_are_left_out():
    pairs = Dataset.from_dict({"corpus": np.array([0, 0, 0, 2, 2], np.int32)})

    assert mixing.sizes(pairs, 3) == [3, 0, 2]
    assert mixing.sizes(pairs.select([1, 4, 3]), 3) == [1, 0, 2]
    assert mixing.sizes(pairs, 1) == [5]
