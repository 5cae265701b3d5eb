"""Scores: those worked out by hand, and those of sacreBLEU's own command on the same text."""

import json
import math
import re
import subprocess
import sys
from functools import partial

import pandas as pd
import pytest

from nmt.errors import DataError
from nmt.evaluation.metrics import MetricScore, as_json, as_table, bleu, compare, evaluate, metric

# Two systems and two references. `13a` splits no Chinese, so it finds no 4-gram.
ENGLISH = {
    "one": ["The cat sat on the mat.", "It is raining, and NOBODY goes out.", "Two dogs sleep."],
    "two": ["A cat sat on a mat.", "It rains and nobody goes outside.", "The dogs are asleep now."],
    "ref": ["The cat sat on the red mat.", "It is raining, and nobody goes out.", "Two dogs run."],
    "alt": ["A cat sat upon the mat.", "It rains, and no one goes outside.", "Two dogs sleep now."],
}
CHINESE = {
    "one": ["一只猫坐在红色的垫子上。", "正在下雨，没有人出去。", "两只狗在睡觉。"],
    "two": ["猫在垫子上面坐着。", "下雨了，谁也不出门。", "两条狗睡着了。"],
    "ref": ["一只猫坐在蓝色的垫子上。", "正在下雨，没有人出门。", "两只狗在花园里睡觉。"],
}


@pytest.fixture
def sacrebleu(tmp_path):
    """Runs sacreBLEU's command on texts, given by name, and returns what it prints."""

    def run(texts, systems, references, *options):
        for name, lines in texts.items():
            (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        files = [*references, "-i", *systems, "-w", "9", "-q", *options]
        command = [sys.executable, "-m", "sacrebleu", *files]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
        return done.stdout.decode("utf-8")

    return run


def test_bleu_is_that_of_a_corpus_worked_by_hand():
    hypotheses = ["the cat sat on the mat today", "the cat sat on the mat"]
    references = ["the cat sat on the red mat today", "the cat sat on the mat"]

    score = bleu(hypotheses, references)

    # Matches over n-grams: 13/13, (5+5)/(6+5), (3+4)/(5+4), (2+3)/(4+3); 13 words for 14.
    precisions = 13 / 13 * 10 / 11 * 7 / 9 * 5 / 7
    assert score.value == pytest.approx(100 * math.exp(1 - 14 / 13) * precisions**0.25)


def test_chrf_is_that_of_a_word_worked_by_hand():
    (score,) = evaluate(["ab"], ["abc"], metrics=[metric("chrf")])

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


@pytest.mark.parametrize(
    "score", [bleu, evaluate, lambda texts, *more: compare({"a": texts}, *more)]
)
def test_different_counts_are_named(score):
    with pytest.raises(DataError, match="2 hypotheses but 3 references; they must correspond"):
        score(["a", "b"], ["a", "b"], ["a", "b", "c"])


@pytest.mark.parametrize(
    "score", [bleu, evaluate, lambda texts, *more: compare({"a": texts}, *more)]
)
def test_nothing_to_score_is_an_error(score):
    with pytest.raises(DataError, match="no hypotheses to score; give at least one sentence"):
        score([], [])


@pytest.mark.parametrize(
    "score", [bleu, evaluate, lambda texts, *more: compare({"a": texts}, *more)]
)
def test_nothing_to_score_against_is_an_error(score):
    with pytest.raises(DataError, match="no references to score against; give at least one list"):
        score(["a"])


@pytest.mark.parametrize(
    ("arguments", "metrics", "message"),
    [
        (("the cat", "the cat"), None, "evaluate takes lists of strings, not str"),
        ((["the cat"], "c"), None, "evaluate takes lists of strings, not str"),
        (({"1": "the cat"}, {"1": "a cat"}), None, "evaluate takes lists of strings, not dict"),
        (2 * (pd.DataFrame({"a": ["x"]}),), None, "evaluate takes lists of strings, not DataFrame"),
        ((["the cat"], [["the cat"]]), None, "evaluate takes lists of strings, and one is list"),
        ((["the cat"], ["the cat"]), ["bleu"], "those of sacreBLEU, and one is str"),
        ((["the cat"], ["the cat"]), metric("bleu"), "a list of those of sacreBLEU, not BLEU"),
    ],
)
def test_what_is_no_list_of_sentences_is_not_scored(arguments, metrics, message):
    with pytest.raises(TypeError, match=message):
        evaluate(*arguments, metrics=metrics)


def test_a_number_of_resamples_that_is_none_is_named():
    with pytest.raises(TypeError, match=r"^resamples is a whole number, not str$"):
        evaluate(["the cat"], ["the cat"], resamples="9")


def test_sentences_may_come_one_after_another():
    lines = ["the cat sleeps now", "a dog"]

    assert evaluate(iter(lines), iter(lines)) == evaluate(lines, lines)
    metrics = [metric("bleu"), metric("ter")]
    assert evaluate(lines, lines, metrics=iter(metrics)) == evaluate(lines, lines, metrics=metrics)


def test_tokenized_references_are_warned_of_once_there_are_many(capfd):
    few, many = ["Es regnet ."] * 99, ["Es regnet ."] * 100

    bleu(few, few)
    bleu(many, many, tokenize="none")  # text that is tokenized on purpose
    evaluate(many, many, metrics=[metric("chrf")])
    with pytest.warns(UserWarning, match=r"^100 references and more end in ' \.', as tokenized"):
        bleu(many, many)

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "settings", "options"),
    [
        ("bleu", {}, ("-m", "bleu")),
        ("bleu", {"lowercase": True}, ("-m", "bleu", "-lc")),
        ("bleu", {"tokenize": "intl"}, ("-m", "bleu", "-tok", "intl")),
        ("bleu", {"tokenize": "none"}, ("-m", "bleu", "-tok", "none")),
        ("bleu", {"tokenize": "char"}, ("-m", "bleu", "-tok", "char")),
        ("chrf", {}, ("-m", "chrf")),
        ("chrf", {"lowercase": True}, ("-m", "chrf", "--chrf-lowercase")),
        ("chrf++", {}, ("-m", "chrf", "--chrf-word-order", "2")),
        ("ter", {}, ("-m", "ter")),
        ("ter", {"lowercase": True}, ("-m", "ter")),
    ],
)
def test_a_score_is_that_of_sacrebleus_command(sacrebleu, name, settings, options):
    chosen = [metric(name, **settings)]

    (score,) = evaluate(ENGLISH["one"], ENGLISH["ref"], ENGLISH["alt"], metrics=chosen)

    expected = json.loads(sacrebleu(ENGLISH, ["one"], ["ref", "alt"], *options))
    assert (score.name, score.signature) == (expected["name"], expected["signature"])
    assert score.value == pytest.approx(expected["score"], abs=1e-8)


