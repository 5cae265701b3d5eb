"""The command that rescores an n-best list: what it reads, writes, tunes and refuses."""

import os
from pathlib import Path

import pytest

from nmt.inference.translator import Translator

LIST = """\
0 ||| b a ||| F0= -1 ||| -0.1 ||| 0-0
0 ||| a b ||| F0= -2 ||| -0.2
0 |||  ||| F0= -3 ||| -0.3
1 ||| c |||  ||| -1
1 ||| d |||  ||| -2
"""


@pytest.fixture
def folder(copy_run, noisy_run, reverse_run, tmp_path, monkeypatch):
    """A working folder with the runs l2r, noisy and r2l, a list and its source."""
    monkeypatch.chdir(tmp_path)
    for name, run in {"l2r": copy_run, "noisy": noisy_run, "r2l": reverse_run}.items():
        Path(name).symlink_to(run)
    Path("list").write_text(LIST)
    Path("source").write_text("a b\nc\n")
    Path("short").write_text("a b\n")
    Path("long").write_text("a b\nc\nd\n")
    return tmp_path


def test_the_best_text_of_each_line_is_written(nmt, folder):
    assert nmt("rescore", "l2r", "r2l", "list", "--source", "source") == (0, "a b\nc\n", "")
    worst = ("--weights", "-1,-1", "-o", "out")
    assert nmt("rescore", "l2r", "r2l", "list", "--source", "source", *worst) == (0, "", "")
    assert Path("out").read_text().splitlines()[1] == "d"


def test_a_list_has_the_scores_of_all_systems_as_features(nmt, folder):
    arguments = ("list", "--source", "source", "--n-best", 3, "--weights", "0.25,0.75")
    settings = {"length_penalty": {"kind": "none"}}

    code, out, _ = nmt("rescore", "l2r+noisy", "r2l", *arguments, "decoding.length_penalty=none")

    assert code == 0
    rows = [line.split(" ||| ") for line in out.splitlines()]
    assert [row[:2] for row in (rows[0], *rows[3:])] == [["0", "a b"], ["1", "c"], ["1", "d"]]
    assert {row[1]: row[4:] for row in rows[1:3]} == {"b a": ["0-0"], "": []}
    systems = Translator.load(["l2r", "noisy"], **settings), Translator.load("r2l", **settings)
    for row in rows:
        source = ["a b", "c"][int(row[0])]
        one, two = (each.align(source, row[1]).score for each in systems)
        *features, name, first, other, second = row[2].split()
        known = {"b a": ["F0=", "-1"], "a b": ["F0=", "-2"], "": ["F0=", "-3"]}
        assert features == known.get(row[1], [])
        assert float(row[3]) <= float(rows[0 if row[0] == "0" else 3][3])
        assert (name, other) == ("l2r+noisy=", "r2l=")
        assert [float(first), float(second)] == pytest.approx([one, two], abs=1e-3)
        assert float(row[3]) == pytest.approx(0.25 * one + 0.75 * two, abs=1e-3)


def test_a_run_whose_name_is_no_text_is_a_feature_all_the_same(nmt, folder):
    Path(os.fsdecode(b"\xffl2r")).symlink_to(Path("l2r").resolve())
    arguments = ("list", "--source", "source", "--n-best", 1, "-o", "out")

    code, _, err = nmt("rescore", os.fsdecode(b"\xffl2r"), "r2l", *arguments)

    assert (code, err) == (0, "")
    assert " \ufffdl2r= " in Path("out").read_text(encoding="utf-8")


def test_a_pipe_of_our_own_translations_is_rescored_by_the_other_direction(
    nmt, folder, standard_input
):
    standard_input(nmt("translate", "l2r", "source", "--n-best", 3)[1])

    assert nmt("rescore", "l2r", "r2l", "--source", "source") == (0, "a b\nc\n", "")


def test_weights_are_tuned_on_a_reference(nmt, folder):
    Path("four").write_text("a b c d\nh g f e\n")
    Path("list").write_text("0 ||| d c b a\n0 ||| a b c d\n1 ||| h g f e\n1 ||| h f g e\n")

    code, out, err = nmt("rescore", "l2r", "r2l", "list", "--source", "four", "--tune", "four")

    # All weights rank the right texts first, so the even ones win.
    assert (code, out) == (0, "0.5,0.5\n")
    rows = [line.split("  ") for line in err.splitlines()]
    assert [name for _, name in rows] == [
        "the first entries", "l2r alone", "r2l alone", "--weights 0.5,0.5",
    ]  # fmt: skip
    values = [float(value.removeprefix("BLEU ")) for value, _ in rows]
    assert values[0] < 70
    assert values[1:] == [100, 100, 100]


def test_runs_of_one_name_are_told_apart_by_their_paths(nmt, folder):
    Path("old").mkdir()
    Path("old/l2r").symlink_to(Path("r2l").resolve())

    _, _, err = nmt("rescore", "l2r", "old/l2r", "list", "--source", "source", "--tune", "source")

    names = [line.split("  ")[1] for line in err.splitlines()]
    assert names[:3] == ["the first entries", "l2r alone", "old/l2r alone"]


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("options", [(), ("--tune", "source")])
def test_a_source_that_is_not_utf_8_is_read_with_a_warning(nmt, folder, options):
    Path("latin").write_bytes(b"a b\nc \xe9\n")

    code, _, err = nmt("rescore", "l2r", "r2l", "list", "--source", "latin", *options)

    assert code == 0
    assert err.startswith("nmt: warning: latin, line 2: not UTF-8 (")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("l2r list --source long", "long has 3 lines, and list 2 sentences"),
        ("l2r list --source source --weights 0.5,0.5",
         "--weights 0.5,0.5: give one number for each of l2r"),
        ("l2r r2l list --source source --weights 1;2",
         "--weights takes numbers with commas, such as 0.4,0.6, not '1;2'"),
        ("l2r r2l list --source source --weights 1,nan",
         "--weights takes numbers with commas, such as 0.4,0.6, not '1,nan'"),
        ("l2r r2l list --source source --tune source --n-best 2",
         "--tune prints weights alone: leave out --weights, --n-best and --output"),
        ("l2r list --source source --tune source",
         "l2r: one run alone leaves nothing to weigh; give two or more"),
        ("l2r r2l list --source source --tune short", "source has 2 lines and short has 1"),
        ("l2r list source --source source", "list and source: one INPUT at a time is read"),
        ("l2r+r2l list --source source", "r2l writes from right to left, and l2r from left to"),
        ("absent list --source source", "absent: no such run folder"),
        ("l2r list --source source --checkpoint 7", "l2r: has no checkpoint of step 7"),
        ("l2r list --source source decoding.beem=2", "decoding.beem: unknown key"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(nmt, folder, line, message):
    code, out, err = nmt("rescore", *line.split())

    assert (code, out, err.startswith(f"nmt: {message}"), err.count("\n")) == (2, "", True, 1), err


def test_an_empty_list_of_no_lines_is_nothing_and_has_nothing_to_tune(nmt, folder):
    Path("empty").write_text("")

    assert nmt("rescore", "l2r", "empty", "--source", "empty") == (0, "", "")
    code, _, err = nmt("rescore", "l2r", "r2l", "empty", "--source", "empty", "--tune", "empty")
    assert (code, err) == (2, "nmt: no hypotheses to score; give at least one sentence\n")
