"""Rescoring: scores of forced decoding beside the entries, and the order by hand-worked numbers."""

import pytest

from nmt.data.n_best import Entry
from nmt.inference.rescoring import Scored, ranked, score
from nmt.inference.translator import Translator

# Sums with weights 0.5 and 0.5: -1.5, -2.0, -1.0, -1.5; with 0.9 and 0.1: -1.1, -2.8, -1.8, -1.9.
SCORED = [
    Scored(Entry(4, "first", "logprob= -2", "-1"), (-1.0, -2.0)),
    Scored(Entry(4, "second", "logprob= -3", "-2"), (-3.0, -1.0)),
    Scored(Entry(4, "third", "logprob= -9", "-3", ("0-0",)), (-2.0, 0.0)),
    Scored(Entry(4, "fourth"), (-2.0, -1.0)),
]


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        ((0.5, 0.5), ["third", "first", "fourth", "second"]),
        ((0.9, 0.1), ["first", "third", "fourth", "second"]),
        ((0.0, 1.0), ["third", "second", "fourth", "first"]),
        ((-1.0, 0.0), ["second", "third", "fourth", "first"]),
        ((0.0, 0.0), ["first", "second", "third", "fourth"]),
    ],
)
def test_entries_are_ordered_by_their_weighted_sums(weights, order):
    assert [each.text for each in ranked(SCORED, weights, names=["a", "b"])] == order


def test_scores_become_features_and_their_sum_the_score():
    best, *_ = ranked(SCORED, (0.25, 2.0), names=["a", "b"])

    assert best == Entry(4, "third", "logprob= -9 a= -2.0000 b= 0.0000", "-0.5000", ("0-0",))


ENTRIES = [
    (Entry(0, "a b"), "a b"),
    (Entry(0, "b"), "a b"),
    (Entry(0, ""), "a b"),
    (Entry(1, "c"), "c"),
    (Entry(2, "a"), ""),
    (Entry(2, ""), ""),
]


def test_each_entry_has_the_score_of_each_system(copy_run, noisy_run, reverse_run):
    systems = [Translator.load(copy_run), Translator.load([copy_run, noisy_run])]
    systems.append(Translator.load(reverse_run))

    found = list(score(systems, iter(ENTRIES)))

    assert [[each.entry.number for each in group] for group in found] == [[0] * 3, [1], [2] * 2]
    assert [each.entry for group in found for each in group] == [entry for entry, _ in ENTRIES]
    for place, system in enumerate(systems):
        expected = system.align([line for _, line in ENTRIES], [each.text for each, _ in ENTRIES])
        scores = [each.scores[place] for group in found for each in group]
        assert scores == pytest.approx([each.score for each in expected], abs=1e-5)


def test_an_empty_translation_has_the_probability_of_ending_at_once(copy_run):
    translator = Translator.load(copy_run)

    whole, empty, nothing = translator.align(["a b", "a b", ""], ["a b", "", ""])

    assert empty.target_pieces == ("</s>",)
    assert empty.attention.shape == (1, 3)
    assert empty.score == empty.log_prob < whole.score
    assert empty.words.weights.shape == (0, 2)
    assert nothing.target_pieces == ()


def test_no_more_than_a_window_is_read_ahead(copy_run, monkeypatch):
    monkeypatch.setattr("nmt.inference.translator.BATCHES_AHEAD", 2)
    system = Translator.load(copy_run, batch=4)
    read = []

    def entries():
        for number in range(100):
            read.append(number)
            yield Entry(number, "a"), "a"

    next(score([system, system], entries()))

    assert len(read) <= 2 * system.window == 16
