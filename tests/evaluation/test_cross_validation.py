from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import DataError
from nmt.evaluation.alignment import GoldLinks, aer
from nmt.evaluation.cross_validation import cross_validate
from nmt.evaluation.pharaoh import parse_links

link = st.tuples(st.integers(0, 2), st.integers(0, 2))
links = st.frozensets(link, max_size=4)
gold_links = st.builds(GoldLinks, sure=links, possible=links)


@st.composite
def corpora(draw):
    sentences = draw(st.integers(2, 7))
    several = st.lists(links, min_size=sentences, max_size=sentences)
    candidates = draw(st.lists(several, min_size=2, max_size=4))
    gold = draw(st.lists(gold_links, min_size=sentences, max_size=sentences))
    return {f"candidate {i}": found for i, found in enumerate(candidates)}, gold


def error(found, gold, numbers):
    """The AER of some sentences, exactly and by loops."""
    hits = total = 0
    for number in numbers:
        for each in found[number]:
            hits += (each in gold[number].sure) + (each in gold[number].possible)
        total += len(found[number]) + len(gold[number].sure)
    return 1 - Fraction(hits, total) if total else Fraction(0)


def choose(candidates, gold, numbers):
    best = None
    for name in candidates:
        if best is None or error(candidates[name], gold, numbers) < error(
            candidates[best], gold, numbers
        ):
            best = name
    return best


def test_each_half_is_linked_by_what_is_best_on_the_other():
    gold = [parse_links(line) for line in ("0-0", "1-1", "0-0 1-1", "0-0")]
    # `one` has all links of the lines 1 and 3, and `other` those of 2 and 4, where both have more.
    one = [frozenset(s) for s in ({(0, 0)}, {(0, 1)}, {(0, 0), (1, 1)}, {(0, 0), (1, 0)})]
    other = [frozenset(s) for s in ({(1, 0)}, {(1, 1)}, {(0, 0)}, {(0, 0)})]

    found = cross_validate({"one": one, "other": other}, gold)

    assert found.links == (other[0], one[1], other[2], one[3])
    # Line 3 has one link of two, line 4 one link too many: 2 of 5 links found, 2 of 5 sure ones.
    assert found.score.aer == pytest.approx(1 - (2 + 2) / (5 + 5))
    assert [(each.half, each.candidate) for each in found.choices] == [
        ("odd", "other"),
        ("even", "one"),
    ]
    assert [each.aer_of_choice for each in found.choices] == [0, 0]
    # odd: 1 + 1 of 2 + 3; even: 1 + 1 of 3 + 2
    assert [each.aer for each in found.choices] == pytest.approx([3 / 5, 3 / 5])


@given(corpora())
def test_the_choice_is_that_of_explicit_loops(corpus):
    candidates, gold = corpus
    numbers = range(len(gold))
    odd, even = numbers[::2], numbers[1::2]
    best = {"odd": choose(candidates, gold, even), "even": choose(candidates, gold, odd)}
    expected = [candidates[best["even" if i % 2 else "odd"]][i] for i in numbers]

    found = cross_validate(candidates, gold)

    assert {each.half: each.candidate for each in found.choices} == best
    assert list(found.links) == expected
    assert found.score.aer == pytest.approx(float(error(expected, gold, numbers)))


@given(corpora(), st.data())
def test_the_gold_links_of_a_half_do_not_decide_how_it_is_linked(corpus, data):
    candidates, gold = corpus
    for half, first in {"odd": 0, "even": 1}.items():
        changed = list(gold)
        changed[first::2] = data.draw(st.permutations(gold[first::2]))
        changed[first] = data.draw(gold_links)

        before, after = (cross_validate(candidates, truth) for truth in (gold, changed))

        assert before.links[first::2] == after.links[first::2]
        for result in (before, after):
            assert {each.half for each in result.choices} == {"odd", "even"}
        assert [each.candidate for each in before.choices if each.half == half] == [
            each.candidate for each in after.choices if each.half == half
        ]


@given(st.data())
def test_a_candidate_that_is_best_everywhere_has_its_own_error(data):
    gold = data.draw(st.lists(gold_links, min_size=2, max_size=6))
    worse = [frozenset({(9, 9), *truth.sure}) for truth in gold]
    best = [truth.sure for truth in gold]

    found = cross_validate({"worse": worse, "best": best}, gold)

    assert list(found.links) == best
    assert found.score.aer == aer(best, gold) == 0


def test_too_little_to_choose_is_named():
    gold, found = [parse_links("0-0")], [frozenset({(0, 0)})]

    with pytest.raises(DataError, match="1 sentence with gold links and 2 ways to link them: cr"):
        cross_validate({"one": found, "other": found}, gold)
    with pytest.raises(DataError, match="2 sentences with gold links and 1 way to link them: cr"):
        cross_validate({"one": found * 2}, gold * 2)
    with pytest.raises(DataError, match="one: 1 sentence of links but 2 of gold links"):
        cross_validate({"one": found, "other": found}, gold * 2)
