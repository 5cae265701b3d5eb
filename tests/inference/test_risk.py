"""Minimum Bayes risk: the choice by a loop of its definition over sacreBLEU's sentence scores."""

from collections import Counter

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from nmt.config import DecodingConfig
from nmt.errors import ConfigError, DataError
from nmt.inference.risk import Risk
from nmt.inference.searcher import Searcher
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator

METRICS = {"chrf": CHRF(), "bleu": BLEU(effective_order=True)}


def candidate(text, log_prob=-1.0, *, end=True):
    pieces = (*(f"▁{word}" for word in text.split()), *(["</s>"] if end else []))
    attention = np.zeros((len(pieces), 1), np.float32)
    return Translation("x", text, log_prob / 2, log_prob, ("</s>",), pieces, attention)


def utilities(candidates, probabilities, metric):
    """The expected utility of each text, in a loop over all pairs."""
    return {
        one: sum(
            p * metric.sentence_score(one, [other]).score for other, p in probabilities.items()
        )
        for one in candidates
    }


FOUND = ["a dog runs .", "a dog sleeps .", "a dog runs .", "the cat .", "a dog runs off .", "b"]


@pytest.mark.parametrize("strategy", ["sample", "beam", "diverse_beam"])
@pytest.mark.parametrize("utility", ["chrf", "bleu"])
def test_candidates_count_as_often_as_they_were_found(utility, strategy):
    config = DecodingConfig(mbr=utility, strategy=strategy, beam=10)
    shares = {text: count / len(FOUND) for text, count in Counter(FOUND).items()}
    expected = utilities(shares, shares, METRICS[utility])

    found = Risk(config).ranked([candidate(text, -i) for i, text in enumerate(FOUND)])

    assert {each.text: each.utility for each in found} == pytest.approx(expected)
    assert [each.utility for each in found] == sorted((e.utility for e in found), reverse=True)
    assert found[0].text == "a dog runs ."
    assert found[0].log_prob == 0  # of equal words the first


@pytest.mark.parametrize(
    ("texts", "settings", "order"),
    [
        ([], {}, []),
        (["a"], {}, ["a"]),
        ([""], {}, [""]),
        (["", "a", "a"], {}, ["a", ""]),
        (["b", "a"], {}, ["b", "a"]),  # equally useful: as they came
        (["a", "b", "b"], {}, ["b", "a"]),
        (["a", "b", "b"], {"candidates": 2}, ["a", "b"]),
        (["a", "b", " b "], {}, ["b", "a"]),  # the same words
        (["abcdef", "abcxyz", "uvwxyz"], {}, ["abcxyz", "abcdef", "uvwxyz"]),
        (["abcdef", "abcxyz", "uvwxyz"], {"aggregate": True}, ["abcxyz", "abcdef", "uvwxyz"]),
    ],
)
def test_small_sets_of_candidates_are_ranked_as_by_hand(texts, settings, order):
    config = DecodingConfig(mbr=settings or "chrf", strategy="sample")

    assert [each.text for each in Risk(config).ranked(map(candidate, texts))] == order


def test_a_candidate_that_was_cut_counts_only_without_others():
    risk = Risk(DecodingConfig(mbr="chrf", strategy="sample"))
    cut = [candidate("a b c", end=False)] * 2

    assert [each.text for each in risk.ranked([*cut, candidate("d")])] == ["d"]
    assert [each.text for each in risk.ranked(cut)] == ["a b c"]


LINES = ["a b c d", "", "h g f e d c b a", "b", "😆"]


@pytest.mark.parametrize("utility", ["chrf", "bleu"])
@pytest.mark.parametrize("strategy", ["beam", "sample"])
def test_a_translator_returns_the_candidate_of_least_risk(copy_run, utility, strategy):
    how = {"strategy": {"kind": strategy}, "beam": 6, "copy_unseen": False, "unknown": "forbid"}
    how["mbr"] = {"utility": utility, "candidates": 6}
    translator = Translator.load(copy_run, **how)
    tokenizers = translator.tokenizers
    ids = [[*tokenizers.source.encode(line), tokenizers.source.eos] for line in LINES[:4]]
    searcher = Searcher(translator.loaded, tokenizers, translator.config, None)

    found = list(translator.stream(LINES[:4], n_best=6))

    for number, candidates in searcher.all(ids, [0, 2, 3], n_best=6):
        weights = Counter()
        for each in candidates:
            words = " ".join(tokenizers.target.decode(each.tokens).split())
            weights[words] += 1
        shares = {text: weight / weights.total() for text, weight in weights.items()}
        expected = utilities(shares, shares, METRICS[utility])
        assert {
            " ".join(each.text.split()): each.utility for each in found[number]
        } == pytest.approx(expected)
        assert found[number][0].utility == max(each.utility for each in found[number])
    assert [each.text for each in found[1]] == [""]
    assert found[1][0].utility is None


