"""Searches with constraints, compared with all that random tables of a few pieces can write."""

import re
from functools import partial

import numpy as np
import pytest
import scripted

from nmt.data.constraints import Constraints
from nmt.data.phrases import contains_forbidden, contains_required
from nmt.inference.plans import Plan
from nmt.inference.rules import Arrays
from nmt.inference.spelling import Spelling

LENGTH = 5  # of a translation, with its end
SEEDS, SENTENCES = range(2), (3, 77)


@pytest.fixture(scope="module")
def small():
    return scripted.pieces()


@pytest.fixture(scope="module")
def target(small):
    return small.target


@pytest.fixture(scope="module")
def written(target):
    """The tokens that translations consist of: `▁ba ▁a ▁ b a`."""
    return [token for token in range(target.size) if token not in special(target)]


def special(target):
    return {target.pad, target.unk, target.bos, target.eos}


def rules(small, *constraints):
    spelling = Spelling.of(small)
    return Arrays.of([Plan.of(each, spelling) for each in constraints], len(constraints))


# Of each prefix, by hand: the pieces that are forced, and what the raw text goes on with.
PREFIXES = {
    "": ("", r""),
    "a": ("", r" a"),
    "b": ("", r" b"),
    "a ": ("▁a", r"(?!\w)"),
    "a b": ("▁a", r" b"),
    "ba b": ("▁ba", r" b"),
    "ba a ": ("▁ba ▁a", r"(?!\w)"),
    "bab": ("", r" bab"),
}


def satisfies(target, tokens, constraints):
    """Whether a translation satisfies constraints, by its text alone but for what is forced."""
    forced, rest = PREFIXES[constraints.prefix]
    pieces = target.pieces(tokens[:-1])
    first, behind = pieces[: len(forced.split())], pieces[len(forced.split()) :]
    if first != forced.split() or not re.match(rest, "".join(behind).replace("▁", " ")):
        return False
    text = "".join(pieces).replace("▁", " ").lstrip(" ")
    required = all(contains_required(text, phrase) for phrase in constraints.require)
    return required and not any(contains_forbidden(text, each) for each in constraints.forbid)


@pytest.fixture(scope="module")
def every(target, written):
    """All that each table can write for each sentence, best first."""
    return {
        (seed, sentence): scripted.everything(
            scripted.Tables.drawn(seed, vocabulary=target.size),
            sentence,
            written,
            LENGTH,
            bos=target.bos,
            eos=target.eos,
        )
        for seed in SEEDS
        for sentence in SENTENCES
    }


CASES = [
    Constraints(prefix="a"),
    Constraints(prefix="a "),
    Constraints(prefix="ba b"),
    Constraints(prefix="ba a "),
    Constraints(prefix="bab"),
    Constraints(forbid=["a"]),
    Constraints(forbid=["ba", "a a"]),
    Constraints(forbid=["a", "b", "ba", "ab"]),
    Constraints(require=["a"]),
    Constraints(require=["ab"]),
    Constraints(require=["a ba"]),
    Constraints(require=["ba", "a"]),
    Constraints(require=["a ba", "ba a"]),  # they may overlap
    Constraints(require=["bab", "ba"]),  # one begins as the other
    Constraints(require=["a", "b"], forbid=["b a"]),
    Constraints(prefix="b", require=["ba"], forbid=["a"]),
    Constraints(prefix="a b", require=["b a"]),
]


@pytest.mark.parametrize("wanted", CASES, ids=str)
def test_a_beam_that_holds_all_finds_the_best_that_satisfies_the_constraints(
    small, target, every, wanted
):
    for seed in SEEDS:
        tables = scripted.Tables.drawn(seed, vocabulary=target.size)
        search = partial(scripted.found, length=LENGTH, target=target, beam=5**4)

        found = search(tables, SENTENCES, rules(small, wanted, wanted))

        for row, sentence in enumerate(SENTENCES):
            fitting = (each for each in every[seed, sentence] if satisfies(target, each[1], wanted))
            score, tokens = next(fitting)
            assert found.tokens[row, 0, : found.lengths[row, 0]].tolist() == list(tokens)
            np.testing.assert_allclose(found.scores[row, 0], score, rtol=1e-5)
