"""COMET, by a stand-in for the command `comet-score`: the model and its package are too large."""

import os
import sys

import pytest

from nmt.errors import DataError
from nmt.evaluation.comet import Comet
from nmt.evaluation.metrics import compare, evaluate

# Reads and writes what unbabel-comet 2.2.7 does. A sentence has the score .1 if its source is "s",
# .01 more if its translation is "t", and .001 more if its reference is "r".
COMMAND = """#!{python}
import argparse, json, sys
parser = argparse.ArgumentParser()
for name in ("-s", "-t", "-r", "--to_json", "--model"):
    parser.add_argument(name)
for name in ("--quiet", "--only_system"):
    parser.add_argument(name, action="store_true")
given = parser.parse_args()
if given.model == "unknown":
    sys.exit("KeyError: not supported by COMET")
texts = [[line.strip() for line in open(path)] for path in (given.s, given.t, given.r)]
scores = [
    dict(src=s, mt=t, ref=r, COMET=.1 * (s == "s") + .01 * (t == "t") + .001 * (r == "r"))
    for s, t, r in zip(*texts)
]
print(given.t, "score: 0.0")
json.dump({{given.t: scores}}, open(given.to_json, "w"))
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    command = tmp_path / "comet-score"
    command.write_text(COMMAND.format(python=sys.executable))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.usefixtures("installed")
def test_source_translation_and_reference_each_go_to_their_place(capfd):
    (score,) = evaluate(["t", "x"], ["r", "r"], metrics=[Comet(["s", "s"], "a/b")])

    assert score.name == "COMET"
    assert score.value == pytest.approx(100 * (0.111 + 0.101) / 2)
    assert score.signature == "nrefs:1|model:a/b"
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("installed")
def test_systems_are_compared_by_comet():
    systems = {"good": ["t"] * 9, "bad": ["x"] * 9}

    scores = compare(systems, ["r"] * 9, metrics=[Comet(["s"] * 9)])

    good, bad = scores["good"][0], scores["bad"][0]
    assert (good.value, bad.value) == pytest.approx((11.1, 10.1))
    assert (good.mean, good.margin) == pytest.approx((11.1, 0), abs=1e-5)
    assert bad.p_value == pytest.approx(1 / 1001)  # no resample shows as large a difference


@pytest.mark.usefixtures("installed")
def test_a_carriage_return_does_not_end_a_sentence():
    (score,) = evaluate(["a\rb", "t"], ["r", "r"], metrics=[Comet(["s", "s"])])

    assert score.value == pytest.approx(100 * (0.101 + 0.111) / 2)


def test_the_command_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(
        DataError, match="COMET needs the command comet-score: pipx install unbabel"
    ):
        Comet(["s"])


@pytest.mark.usefixtures("installed")
def test_several_references_are_refused():
    with pytest.raises(DataError, match="COMET compares with one reference; give a single one"):
        evaluate(["t"], ["r"], ["r"], metrics=[Comet(["s"])])


@pytest.mark.usefixtures("installed")
def test_a_failure_of_the_command_is_reported_below_its_own_messages(capfd):
    with pytest.raises(DataError, match=r"comet-score failed \(exit code 1\); see its messages"):
        evaluate(["t"], ["r"], metrics=[Comet(["s"], "unknown")])

    assert capfd.readouterr().err == "KeyError: not supported by COMET\n"
