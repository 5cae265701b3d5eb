"""The command that scores given pairs: what it reads, prints and refuses."""

import gzip
import json
import math
import os
import sys
from pathlib import Path

import pytest

from nmt.inference.translator import Translator

PAIRS = [("a b", "a b"), ("c", "d c"), ("", ""), ("h", ""), ("a €", "a €")]


@pytest.fixture
def folder(copy_run, noisy_run, tmp_path, monkeypatch):
    """A working folder with the runs one and two, a text, and the same text in columns."""
    monkeypatch.chdir(tmp_path)
    for name, run in {"one": copy_run, "two": noisy_run}.items():
        Path(name).symlink_to(run)
    columns = "".join(f"{source}\t{target}\n" for source, target in PAIRS)
    Path("pairs.tsv").write_text(columns, encoding="utf-8")
    with gzip.open("packed.gz", "wt", encoding="utf-8") as packed:
        packed.write(columns)
    for side, lines in zip(("source", "target"), zip(*PAIRS, strict=True), strict=True):
        Path(side).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    Path("short").write_text("a\n")
    return tmp_path


INPUTS = [
    "one pairs.tsv",
    "one packed.gz",
    "one packed",
    "one --source source --target target",
    "one+two pairs.tsv",
    "one two pairs.tsv",
    "one pairs.tsv decoding.length_penalty=none",
]


@pytest.mark.parametrize("line", INPUTS)
def test_each_line_has_log_probability_and_score_wherever_pairs_come_from(nmt, folder, line):
    code, out, err = nmt("score", *line.split())

    runs = ["one", "two"] if "two" in line else "one"
    settings = {"length_penalty": {"kind": "none"}} if "none" in line else {}
    expected = Translator.load(runs, **settings).score(*zip(*PAIRS, strict=True))
    assert code == 0, err
    found = [[float(column) for column in row.split("\t")] for row in out.splitlines()]
    assert found == [pytest.approx([each.log_prob, each.score], abs=1e-3) for each in expected]
    assert found[2] == [0, 0]
    assert ([log_prob for log_prob, _ in found] == [score for _, score in found]) == bool(settings)


def test_words_and_pieces_are_columns_and_fields_of_json(nmt, folder):
    _, plain, _ = nmt("score", "one", "pairs.tsv")
    _, words, _ = nmt("score", "one", "pairs.tsv", "--by", "word")
    _, pieces, _ = nmt("score", "one", "pairs.tsv", "--by", "piece")
    _, out, _ = nmt("score", "one", "pairs.tsv", "--json")

    objects = [json.loads(line) for line in out.splitlines()]
    texts = map(str.splitlines, (plain, words, pieces))
    for number, (each, line, by_word, by_piece) in enumerate(zip(objects, *texts, strict=True)):
        assert (each["id"], each["source"], each["target"]) == (number, *PAIRS[number])
        for kind, row in {"word": by_word, "piece": by_piece}.items():
            columns = row.split("\t")
            units = [column.rsplit(" ", 1) for column in columns[2:]]
            assert "\t".join(columns[:2]) == line
            assert [unit for unit, _ in units] == each[f"{kind}s"]
            assert [float(value) for _, value in units] == pytest.approx(
                each[f"{kind}_log_probs"], abs=1e-4
            )
            assert sum(each[f"{kind}_log_probs"]) == pytest.approx(each["log_prob"], abs=1e-6)
    assert objects[4]["words"] == ["a", "€", "</s>"]
    assert objects[4]["pieces"] == ["▁a", "</s>"]


def test_perplexity_counts_ends_and_what_the_model_has_read(nmt, folder):
    _, out, err = nmt("score", "one", "pairs.tsv")

    # Pieces and words: a b </s>, d c </s>, none, </s>, a </s> without the sign that is set aside.
    total = sum(float(row.split("\t")[0]) for row in out.splitlines())
    perplexity, _, _, by_word = err.split()[1:5]
    assert float(perplexity) == float(by_word) == pytest.approx(math.exp(-total / 9), rel=1e-3)
    assert err.endswith("5 lines, 9 pieces, 9 words)\n")


def test_perplexity_per_word_has_fewer_units_than_per_piece(nmt, folder):
    Path("word").write_text("ab cd\tab cd\n")

    _, out, err = nmt("score", "one", "word")

    pieces = int(err.split(" pieces")[0].split()[-1])
    assert err.endswith(" 3 words)\n")
    assert pieces > 3
    total = float(out.split("\t")[0])
    assert float(err.split()[1]) == pytest.approx(math.exp(-total / pieces), rel=1e-3)
    assert float(err.split()[4]) == pytest.approx(math.exp(-total / 3), rel=1e-3)