def test_what_is_returned_keeps_its_score_and_its_attention(copy_run):
    how = {"mbr": {"candidates": 6}, "strategy": "sample", "beam": 6}
    translator = Translator.load(copy_run, **how)

    found = translator.translate(LINES)

    assert [each.source for each in found] == LINES
    assert found[4].text == "😆"
    for each in (found[0], found[2], found[3]):
        forced = translator.score(each.source, each.text)
        if forced.target_pieces == each.target_pieces:
            assert each.log_prob == pytest.approx(forced.log_prob, abs=1e-4)
            assert each.score == pytest.approx(forced.score, abs=1e-4)
            np.testing.assert_allclose(each.attention, forced.attention, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mbr": "comet"}, "decoding.mbr: unknown utility 'comet'; known: chrf, bleu"),
        ({"mbr": "chrf", "beam": 1}, "chooses from several candidates, and there is one"),
        ({"mbr": "chrf", "strategy": "greedy"}, "chooses from several candidates, and there is"),
        ({"mbr": {"candidates": 1}, "strategy": "sample"}, "several candidates, and there is one"),
        ({"mbr": {"candidates": 8}}, "`mbr.candidates` is 8, and the search finds 5: set a larger"),
        ({"mbr": {"candidates": 0}}, "decoding.mbr.candidates"),
        ({"mbr": {"utility": "chrf", "tokenize": "zh"}}, "decoding.mbr.tokenize: unknown key"),
        ({"mbr": {"utility": "bleu", "tokenize": "no"}}, "decoding.mbr.tokenize"),
    ],
)  # fmt: skip
def test_settings_that_could_not_work_are_refused_in_one_line(copy_run, settings, message):
    with pytest.raises(ConfigError) as error:
        Translator.load(copy_run, **settings)

    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"mbr": {"candidates": 3}, "strategy": "sample"},
            "4 translations of a line cannot be had from 3 candidates; ask for 3 at most, or set "
            "decoding.mbr.candidates=4",
        ),
        (
            {"mbr": {"candidates": 3}, "beam": 4},
            "4 translations of a line cannot be had from 3 candidates; ask for 3 at most, or set "
            "decoding.mbr.candidates=4",
        ),
        (
            {"mbr": "bleu", "beam": 3},
            "4 translations of a line need a beam of 4 at least, and it is 3; set decoding.beam=4, "
            "as --beam 4 does",
        ),
    ],
)
def test_more_translations_than_candidates_are_refused(copy_run, settings, message):
    few = Translator.load(copy_run, **settings)

    with pytest.raises(DataError) as error:
        list(few.stream(["a"], n_best=4))

    assert str(error.value) == message


@pytest.mark.parametrize("settings", [{}, {"mbr": None}, {"mbr": "none"}])
def test_none_is_plain_search(settings):
    config = DecodingConfig(**settings)

    assert (config.mbr, config.candidates) == (None, None)


def test_the_parts_of_a_line_are_those_of_least_risk(copy_run):
    how = {"mbr": {"candidates": 6}, "strategy": {"kind": "sample", "temperature": 2.0}, "beam": 6}
    translator = Translator.load(copy_run, split="always", **how)
    parts = ["a b c .", "h g f e ."]

    (ranked,) = translator.stream([" ".join(parts)], n_best=3)

    alone = translator.translate(parts)
    assert [each.text for each in ranked[0].parts] == [each.text for each in alone]
    assert ranked[0].utility == pytest.approx(sum(each.utility for each in alone) / 2)
    assert [each.utility for each in ranked] == sorted((e.utility for e in ranked), reverse=True)
