"""Files that are not what a command takes them for: an output, a document, a sentence, a run."""

import os
import re
from pathlib import Path

import pytest

READ = "is read, so it cannot be written; choose another name"


@pytest.fixture
def folder(tmp_path, monkeypatch, copy_run):
    """The working folder, with files, and with the model as `run`."""
    monkeypatch.chdir(tmp_path)
    Path("run").symlink_to(copy_run)
    texts = {"a": "a b\n", "pairs": "a b\ta b\n", "links": "0-0 1-1\n", "page.html": "<b>a</b>\n"}
    for name, text in {**texts, "list": "0 ||| a b ||| x= -1 ||| -1\n", "gold": "0-0\n"}.items():
        Path(name).write_text(text)
    Path("same").symlink_to("a")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("translate run a -o a", "a"),
        ("translate run a -o same", "same"),
        ("translate run a --alignments ./a", "a"),
        ("translate run a --markup html -o a", "a"),
        ("translate run a --dictionary pairs -o pairs", "pairs"),
        ("translate run a --glossary pairs -o pairs", "pairs"),
        ("score run pairs -o pairs", "pairs"),
        ("score run --source a --target same -o a", "a"),
        ("align run --source a --target a -o a", "a"),
        ("align run --source a --target a --gold gold -o gold", "gold"),
        ("rescore run list --source a -o list", "list"),
        ("rescore run list --source a -o a", "a"),
        ("symmetrize links links -o links", "links"),
    ],
)
def test_an_output_is_no_input(nmt, folder, command, output):
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    assert nmt(*command.split()) == (2, "", f"nmt: {output}: {READ}\n")

    assert before == {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("translate run a.part -o a", "a"),
        ("translate run a.part -o same", "same"),
        ("translate run a --glossary a.part --alignments a", "a"),
        ("rescore run a.part --source pairs -o a", "a"),
        ("rescore run a.part --source pairs --n-best 1 -o a", "a"),
    ],
)
def test_an_input_is_not_what_an_output_is_first_written_as(nmt, folder, command, output):
    Path("a.part").write_text("0 ||| a b ||| x= -1 ||| -1\n")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    message = f"{output}: is first written as a.part, which is read; choose another name"
    assert nmt(*command.split()) == (2, "", f"nmt: {message}\n")

    assert before == {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("arguments", ["x.part.json -o x", "a --alignments x.part.json -o x"])
def test_progress_is_not_written_to_a_file_that_is_named(nmt, folder, arguments):
    Path("x.part.json").write_text("a b\n")
    message = "x: its progress is written to x.part.json, which is named as well; choose another"

    assert nmt("translate", "run", *arguments.split()) == (2, "", f"nmt: {message} name\n")

    assert Path("x.part.json").read_text() == "a b\n"
    markup = ("--markup", "html", "-o", "x")  # has no record
    assert nmt("translate", "run", "x.part.json", *markup) == (0, "", "")


def test_an_output_is_not_what_another_is_first_written_as(nmt, folder):
    message = "other: --output and --alignments need a file each"

    outputs = ("-o", "other", "--alignments", "other.part")
    assert nmt("translate", "run", "a", *outputs) == (2, "", f"nmt: {message}\n")

    assert not Path("other").exists()


def test_an_output_is_not_the_file_behind_standard_input(nmt, folder):
    own = os.dup(0)
    with open("a") as file:
        os.dup2(file.fileno(), 0)
    try:
        assert nmt("translate", "run", "-o", "a") == (2, "", f"nmt: a: {READ}\n")
    finally:
        os.dup2(own, 0)
        os.close(own)


def test_an_equal_file_and_a_device_are_written(nmt, folder):
    Path("other").write_text("a b\n")

    assert nmt("translate", "run", "a", "-o", "other") == (0, "", "")
    assert nmt("translate", "run", "a", "-o", "/dev/null") == (0, "", "")


def test_a_document_that_is_read_as_lines_is_warned_of(nmt, folder):
    warning = "page.html: looks like a document; --markup html keeps its markup"

    with pytest.raises(UserWarning, match=f"^{warning}$"):  # an error of the tests
        nmt("translate", "run", "page.html")

    assert nmt("translate", "run", "page.html", "--markup", "html")[0] == 0
    assert nmt("translate", "run", "page.html", "--input-format", "text")[0] == 0


@pytest.mark.parametrize(
    ("name", "kind"), [("a.xml", "xml"), ("a.md", "markdown"), ("a.HTM.gz", "html")]
)
def test_each_ending_of_a_document_names_its_kind(name, kind):
    from nmt.cli import inputs

    with pytest.warns(UserWarning, match=rf"^{name}: looks like a document; --markup {kind} keeps"):
        inputs.warn_of_document(Path(name))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["plot", "run", "a"], "a: is a file; give --file a"),
        (
            ["translate", "run", "Der Hund schläft."],
            "Der Hund schläft.: no such file; a sentence is given by echo 'Der Hund schläft.' | "
            "nmt translate run",
        ),
        (
            ["translate", "run", "你好。"],
            "你好。: no such file; a sentence is given by echo '你好。' | nmt translate run",
        ),
        (["translate", "nope", "nope.txt"], "nope: no such run folder; `nmt train CONFIG` makes"),
        (["score", "nope", "nope.txt"], "nope: no such run folder; `nmt train CONFIG` makes"),
        (["translate", "run/config.yaml", "a"], "run/config.yaml: a file, not a run folder; give"),
        (["shortlist", "a"], "a: a file, not a run folder; give the folder that `nmt train` has"),
        (["translate", "run", "a", "beam=3"], "beam=3: did you mean decoding.beam=3?"),
        (
            ["translate", "run", "a", "strategy.seed=3"],
            "strategy.seed=3: did you mean decoding.strategy.seed=3?",
        ),
    ],
)
def test_what_was_meant_is_said(nmt, folder, command, message):
    code, out, error = nmt(*command)

    assert (code, out, error.count("\n")) == (2, "", 1)
    assert error.startswith(f"nmt: {message}")


LONG = "x" * 256


@pytest.mark.parametrize(
    "command",
    [
        f"translate {LONG}",
        f"translate run+{LONG} a",
        f"translate run {LONG}",
        f"translate run a -o {LONG}",
        f"rescore run {LONG} --source a",
        f"evaluate {LONG}",
        f"export run {LONG}",
        f"clean --source {LONG} --target a -o out",
        f"init de-en --train {LONG} --validation {LONG}",
        f"init de-en --train pairs.tsv --validation pairs.tsv -o {LONG}",
        f"split de-en --corpus pairs.tsv --validation 1 --test 0 -o {LONG}",
        f"train run/config.yaml data.train=[{LONG},{LONG}] run=new",
    ],
)
def test_a_name_that_no_file_can_have_is_one_line(nmt, folder, command):
    Path("pairs.tsv").write_text("ein Hund\ta dog\nzwei Katzen\ttwo cats\n")

    code, out, error = nmt(*command.split())

    assert (code, out, error.count("\n")) == (2, "", 1)
    assert re.match(rf"nmt: {LONG}\S*: .*\(File name too long\)$", error)


def test_a_name_of_a_file_may_look_like_text(nmt, folder):
    Path("beam=3").write_text("a\n")
    Path("a text.").write_text("a\n")

    assert nmt("translate", "run", "beam=3")[0] == 0
    assert nmt("translate", "run", "a text.")[0] == 0
