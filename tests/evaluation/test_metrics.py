import json
import math

import pytest

from nmt.errors import DataError
from nmt.evaluation.metrics import MetricScore, as_json, bleu, chrf, evaluate


def test_bleu_is_that_of_a_corpus_worked_by_hand():
    hypotheses = ["the cat sat on the mat today", "the cat sat on the mat"]
    references = ["the cat sat on the red mat today", "the cat sat on the mat"]

    score = bleu(hypotheses, references)

    # Matches over n-grams: 13/13, (5+5)/(6+5), (3+4)/(5+4), (2+3)/(4+3); 13 words for 14.
    precisions = 13 / 13 * 10 / 11 * 7 / 9 * 5 / 7
    assert score.value == pytest.approx(100 * math.exp(1 - 14 / 13) * precisions**0.25)


def test_chrf_is_that_of_a_word_worked_by_hand():
    score = chrf(["ab"], ["abc"])

    # One character: precision 2/2, recall 2/3. Two: 1/1, 1/2. Longer: the hypothesis has none.
    precision, recall = 1, (2 / 3 + 1 / 2) / 2
    assert score.value == pytest.approx(100 * 5 * precision * recall / (4 * precision + recall))


def test_a_perfect_translation_scores_100():
    sentences = ["Zwei Katzen schlafen auf dem Sofa.", "Es regnet, und niemand geht hinaus."]

    assert [score.value for score in evaluate(sentences, sentences)] == pytest.approx([100, 100])


def test_bleu_splits_punctuation_and_keeps_case():
    assert bleu(["The cat sat there."], ["The cat sat there ."]).value == pytest.approx(100)
    assert bleu(["the cat sat there."], ["The cat sat there."]).value < 90


def test_the_best_of_several_references_counts():
    hypotheses = ["the cat sat on the mat"]

    score = bleu(hypotheses, ["a dog lay under that bed"], ["the cat sat on the mat"])

    assert score.value == pytest.approx(100)
    assert "nrefs:2" in score.signature


def test_an_empty_hypothesis_is_scored():
    assert bleu(["", "the cat sat on the mat"], ["a dog", "the cat sat on the mat"]).value < 100


def test_a_score_prints_itself_with_its_signature():
    signature = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"

    assert str(MetricScore("BLEU", 36.3951, signature)) == f"BLEU 36.40 ({signature})"


def test_the_signatures_name_the_standard_settings():
    first, second = evaluate(["a cat"], ["a cat"])

    assert (first.name, second.name) == ("BLEU", "chrF2")
    assert first.signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert second.signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")


def test_json_holds_each_score_whole():
    scores = evaluate(["the cat"], ["the dog"])

    loaded = [MetricScore(**entry) for entry in json.loads(as_json(scores))]

    assert loaded == scores


@pytest.mark.parametrize("metric", [bleu, chrf, evaluate])
def test_different_counts_are_named(metric):
    with pytest.raises(DataError, match="2 hypotheses but 3 references; they must correspond"):
        metric(["a", "b"], ["a", "b"], ["a", "b", "c"])


@pytest.mark.parametrize("metric", [bleu, chrf, evaluate])
def test_nothing_to_score_is_an_error(metric):
    with pytest.raises(DataError, match="no hypotheses to score; give at least one sentence"):
        metric([], [])


@pytest.mark.parametrize("metric", [bleu, chrf, evaluate])
def test_nothing_to_score_against_is_an_error(metric):
    with pytest.raises(DataError, match="no references to score against; give at least one list"):
        metric(["a"])


def test_tokenized_references_are_warned_of_once_there_are_many(capfd):
    few, many = ["Es regnet ."] * 99, ["Es regnet ."] * 100

    bleu(few, few)
    with pytest.warns(UserWarning, match=r"^100 references and more end in ' \.', as tokenized"):
        bleu(many, many)

    assert capfd.readouterr().err == ""
