import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nmt.errors import ConfigError
from nmt.evaluation.pharaoh import format_links, parse_links
from nmt.evaluation.symmetrization import METHODS, SOFT, soft_links, symmetrize, turned

SIZE = 6
anything = st.frozensets(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)))
# What aligners write: one source word or none for each target word, or the other way round.
choices = st.lists(st.integers(-1, SIZE - 1), min_size=SIZE, max_size=SIZE)
forwards = choices.map(lambda row: frozenset((s, t) for t, s in enumerate(row) if s >= 0))
backwards = choices.map(lambda row: frozenset((s, t) for s, t in enumerate(row) if t >= 0))
directions = st.one_of(st.tuples(forwards, backwards), st.tuples(anything, anything))


def links(line):
    return parse_links(line).sure


def combine(forward, backward, method):
    return format_links(symmetrize(links(forward), links(backward), method=method))


def words(found):
    return {("source", s) for s, _ in found} | {("target", t) for _, t in found}


def moses(forward, backward, method):
    """The pseudo-code of the Moses manual (step 3, Align Words), word for word, on matrices.

    English is the target, foreign the source, and e2f looks for the foreign word of each English.
    """
    e2f, f2e = np.zeros((2, SIZE, SIZE), dtype=bool)
    for matrix, found in ((e2f, forward), (f2e, backward)):
        for foreign, english in found:
            matrix[english, foreign] = True
    neighboring = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))
    alignment = e2f & f2e

    def free(e, f):
        return not alignment[e].any(), not alignment[:, f].any()

    def grow_diag():
        while True:
            added = False
            for e in range(SIZE):
                for f in range(SIZE):
                    if not alignment[e, f]:
                        continue
                    for e_step, f_step in neighboring:
                        e_new, f_new = e + e_step, f + f_step
                        if not (0 <= e_new < SIZE and 0 <= f_new < SIZE):
                            continue
                        if any(free(e_new, f_new)) and (e2f | f2e)[e_new, f_new]:
                            alignment[e_new, f_new] = added = True
            if not added:
                return

    def final(direction, condition):
        for e_new in range(SIZE):
            for f_new in range(SIZE):
                if condition(free(e_new, f_new)) and direction[e_new, f_new]:
                    alignment[e_new, f_new] = True

    grow_diag()
    if method != "grow-diag":
        condition = all if method == "grow-diag-final-and" else any
        final(e2f, condition)
        final(f2e, condition)
    return {(int(f), int(e)) for e, f in np.argwhere(alignment)}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("intersection", "0-0 5-5"),
        ("union", "0-0 1-0 1-1 3-3 3-4 5-5"),
        # 1-0 and 1-1 both touch 0-0, and each brings a word that had no link.
        # 3-3 and 3-4 touch neither 1-1 nor 5-5.
        ("grow-diag", "0-0 1-0 1-1 5-5"),
        ("grow-diag-final", "0-0 1-0 1-1 3-3 3-4 5-5"),
        # Of 3-3, from the forward links, no word is linked. Then 3-4 finds its 3 linked.
        ("grow-diag-final-and", "0-0 1-0 1-1 3-3 5-5"),
    ],
)
def test_an_example_worked_by_hand(method, expected):
    assert combine("0-0 1-1 3-3 5-5", "0-0 1-0 3-4 5-5", method) == expected


def test_straight_neighbours_go_before_diagonal_ones():
    # 1-0 and 0-1 link the words 0 of both sides to 1-1, and so keep out the diagonal 0-0.
    assert combine("1-0 1-1", "0-0 0-1 1-1", "grow-diag") == "0-1 1-0 1-1"


def test_what_is_added_can_have_neighbours_of_its_own():
    assert combine("0-0 1-1 2-2 3-3", "3-3", "grow-diag") == "0-0 1-1 2-2 3-3"
    assert combine("0-0 1-1 2-2 3-3", "0-0", "grow-diag") == "0-0 1-1 2-2 3-3"


