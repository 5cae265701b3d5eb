"""A process that is killed, or that has other files: the others end, with one line, and soon."""

import re
import shutil
import time
from pathlib import Path

import pytest
import tiny
from together import DIVISIBLE, assert_equal, records, settings

from nmt import configfile, hosts
from nmt.training.session import train

SOON = 30  # seconds, where gloo notices at once that a connection is closed


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1, 2])
def test_when_one_is_killed_the_others_end(processes, tmp_path, killed):
    corpus, run = tiny.write_corpus(tmp_path), tmp_path / "run"
    often = {"log_every": 1, "validate_every": 12, "max_epochs": None, "max_steps": 30}
    tree = tiny.tree(run, corpus, sentences=DIVISIBLE, **often)
    members = processes.train(tree, tree, tree)
    processes.until(lambda: len(records(run, "train/loss")) >= 15)  # one checkpoint is saved

    members[killed].kill()
    at = time.monotonic()

    codes = processes.ended()
    assert time.monotonic() - at < SOON
    assert 0 not in codes
    for number in {0, 1, 2} - {killed}:
        assert processes.errors(number) == [hosts.LOST]

    processes.train(tree, tree)
    assert processes.ended() == [0, 0], processes.said
    whole = tiny.tree(tmp_path / "whole", corpus, sentences=DIVISIBLE, **often)
    assert_equal(run, train(configfile.validate(whole)).path, batches=30)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("differing", "named"),
    [
        ("train.de", "training corpus, tokenizer"),
        ("val.en", "validation corpus"),
        ("train.links", "training corpus"),
        ("batch", "configuration"),
    ],
)
def test_processes_with_other_files_do_not_start(processes, tmp_path, pairs, differing, named):
    folders = [tmp_path / name for name in ("first", "second")]
    trees = [settings(tmp_path / "run", Path("pairs"), max_steps=5) for _ in folders]
    for folder in folders:
        shutil.copytree(pairs, folder / "pairs")
    if differing == "batch":
        trees[1]["data"]["batch"]["sentences"] = 16
    else:
        path = folders[1] / "pairs" / differing
        first, second, *others = path.read_text().splitlines()
        other = "0-0" if differing == "train.links" else second
        assert other != first
        path.write_text("\n".join([other, second, *others]) + "\n")

    processes.train(*trees, folders=folders)

    assert processes.ended() == [2, 2]
    for number in range(2):
        [line] = processes.errors(number)
        assert re.fullmatch(rf"process 1 on \S+ has another {named} than process 0 on .*", line)
    assert not (tmp_path / "run" / "config.yaml").exists()


@pytest.mark.slow
def test_streams_that_differ_behind_the_sample_end_together(processes, tmp_path, pairs):
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        shutil.copytree(pairs, folder / "pairs")
    for side in ("de", "en"):  # as long, with other pairs behind the first twenty
        path = folders[1] / "pairs" / f"train.{side}"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:40] + lines[:39:-1]))
    sizes = {"sentences": DIVISIBLE, "vocabulary": 60}
    tree = tiny.tree(tmp_path / "run", Path("pairs"), **sizes, max_epochs=2)
    tree["data"]["stream"] = {"buffer": 20, "sample": 20}
    tree["training"] |= {"max_steps": 100, "validate_every": 100, "log_every": 1}

    processes.train(tree, tree, folders=folders)

    assert processes.ended() == [2, 2]
    for number in range(2):
        [line] = processes.errors(number)
        assert " has another stream of training pairs than process 0 on " in line
    assert len(records(tmp_path / "run", "train/loss")) >= 2
