import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import DataError
from nmt.evaluation.alignment import (
    GoldLinks,
    aer,
    argmax_links,
    score_links,
    threshold_links,
)
from nmt.evaluation.pharaoh import parse_links

WORDS = 4
links = st.frozensets(st.tuples(st.integers(0, WORDS - 1), st.integers(0, WORDS - 1)))
gold_links = st.builds(GoldLinks, sure=links, possible=links)


def test_each_target_word_is_linked_where_it_attends_most():
    weights = np.array([[0.1, 0.7, 0.2], [0.0, 0.0, 0.0], [0.5, 0.1, 0.4]], dtype=np.float32)

    assert argmax_links(weights) == {(1, 0), (0, 2)}


def test_each_target_word_is_linked_wherever_it_attends_enough():
    weights = np.array(
        [[0.25, 0.5, 0.25], [0.0, 0.125, 0.125], [0.75, 0.0, 0.25]], dtype=np.float32
    )

    assert threshold_links(weights, 0.25) == {(0, 0), (1, 0), (2, 0), (0, 2), (2, 2)}
    assert threshold_links(weights, 0.5) == {(1, 0), (0, 2)}
    assert threshold_links(weights, 1.0) == frozenset()


@given(
    st.lists(st.lists(st.integers(0, 8), min_size=3, max_size=3), max_size=4),
    st.integers(1, 8),
)
def test_a_threshold_up_to_the_largest_weight_keeps_the_most_attended_word(rows, eighths):
    weights = np.array(rows, dtype=np.float32).reshape(-1, 3) / 8

    found = threshold_links(weights, eighths / 8)

    most = {(s, t) for s, t in argmax_links(weights) if rows[t][s] >= eighths}
    assert most <= found
    assert {t for _, t in found} == {t for _, t in most}


@pytest.mark.parametrize("shape", [(0, 0), (0, 2), (2, 0)])
def test_an_empty_side_has_no_links(shape):
    weights = np.zeros(shape, dtype=np.float32)

    assert argmax_links(weights) == threshold_links(weights, 0.0) == frozenset()


def test_the_error_rate_is_that_of_a_corpus_worked_by_hand():
    gold = [parse_links("0-0 1-1 2p2 2p3"), parse_links("0-1")]
    predicted = [frozenset({(0, 0), (2, 2), (3, 3)}), frozenset({(0, 1)})]

    score = score_links(predicted, gold)

    # |A| = 3 + 1, |S| = 2 + 1, |A ∩ S| = 1 + 1, |A ∩ P| = 2 + 1
    assert score.precision == pytest.approx(3 / 4)
    assert score.recall == pytest.approx(2 / 3)
    assert score.aer == pytest.approx(1 - (2 + 3) / (4 + 3))
    assert score.f1 == pytest.approx(2 / (4 / 3 + 3 / 2))  # the harmonic mean
    assert str(score) == "AER 0.286 precision 0.750 recall 0.667 F1 0.706"
    assert aer(predicted, gold) == score.aer


@given(st.lists(st.tuples(links, gold_links), min_size=1, max_size=4))
def test_the_scores_agree_with_boolean_matrices(corpus):
    predicted, gold = [pair[0] for pair in corpus], [pair[1] for pair in corpus]

    score = score_links(predicted, gold)

    def matrices(sets):
        grid = np.zeros((len(sets), WORDS, WORDS), dtype=bool)
        for sentence, members in enumerate(sets):
            for source, target in members:
                grid[sentence, source, target] = True
        return grid

    a = matrices(predicted)
    s, p = (matrices([getattr(g, name) for g in gold]) for name in ("sure", "possible"))
    if a.any():
        assert score.precision == pytest.approx((a & p).sum() / a.sum())
    if s.any():
        assert score.recall == pytest.approx((a & s).sum() / s.sum())
    if a.any() or s.any():
        hits = (a & s).sum() + (a & p).sum()
        assert score.aer == pytest.approx(1 - hits / (a.sum() + s.sum()))
    if (s == p).all() and a.any() and s.any():
        assert score.f1 == pytest.approx(1 - score.aer)


@given(st.lists(gold_links, min_size=1, max_size=4))
def test_any_answer_between_sure_and_possible_has_no_error(gold):
    for name in ("sure", "possible"):
        assert aer([getattr(truth, name) for truth in gold], gold) == 0


def test_disjoint_links_are_all_error():
    score = score_links([frozenset({(0, 1)})], [parse_links("0-0")])

    assert (score.aer, score.precision, score.recall, score.f1) == (1, 0, 0, 0)


def test_different_counts_of_sentences_are_named():
    with pytest.raises(DataError, match="1 sentence of links but 2 of gold links"):
        score_links([frozenset()], [parse_links(""), parse_links("")])


def test_nothing_to_align_is_an_error():
    with pytest.raises(DataError, match="no alignments to score; give at least one sentence"):
        aer([], [])