def test_forward_links_go_before_backward_ones():
    assert combine("0-0", "0-1", "grow-diag-final-and") == "0-0"
    assert combine("0-1", "0-0", "grow-diag-final-and") == "0-1"


def test_final_and_may_keep_a_link_that_final_leaves_out():
    forward, backward = "0-0 0-2 2-0", "0-0 2-2"

    # 0-2 and 2-0 have each one free word: `final` takes both, and then 2-2 has none left.
    assert combine(forward, backward, "grow-diag-final") == "0-0 0-2 2-0"
    assert combine(forward, backward, "grow-diag-final-and") == "0-0 2-2"


@pytest.mark.parametrize("method", ["grow-diag", "grow-diag-final", "grow-diag-final-and"])
@given(directions)
def test_links_are_those_of_the_moses_manual(method, pair):
    assert symmetrize(*pair, method=method) == moses(*pair, method)


@given(directions)
def test_each_method_goes_on_from_the_one_before(pair):
    found = {method: symmetrize(*pair, method=method) for method in METHODS}

    assert found["intersection"] == pair[0] & pair[1] <= found["grow-diag"]
    for method in ("grow-diag-final", "grow-diag-final-and"):
        assert found["grow-diag"] <= found[method] <= found["union"] == pair[0] | pair[1]


@given(directions)
def test_final_links_every_word_that_either_direction_links(pair):
    assert words(symmetrize(*pair, method="grow-diag-final")) == words(pair[0] | pair[1])


@given(directions)
def test_final_and_leaves_out_no_link_between_two_free_words(pair):
    found = symmetrize(*pair, method="grow-diag-final-and")

    linked = words(found)
    for source, target in (pair[0] | pair[1]) - found:
        assert ("source", source) in linked or ("target", target) in linked


@pytest.mark.parametrize("method", ["intersection", "union", "grow-diag"])
@given(directions)
def test_without_a_final_step_the_directions_are_equal(method, pair):
    assert symmetrize(*pair, method=method) == symmetrize(*reversed(pair), method=method)


@pytest.mark.parametrize("method", METHODS)
@given(anything)
def test_two_equal_directions_stay_as_they_are(method, found):
    assert symmetrize(found, found, method=method) == found


def test_an_unknown_method_is_named_with_those_there_are():
    message = (
        "no symmetrization 'grow'; choose one of intersection, union, grow-diag, "
        "grow-diag-final, grow-diag-final-and"
    )
    with pytest.raises(ConfigError, match=message):
        symmetrize(frozenset(), frozenset(), method="grow")


EIGHTHS = st.integers(0, 8).map(lambda number: number / 8)


@given(
    npst.arrays(np.float32, (3, 4), elements=EIGHTHS),
    npst.arrays(np.float32, (4, 3), elements=EIGHTHS),
    EIGHTHS.filter(bool),
)
def test_soft_links_are_those_of_a_loop_over_products_and_sums(forward, backward, threshold):
    products, sums = set(), set()
    for source in range(4):
        for target in range(3):
            one, other = forward[target][source], backward[source][target]
            if one * other >= threshold**2:  # all of these numbers are exact
                products.add((source, target))
            if one + other >= 2 * threshold:
                sums.add((source, target))

    for method, expected in {"soft-intersection": products, "soft-union": sums}.items():
        assert soft_links(forward, backward, method=method, threshold=threshold) == expected
        reverse = soft_links(backward, forward, method=method, threshold=threshold)
        assert reverse == turned(expected)


def test_a_direction_that_is_sure_makes_up_for_one_that_divides_its_weight():
    # One compound becomes three words: Haustür, porte de maison; "de" belongs to none.
    forward = np.array([[1.0], [0.7], [1.0]], np.float32)
    backward = np.array([[0.5, 0.0, 0.5]], np.float32)

    for method in SOFT:
        assert soft_links(forward, backward, method=method) == {(0, 0), (0, 2)}


def test_an_unknown_soft_method_is_named_with_those_there_are():
    message = "no symmetrization 'union'; choose one of soft-intersection, soft-union"
    with pytest.raises(ConfigError, match=message):
        soft_links(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), method="union")
