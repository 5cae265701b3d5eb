"""`nmt translate` with constraints: for all lines, by line, and of a glossary."""

import json
import os
from itertools import chain
from threading import Thread

import pytest

from nmt.data.phrases import contains

LINES = ("a b c", "d e", "f g h")
ALL = {"--prefix": "b ", "--require": "c", "--forbid": "e"}  # for one program of a search


def test_options_are_for_all_lines(nmt, copy_run, text):
    code, out, err = nmt(
        "translate", copy_run, text("in", *LINES),
        "--prefix", "b ", "--require", "c", "--require", "h", "--forbid", "e", "--forbid", "g",
    )  # fmt: skip

    assert (code, err) == (0, "")
    assert len(out.splitlines()) == len(LINES)
    for line in out.splitlines():
        assert line.startswith("b ")
        assert all(contains(line, letter) for letter in "ch")
        assert not any(contains(line, letter) for letter in "eg")


@pytest.mark.filterwarnings("default:.*spell")
@pytest.mark.parametrize("option", ["--prefix", "--require", "--forbid"])
def test_bytes_that_are_not_utf_8_are_replaced(nmt, copy_run, text, option):
    others = chain(*((name, value) for name, value in ALL.items() if name != option))
    translate = ["translate", copy_run, text("in", *LINES), *others]
    expected = nmt(*translate, option, "\ufffd")

    assert nmt(*translate, option, os.fsdecode(b"\xff")) == expected

    assert expected[0] == 0


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(
    ("required", "forbidden", "refused"),
    [("a", "a", True), ("b A", "a", True), ("a", "A", False), ("ab", "a", False)],
)
def test_what_is_required_and_forbidden_is_refused(
    nmt, copy_run, text, required, forbidden, refused
):
    options = ("--prefix", ALL["--prefix"], "--require", required, "--forbid", forbidden)

    code, _, err = nmt("translate", copy_run, text("in", *LINES), *options)

    message = (
        f"nmt: --require {required!r} has what --forbid {forbidden!r} forbids; leave out one\n"
    )
    assert (code, err == message) == ((2, True) if refused else (0, False))


@pytest.mark.filterwarnings("always")
def test_lines_with_the_same_reason_have_one_warning(nmt, copy_run, text):
    code, _, err = nmt("translate", copy_run, text("in", *LINES), "--require", "Q")

    reason = "no pieces of the model spell 'Q'; they are translated without their constraints"
    assert (code, err) == (0, f"nmt: warning: lines 1, 2, 3: {reason}\n")


def test_a_table_has_a_prefix_by_line(nmt, copy_run, text):
    table = text("in.tsv", "a b c\tb ", "d e", "f g h\t")

    code, out, _ = nmt("translate", copy_run, table, "--forbid", "a")

    first, *others = out.splitlines()
    assert code == 0
    assert first.startswith("b")
    assert others == ["d e", "f g h"]


OBJECTS = [
    {"source": "a b c", "prefix": "b", "forbid": ["c"]},
    {"source": "d e"},
    {"source": "f g h", "require": ["a", "b"]},
]


def test_lines_of_json_have_constraints_of_their_own(nmt, copy_run, text):
    path = text("in.jsonl", *map(json.dumps, OBJECTS), "")

    code, out, _ = nmt("translate", copy_run, path, "--json")
    found = [json.loads(line) for line in out.splitlines()]

    assert code == 0
    assert [each["source"] for each in found] == [*LINES, ""]
    texts = [each["text"] for each in found]
    assert texts[0].startswith("b")
    assert not contains(texts[0], "c")
    assert texts[1] == "d e"
    assert contains(texts[2], "a")
    assert contains(texts[2], "b")
    assert texts[3] == ""


