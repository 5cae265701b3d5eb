"""Weights of systems: the whole grid, and the BLEU of what each choice ranks first."""

from math import comb

import numpy as np
import pytest

from nmt.evaluation.metrics import bleu
from nmt.evaluation.tuning import Hypotheses, best, grid, tune


@pytest.mark.parametrize("systems", [1, 2, 3, 4])
def test_the_grid_has_all_tenths_that_sum_to_one_each_once(systems):
    found = grid(systems)

    assert len(set(found)) == len(found) == comb(10 + systems - 1, systems - 1)
    for weights in found:
        assert sum(round(10 * weight) for weight in weights) == 10
        assert all(weight >= 0 and 10 * weight == round(10 * weight) for weight in weights)


REFERENCES = ["a b c d e f", "g h i j k l"]
LISTS = [
    Hypotheses(["a b c d e x", "a b c d e f", "y"], [(-1.0, -3.0), (-2.0, -1.0), (-9.0, -9.0)]),
    Hypotheses(["g h i j k l", "g h z j k l"], [(-1.0, -2.0), (-2.0, -1.0)]),
]


def chosen(weights):
    """The texts that weights rank first, by a loop."""
    found = []
    for each in LISTS:
        sums = [sum(w * s for w, s in zip(weights, row, strict=True)) for row in each.scores]
        found.append(each.texts[sums.index(max(sums))])
    return found


def test_each_choice_has_the_bleu_of_what_it_ranks_first():
    reached = tune(LISTS, REFERENCES)

    for weights, value in reached.items():
        if weights != (0.5, 0.5):  # where both hypotheses of the second sentence are equal
            assert value == pytest.approx(bleu(chosen(weights), REFERENCES).value)


def test_the_best_weights_are_those_worked_out_by_hand():
    # With weight w of the first system, the first sentence is right where -w - 3(1 - w) is less
    # than -2w - (1 - w), so where w < 2/3, and the second one where it has half or more.
    reached = tune(LISTS, REFERENCES)

    perfect = [weights for weights, value in reached.items() if value == pytest.approx(100)]
    assert perfect == [(0.5, 0.5), (0.6, 0.4)]
    assert best(reached) == (0.5, 0.5)


def test_of_equal_choices_the_most_even_is_the_best():
    assert best({(0.0, 1.0): 30.0, (0.4, 0.6): 30.0, (0.7, 0.3): 30.0, (1.0, 0.0): 2.0}) == (
        0.4,
        0.6,
    )


def test_the_tokenizer_of_bleu_is_the_given_one():
    lists = [Hypotheses(["你好世界人"], [(0.0,)])]

    assert tune(lists, ["你好世界人"], tokenize="zh")[(1.0,)] == pytest.approx(100)
    one = bleu(["你好世界"], ["你好世界人"], tokenize="zh").value
    lists = [Hypotheses(["你好世界"], [(0.0,)])]
    assert tune(lists, ["你好世界人"], tokenize="zh")[(1.0,)] == pytest.approx(one)
    assert not np.isclose(one, tune(lists, ["你好世界人"])[(1.0,)])
