"""Several runs on a command line: as one ensemble, beside each other, and what they are not."""

import json
import re
import shutil
from pathlib import Path

import pytest

from nmt.cli import ensembles
from nmt.cli.resumption import Resumption
from nmt.errors import DataError
from nmt.inference.translator import Translator


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        ("a", ["a"]),
        ("a+b", ["a", "b"]),
        ("a/+b/", ["a", "b"]),
        ("a+a+b", ["a", "a", "b"]),
        ("c+d", ["c+d"]),  # a folder of this name comes before two folders
        ("a+c+d", ["a", "c+d"]),
        ("c+d+a", ["c+d", "a"]),
        ("c+c+d", ["c", "c+d"]),
        ("a+absent", ["a", "absent"]),  # whose name is then said
        ("absent+a", ["absent", "a"]),
        ("absent+other", ["absent+other"]),
        ("a+", ["a+"]),
        ("+a", ["+a"]),
        ("e++/f", ["e++/f"]),
        ("e++/f+a", ["e++/f", "a"]),
    ],
)
def test_a_plus_sign_joins_folders_and_may_be_a_part_of_their_names(
    tmp_path, monkeypatch, argument, found
):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c", "c+d", "e++/f"):
        Path(name).mkdir(parents=True)

    assert ensembles.members(Path(argument)) == [Path(each) for each in found]


@pytest.fixture
def runs(copy_run, noisy_run, tmp_path, monkeypatch):
    """Two runs, a and b, in the working folder, and a file."""
    monkeypatch.chdir(tmp_path)
    Path("a").symlink_to(copy_run)
    Path("b").symlink_to(noisy_run)
    Path("empty").mkdir()
    Path("in.txt").write_text("a b c d\n\nh g f e\n")
    return copy_run, noisy_run


@pytest.mark.parametrize(
    "arguments", [("a+b", "in.txt"), ("a", "b", "in.txt"), ("a", "in.txt", "b/")]
)
def test_several_runs_translate_together(nmt, runs, monkeypatch, arguments):
    options = ("--n-best", 2, "decoding.length_penalty=none")
    code, out, _ = nmt("translate", *arguments, *options)

    assert code == 0
    translator = Translator.load(runs, length_penalty={"kind": "none"})
    expected = [
        (str(number), each.text, f"{each.score:.3f}")
        for number, ranked in enumerate(translator.stream(["a b c d", "", "h g f e"], n_best=2))
        for each in ranked
    ]
    rows = [line.split(" ||| ") for line in out.splitlines()]
    assert [(row[0], row[1], f"{float(row[3]):.3f}") for row in rows] == expected


def test_an_ensemble_is_compared_with_its_members(nmt, runs):
    text = ("--source", "in.txt", "--reference", "in.txt", "--metric", "chrf")

    code, out, _ = nmt("evaluate", "a", "b", "a+b", *text, "--json")

    assert code == 0
    systems = json.loads(out)
    assert list(systems) == ["a", "b", "a+b"]
    assert systems["a+b"][0]["value"] == pytest.approx(100)


def test_an_ensemble_aligns_and_is_drawn(nmt, runs):
    code, links, _ = nmt("align", "a+b", "--source", "in.txt", "--target", "in.txt")
    assert (code, links) == (0, "0-0 1-1 2-2 3-3\n\n0-0 1-1 2-2 3-3\n")

    methods = ("--method", "attention", "--method", "saliency")
    drawn = nmt("plot", "a+b", "a b", "--target", "a b", "--gold", "0-0 1-1", *methods)
    assert drawn == (0, "a b\n", "heatmap.png written\n")
    assert Path("heatmap.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("translate a empty", "empty: no run (it has no config.yaml), and INPUT is a file"),
        ("translate a b in.txt other.txt",
         "in.txt and other.txt: one INPUT at a time is read, and a run is a folder"),
        ("translate a+absent in.txt", "absent: no such run folder"),
        ("translate absent+a in.txt", "absent: no such run folder"),
        ("translate absent+other+a+b in.txt", "absent: no such run folder"),
        ("translate absent+other in.txt", "absent+other: no such run folder"),
        ("align a b --source in.txt --target in.txt",
         "b: not a setting decoding.KEY=VALUE; files are --source FILE, and several runs are one "
         "argument, RUN+RUN"),
        ("evaluate a+b a+b --source in.txt --reference in.txt", "a+b: given twice"),
        ("evaluate a+b", "a+b: its configuration has no data.test"),
        ("info a+b", "a+b: no such run folder"),
    ],
)  # fmt: skip
def test_what_is_no_run_is_named(nmt, runs, line, message):
    code, _, err = nmt(*line.split())

    assert (code, err.startswith(f"nmt: {message}"), err.count("\n")) == (2, True, 1), err


def test_a_translation_is_not_resumed_by_other_members(runs, tmp_path):
    both, one = Translator.load(runs), Translator.load(runs[0])
    output = tmp_path / "out"
    record = Resumption(both, Path("in.txt"), output, how={}, resume=False)
    with (tmp_path / "out.part").open("w") as out:
        record.save(out, 0)

    assert Resumption(both, Path("in.txt"), output, how={}, resume=True).lines == 0
    with pytest.raises(DataError, match="was made with another model; give the same command"):
        Resumption(one, Path("in.txt"), output, how={}, resume=True)


def test_runs_of_other_vocabularies_are_refused(nmt, runs, tmp_path):
    from tiny import changed_run

    changed_run(runs[0], tmp_path / "reversed", reverse_target=True)

    code, _, err = nmt("translate", "a+reversed", "in.txt")

    assert code == 2
    assert re.match(r"nmt: reversed writes from right to left, and a from left to right", err)
    shutil.rmtree(tmp_path / "reversed")