def test_the_input_may_be_a_pipe(nmt, copy_run, tmp_path):
    pipe, lines = tmp_path / "pipe.jsonl", "".join(f"{json.dumps(each)}\n" for each in OBJECTS)
    os.mkfifo(pipe)
    Thread(target=pipe.write_text, args=(lines,), daemon=True).start()

    code, out, err = nmt("translate", copy_run, pipe, "--n-best", 2)

    ranked = [line.split(" ||| ")[:2] for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert {number for number, _ in ranked} == set("012")
    for number, translation in ranked:
        own = OBJECTS[int(number)]
        assert translation.startswith(own.get("prefix", ""))
        assert all(contains(translation, each) for each in own.get("require", []))


def test_a_table_may_be_read_as_text(nmt, copy_run, text):
    code, out, _ = nmt("translate", copy_run, text("in.tsv", "a\tb\tc"), "--input-format", "text")

    assert code == 0
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("in.tsv", "a\tb\tc", "in.tsv, line 2: 3 tab-separated columns"),
        ("in.jsonl", "{", "in.jsonl, line 2: not valid JSON"),
        ("in.jsonl", '{"source": "a", "prefx": "b"}', "line 2: unknown key 'prefx'; known: source"),
    ],
)
def test_a_bad_line_is_named(nmt, copy_run, text, name, line, message):
    good = {"in.tsv": "a", "in.jsonl": '{"source": "a"}'}[name]
    code, out, err = nmt("translate", copy_run, text(name, good, line))

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.filterwarnings("default")
def test_an_impossible_line_is_named_and_translated_all_the_same(nmt, copy_run, text):
    path = text("in.jsonl", *map(json.dumps, [*OBJECTS, {"source": "a b", "require": ["z"]}]))

    code, out, err = nmt("translate", copy_run, path)

    assert code == 0
    assert "line 4: no pieces of the model spell 'z'; it is translated without its con" in err
    assert err.count("\n") == 1
    assert out.splitlines()[3] == "a b"


def test_a_glossary_requires_its_terms(nmt, copy_run, text):
    glossary = text("glossary", "a b\th", "d\tc c")

    code, out, _ = nmt("translate", copy_run, text("in", *LINES), "--glossary", glossary)

    first, second, third = out.splitlines()
    assert code == 0
    assert contains(first, "h")
    assert contains(second, "c c")
    assert third == "f g h"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--glossary", "nowhere"), "nowhere: no such file"),
        (("--require", " "), "require: a phrase is empty"),
        (("--input-format", "xml"), "Invalid value for '--input-format'"),
        (("--markup", "html", "--prefix", "a"), "--markup and --prefix: a document"),
        (("--require", "a", "decoding.strategy=sample"), "not for decoding.strategy=sample"),
    ],
)
def test_a_bad_option_is_named(nmt, copy_run, text, arguments, message):
    code, _, err = nmt("translate", copy_run, text("in", "a"), *arguments)

    assert code == 2
    assert message in err


def test_a_prefix_is_not_for_a_model_from_right_to_left(nmt, reverse_run, text):
    code, _, err = nmt("translate", reverse_run, text("in", "a"), "--prefix", "a")

    assert code == 2
    assert "nmt: a model that writes from right to left cannot begin with a prefix" in err


@pytest.mark.parametrize(
    "changed", [("--forbid", "b"), ("--glossary", "GLOSSARY"), ("--input-format", "text")]
)
def test_constraints_may_not_change_when_a_translation_is_resumed(
    nmt, copy_run, text, tmp_path, changed
):
    source, output = text("in.tsv", *["a b\tb"] * 70), tmp_path / "out"
    glossary = text("glossary", "a\tb")
    settings = "decoding.batch=1"  # a window has 64 lines
    once = ("translate", copy_run, source, "-o", output, settings)
    text("in.tsv", *["a b\tb"] * 66, "a\tb\tc")
    assert nmt(*once, "--forbid", "c")[0] == 2  # it stops after the first window

    arguments = [glossary if each == "GLOSSARY" else each for each in changed]
    code, _, err = nmt(*once, "--resume", *arguments)

    assert code == 2
    assert "was made with another" in err
    text("in.tsv", *["a b\tb"] * 66, "a\tb\tc")
    assert "line 67" in nmt(*once, "--resume", "--forbid", "c")[2]
