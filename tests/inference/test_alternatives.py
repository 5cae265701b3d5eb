from itertools import product

import numpy as np
import pytest

from nmt.errors import ConfigError
from nmt.evaluation.symmetrization import METHODS, SOFT, soft_links, symmetrize, turned
from nmt.inference.alternatives import THRESHOLDS, alternatives
from nmt.inference.translation import Translation

SENTENCES, SOURCE, TARGET = 5, 4, 3


def translations(rng, rows, columns):
    """Translations of one piece for each word, with random weights and the end of sentence."""

    def words(letter, size):
        return (*(f"▁{letter}{place}" for place in range(size)), "</s>")

    return [
        Translation(
            source="", text="", score=0.0, log_prob=0.0,
            source_pieces=words("s", columns), target_pieces=words("t", rows),
            attention=rng.dirichlet([0.3] * (columns + 1), rows + 1).astype(np.float32),
        )
        for _ in range(SENTENCES)
    ]  # fmt: skip


@pytest.fixture
def both():
    rng = np.random.default_rng(3)
    return translations(rng, TARGET, SOURCE), translations(rng, SOURCE, TARGET)


def passing(weights, least):
    """The links of weights (target, source), by loops."""
    found = set()
    for target, source in product(range(len(weights)), range(len(weights[0]))):
        first = max(range(len(weights[0])), key=lambda s: weights[target][s])
        if (
            (source == first and weights[target][source] > 0)
            if least is None
            else (weights[target][source] >= least)
        ):
            found.add((source, target))
    return frozenset(found)


def test_one_direction_has_a_choice_of_thresholds(both):
    forward, _ = both
    named = {"most attended": None, **{f"threshold {least}": least for least in THRESHOLDS}}

    found = alternatives(forward)

    assert list(found) == list(named)
    assert named["threshold 0.1"] == 0.1
    assert named["threshold 0.6"] == 0.6
    for name, least in named.items():
        weights = [each.attention[:TARGET, :SOURCE].tolist() for each in forward]
        assert found[name] == [passing(each, least) for each in weights]


def test_two_directions_have_a_choice_of_symmetrizations_too(both):
    forward, backward = both
    weights = [
        (there.attention[:TARGET, :SOURCE], back.attention[:SOURCE, :TARGET])
        for there, back in zip(*both, strict=True)
    ]
    expected = {}
    for kind, least in product(METHODS, (None, *THRESHOLDS)):
        expected[kind if least is None else f"{kind} {least}"] = [
            symmetrize(
                passing(there.tolist(), least), turned(passing(back.tolist(), least)), method=kind
            )
            for there, back in weights
        ]
    for kind, least in product(SOFT, THRESHOLDS):
        expected[f"{kind} {least}"] = [
            soft_links(*each, method=kind, threshold=least) for each in weights
        ]

    found = alternatives(forward, backward)

    assert found == expected
    assert len(found) == 5 * 12 + 2 * 11


def test_what_is_given_is_not_chosen(both):
    every = alternatives(*both)

    for given, named in (
        ({"symmetrization": "soft-union"}, lambda kind, _: kind == "soft-union"),
        ({"symmetrization": "union"}, lambda kind, _: kind == "union"),
        ({"threshold": 0.3}, lambda _, least: least == "0.3"),
    ):
        expected = {
            name: each for name, each in every.items() if named(*(name + " ").split(" ")[:2])
        }
        assert alternatives(*both, **given) == expected
    assert list(alternatives(*both, threshold=0.33, symmetrization="soft-union")) == [
        "soft-union 0.33"
    ]


def test_an_unknown_symmetrization_is_named(both):
    with pytest.raises(ConfigError, match="no symmetrization 'grow'; choose one of intersection"):
        alternatives(*both, symmetrization="grow")