@pytest.mark.parametrize("tokenizer", ["zh", "char", "13a"])
def test_chinese_is_split_as_by_sacrebleus_command(sacrebleu, tokenizer):
    score = bleu(CHINESE["one"], CHINESE["ref"], tokenize=tokenizer)

    expected = json.loads(sacrebleu(CHINESE, ["one"], ["ref"], "-tok", tokenizer))
    assert score.value == pytest.approx(expected["score"], abs=1e-8)
    assert score.signature == expected["signature"]
    assert (score.value > 40) == (tokenizer != "13a")


def test_confidence_is_that_of_sacrebleus_command(sacrebleu):
    names = ["bleu", "chrf", "ter"]

    scores = evaluate(
        ENGLISH["one"], ENGLISH["ref"], metrics=list(map(metric, names)), resamples=1000
    )

    expected = json.loads(sacrebleu(ENGLISH, ["one"], ["ref"], "-m", *names, "--confidence"))
    for score, other in zip(scores, expected, strict=True):
        assert score.signature == other["signature"]
        assert score.mean == pytest.approx(other["confidence_mean"], abs=1e-8)
        assert score.margin == pytest.approx(other["confidence_var"], abs=1e-8)


def test_systems_are_compared_as_by_sacrebleus_command(sacrebleu):
    names = ["bleu", "chrf", "ter"]
    systems = {name: ENGLISH[name] for name in ("one", "two")}

    scores = compare(systems, ENGLISH["ref"], ENGLISH["alt"], metrics=list(map(metric, names)))

    options = ("-f", "text", "-m", *names, "--paired-bs")  # its JSON fails with chrF and TER
    table = sacrebleu(ENGLISH, ["one", "two"], ["ref", "alt"], *options)
    cells = re.findall(r"([0-9.]+) \(([0-9.]+) ± ([0-9.]+)\)", table)
    expected = [tuple(map(float, cell)) for cell in cells]
    p_values = [float(found) for found in re.findall(r"\(p = ([0-9.]+)\)", table)]
    flat = [score for row in scores.values() for score in row]
    assert [(each.value, each.mean, each.margin) for each in flat] == list(
        map(partial(pytest.approx, abs=1e-8), expected)
    )
    assert [each.p_value for each in flat] == [None] * 3 + [
        pytest.approx(each, abs=5e-5) for each in p_values
    ]
    assert all(f"{each.name} " in table and each.signature in table for each in flat)


def test_equal_translations_do_not_differ_significantly():
    systems = {"one": ENGLISH["one"], "two": ENGLISH["two"], "same": list(ENGLISH["one"])}

    scores = compare(systems, ENGLISH["ref"])

    assert [each.p_value for each in scores["same"]] == [1.0, 1.0]
    assert all(each.p_value < 1 for each in scores["two"])


def test_a_table_has_a_row_for_each_system_and_the_signatures():
    interval = MetricScore("BLEU", 9.994, "a:1", mean=10.001, margin=1.239)
    tested = MetricScore("BLEU", 36.4, "a:1", mean=36.38, margin=0.91, p_value=0.012)

    assert as_table({"x": [interval], "system y": [tested]}).splitlines() == [
        "system    BLEU",
        "x         9.99 (μ = 10.00 ± 1.24)",
        "system y  36.40 (μ = 36.38 ± 0.91, p = 0.0120)",
        "",
        "μ ±: 95 % confidence interval; p: paired bootstrap resampling, against x",
        "BLEU: a:1",
    ]


def test_json_of_several_systems_has_what_is_known():
    scores = compare({"one": ["a b"], "two": ["a c"]}, ["a b"], metrics=[metric("ter")])

    loaded = json.loads(as_json(scores))

    assert {name: [MetricScore(**each) for each in row] for name, row in loaded.items()} == scores
    assert "p_value" not in loaded["one"][0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            partial(metric, "meteor"),
            r"^meteor: no such metric; there are bleu, chrf, chrf\+\+, ter",
        ),
        (
            partial(metric, "bleu", tokenize="14a"),
            "^14a: no such tokenizer; there are none, zh, 13a",
        ),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(build, message):
    with pytest.raises(DataError, match=message):
        build()