def test_standard_input_is_read_and_an_output_written(nmt, folder):
    with Path("pairs.tsv").open() as file:
        before = os.dup(0)
        os.dup2(file.fileno(), 0)
        code, out, _ = nmt("score", "one", "-o", "out")
        os.dup2(before, 0)

    assert (code, out) == (0, "")
    assert Path("out").read_text() == nmt("score", "one", "pairs.tsv")[1]


def test_a_long_line_without_spaces_has_an_endless_perplexity_per_word(nmt, folder):
    Path("long").write_text("a\t" + "d" * 600 + "\n")

    code, out, err = nmt("score", "one", "long", "decoding.max_pieces=700")

    assert code == 0
    # One word and its end: exp of half of what the line costs is beyond the largest float.
    assert -float(out.split("\t")[0]) / 2 > math.log(sys.float_info.max)
    assert " inf per word (log p " in err
    assert " 1 line, " in err


def test_nothing_has_no_perplexity(nmt, folder):
    Path("none").write_text("")
    Path("empty").write_text("\t\n")

    assert nmt("score", "one", "none") == (0, "", "no perplexity: no pairs were read\n")
    _, out, err = nmt("score", "one", "empty")
    assert (out, err) == ("0.0000\t0.0000\n", "no perplexity: 1 line without a piece\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("one absent", "absent: no such file"),
        ("one short", "short, line 1: not a source, one tab and its translation\n"),
        ("one list", "list, line 1: not a source, one tab and its translation; n-best lists are "
         "for `nmt rescore`"),
        ("one --source source", "give --source FILE and --target FILE, or one INPUT"),
        ("one --target target", "give --source FILE and --target FILE, or one INPUT"),
        ("one pairs.tsv --source source --target target", "give --source FILE and --target FILE,"),
        ("one --source source --target short", "source has 5 lines and short has 1: line n of"),
        ("one pairs.tsv --json --by word", "--json has words and pieces already; leave out --by"),
        ("one pairs.tsv short", "pairs.tsv and short: one INPUT at a time"),
        ("absent pairs.tsv", "absent: no such run folder"),
        ("one pairs.tsv decoding.beem=2", "decoding.beem: unknown key"),
        ("one pairs.tsv model.dropout=0", "model.dropout: only settings of decoding"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_in_one_line(nmt, folder, line, message):
    Path("list").write_text("0 ||| a b ||| ||| -1\n")

    code, _, err = nmt("score", *line.split())

    assert (code, err.startswith(f"nmt: {message}"), err.count("\n")) == (2, True, 1), err


def test_standard_input_is_named_as_such(nmt, folder, standard_input):
    standard_input(b"a\td\na\n")

    message = "nmt: standard input, line 2: not a source, one tab and its translation\n"
    assert nmt("score", "one")[::2] == (2, message)


def test_a_list_is_rescored_in_place_by_the_command_for_lists(nmt, folder):
    Path("list").write_text("0 ||| b a ||| F= 1 ||| 0\n0 ||| a b ||| F= 2 ||| 0\n")
    Path("line").write_text("a b\n")

    assert nmt("rescore", "one", "list", "--source", "line", "--n-best", 9, "-o", "list")[0] == 0

    rows = [row.split(" ||| ") for row in Path("list").read_text().splitlines()]
    assert [row[1] for row in rows] == ["a b", "b a"]
    assert rows[0][2].startswith("F= 2 one= ")


def test_minimum_bayes_risk_is_a_setting_of_translate_and_evaluate(nmt, folder):
    sampled = ("decoding.mbr.candidates=6", "decoding.strategy.kind=sample")

    code, listed, _ = nmt("translate", "one", "source", "--n-best", 6, *sampled)
    _, objects, _ = nmt("translate", "one", "source", "--json", *sampled)
    evaluated, out, _ = nmt(
        "evaluate", "one", "--source", "source", "--reference", "target", "decoding.mbr=bleu"
    )

    rows = [row.split(" ||| ") for row in listed.splitlines() if row.startswith("0")]
    found = [float(row[2].split("utility= ")[1]) for row in rows]
    assert (code, evaluated, out[:4]) == (0, 0, "BLEU")
    assert found == sorted(found, reverse=True)
    best, *_, empty, _, _ = map(json.loads, objects.splitlines())
    assert best["utility"] == pytest.approx(found[0], abs=1e-3)
    assert "utility" not in empty
