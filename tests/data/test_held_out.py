"""Pairs that are held out: as many as wanted, and training has none of their sentences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.held_out import parts
from nmt.errors import DataError

SENTENCES = st.text("ab C.,", max_size=4)


def bare(text):
    """The letters of a text, by which sentences are compared."""
    return "".join(each for each in text.lower() if each.isalpha())


@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=12), st.integers(0, 3))
def test_no_sentence_is_in_two_parts(pairs, seed):
    sides = [bare(side) for pair in pairs for side in pair]
    alone = [all(bare(side) and sides.count(bare(side)) == 1 for side in pair) for pair in pairs]
    sizes = [(sum(alone) + 1) // 2, sum(alone) // 2]
    if all(alone):
        sizes[0] -= 1  # something is left to train on

    found = parts(pairs, sizes, seed=seed).tolist()

    assert [found.count(part) for part in (1, 2)] == sizes
    texts = [{bare(side) for n, pair in enumerate(pairs) if found[n] == part for side in pair}
             for part in range(3)]  # fmt: skip
    assert texts[0].isdisjoint(texts[1] | texts[2])
    assert texts[1].isdisjoint(texts[2])
    assert "" not in texts[1] | texts[2]


def test_every_pair_that_may_be_drawn_is_drawn_as_often():
    pairs = [(f"a{i}", f"b{i}") for i in range(10)] + [("A0!", "z"), ("", "x"), ("same", "Same")]
    seeds = range(400)

    drawn = np.sum([parts(pairs, [3], seed=seed) for seed in seeds], axis=0)

    assert drawn[[0, 10, 11, 12]].tolist() == [0, 0, 0, 0]
    assert drawn[1:10].sum() == 3 * len(seeds)
    # The number of a pair is binomial with p = 1/3: five standard deviations are 47.
    assert abs(drawn[1:10] - len(seeds) / 3).max() < 48


def test_a_seed_decides():
    pairs = [(f"a{i}", f"b{i}") for i in range(50)]

    first, again, other = (parts(pairs, [5, 5], seed=seed).tolist() for seed in (1, 1, 2))

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([3], "3 pairs cannot be held out: of 4 pairs, 2 share no sentence with another one"),
        ([1, 2], "3 pairs cannot be held out"),
    ],
)
def test_more_cannot_be_held_out_than_there_are(sizes, message):
    pairs = [("a", "b"), ("c", "d"), ("e", "f"), ("e", "g")]

    with pytest.raises(DataError, match=message):
        parts(pairs, sizes, seed=1)


def test_repeated_pairs_are_to_be_left_out_before():
    with pytest.raises(DataError, match=r"0 share .*; leave out repeated ones with `nmt clean`"):
        parts([("a", "b"), ("a", "b")], [1], seed=1)


def test_something_is_left_to_train_on():
    with pytest.raises(DataError, match="no pair of 2 would be left to train on; hold out fewer"):
        parts([("a", "b"), ("c", "d")], [1, 1], seed=1)
