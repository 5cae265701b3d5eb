"""Utilities: every pair as sacreBLEU scores it, and means as plain loops of their definitions."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from nmt.errors import DataError
from nmt.evaluation.utility import Bleu, ChrF, expected

SACREBLEU = {ChrF: CHRF(), Bleu: BLEU(effective_order=True)}
UTILITIES = [ChrF(), Bleu()]
# Few letters, so that n-grams repeat and are shared.
TEXTS = st.lists(
    st.one_of(
        st.text("ab ", max_size=12), st.text("ab. \u3000é😆", max_size=30), st.text(max_size=9)
    ),
    min_size=1,
    max_size=6,
)


def sentence_scores(utility, texts):
    """The (text, reference) scores of sacreBLEU."""
    metric = SACREBLEU[type(utility)]
    return np.array(
        [[metric.sentence_score(one, [other]).score for other in texts] for one in texts]
    )


@pytest.mark.parametrize("utility", UTILITIES, ids=lambda each: type(each).__name__)
@settings(max_examples=50)
@given(TEXTS)
def test_every_pair_has_the_score_of_sacrebleu(utility, texts):
    found = np.array([expected(utility, texts, weights) for weights in np.eye(len(texts))]).T

    np.testing.assert_allclose(found, sentence_scores(utility, texts), rtol=1e-12, atol=1e-12)


CASES = [
    ["the cat sat on the mat .", "the cat sat on a mat .", "a dog ran ."],
    ["a", "a", "b"],
    ["", "a"],
    [""],
    ["   ", "\u2028"],
    ["a b c d e f g h", "a"],
    ["aaaa aaaa", "aa", "a a a a a a a a a"],
    ["same", "same"],
]


@pytest.mark.parametrize("texts", CASES, ids=str)
@pytest.mark.parametrize("utility", UTILITIES, ids=lambda each: type(each).__name__)
def test_the_expected_utility_is_the_weighted_mean_over_references(utility, texts):
    weights = np.arange(1, len(texts) + 1) / np.arange(1, len(texts) + 1).sum()
    scores = sentence_scores(utility, texts)

    means = [sum(w * scores[i, j] for j, w in enumerate(weights)) for i in range(len(texts))]

    np.testing.assert_allclose(expected(utility, texts, weights), means, rtol=1e-12, atol=1e-12)


def aggregated(utility, text, texts, weights):
    """The chrF or BLEU of a text against mean counts, by loops over n-grams in dictionaries."""
    terms = []
    for n in range(1, utility.order + 1):
        own, mean = grams(utility, text, n), Counter()
        for other, weight in zip(texts, weights, strict=True):
            for gram, count in grams(utility, other, n).items():
                mean[gram] += weight * count
        shared = sum(min(count, mean[gram]) for gram, count in own.items())
        terms.append((sum(own.values()), sum(mean.values()), shared))
    if isinstance(utility, ChrF):
        used = [(own, mean, shared) for own, mean, shared in terms if own and mean]
        if not any(shared for *_, shared in used):
            return 0.0
        precision = sum(shared / own for own, _, shared in used) / len(used)
        recall = sum(shared / mean for _, mean, shared in used) / len(used)
        return 100 * 5 * precision * recall / (4 * precision + recall)
    if not any(shared for *_, shared in terms):
        return 0.0
    product, zeros, used = 1.0, 0, [(own, shared) for own, _, shared in terms if own]
    for own, shared in used:
        zeros += shared == 0
        product *= (shared or 0.5**zeros) / own
    (length, mean, _), *_ = terms
    return 100 * min(1, np.exp(1 - mean / length)) * product ** (1 / len(used))


def grams(utility, text, n):
    units = "".join(text.split()) if isinstance(utility, ChrF) else text.split()
    return Counter(tuple(units[i : i + n]) for i in range(len(units) - n + 1))


@pytest.mark.parametrize("texts", CASES, ids=str)
@pytest.mark.parametrize("utility", UTILITIES, ids=lambda each: type(each).__name__)
def test_an_aggregated_reference_has_the_mean_number_of_each_n_gram(utility, texts):
    weights = np.arange(1, len(texts) + 1) / np.arange(1, len(texts) + 1).sum()

    found = expected(utility, texts, weights, aggregate=True)

    loop = [aggregated(utility, text, texts, weights) for text in texts]
    np.testing.assert_allclose(found, loop, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("utility", UTILITIES, ids=lambda each: type(each).__name__)
@given(TEXTS)
def test_one_sure_reference_is_the_same_aggregated(utility, texts):
    weights = np.eye(len(texts))[0]

    np.testing.assert_allclose(
        expected(utility, texts, weights, aggregate=True),
        expected(utility, texts, weights),
        rtol=1e-12,
    )


def test_bleu_has_the_tokenizer_that_is_asked_for():
    texts, weights = ["你好世界人", "你好世界们"], np.array([0.0, 1.0])

    # By characters, 4 of 5, 3 of 4, 2 of 3 and 1 of 2 n-grams are shared; else no word is.
    shared = 100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    assert expected(Bleu("zh"), texts, weights) == pytest.approx([shared, 100])
    assert expected(Bleu("13a"), texts, weights) == pytest.approx([0, 100])
    with pytest.raises(DataError, match="no such tokenizer"):
        Bleu("14b")
