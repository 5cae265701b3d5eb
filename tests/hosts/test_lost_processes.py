"""A process that is killed, or that has other files: the others end, with one line, and soon."""

import re
import shutil
import time
from pathlib import Path

import pytest
from together import assert_equal, records, settings

from nmt import configfile, hosts
from nmt.training.trainer import train

SOON = 30  # seconds, where gloo notices at once that a connection is closed


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1, 2])
def test_when_one_is_killed_the_others_end(processes, tmp_path, pairs, killed):
    run, tree = tmp_path / "run", settings(tmp_path / "run", pairs, max_steps=40, validate_every=10)
    members = processes.train(tree, tree, tree)
    processes.until(lambda: len(records(run, "train/loss")) >= 15)

    members[killed].kill()
    at = time.monotonic()

    codes = processes.ended()
    assert time.monotonic() - at < SOON
    assert 0 not in codes
    for number in {0, 1, 2} - {killed}:
        assert processes.errors(number) == [hosts.LOST]

    processes.train(tree, tree, tree)
    assert processes.ended() == [0, 0, 0], processes.said
    whole = settings(tmp_path / "whole", pairs, max_steps=40, validate_every=10)
    assert_equal(run, train(configfile.validate(whole)).path, batches=80)


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
        _, second, *others = path.read_text().splitlines()
        path.write_text("\n".join([second, second, *others]) + "\n")

    processes.train(*trees, folders=folders)

    assert processes.ended() == [2, 2]
    for number in range(2):
        [line] = processes.errors(number)
        assert re.fullmatch(rf"process 1 on \S+ has another {named} than process 0 on .*", line)
    assert not (tmp_path / "run" / "config.yaml").exists()
