"""`kill -9` at any moment: what is left can be read, goes on, and ends as if nothing had been."""

import random
import subprocess
import sys
import time

import pytest
import runs
import yaml

from nmt.errors import RunError
from nmt.run import Run
from nmt.training.session import train


class Training:
    """The command `nmt train` in a process of its own."""

    def __init__(self, folder, settings):
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        with (folder / "stderr").open("w") as errors:
            command = [sys.executable, "-m", "nmt", "train", str(path)]
            self.process = subprocess.Popen(command, stderr=errors)

    def wait_for(self, condition):
        """Waits until the condition holds, or the process has ended; returns whether it holds."""
        deadline = time.monotonic() + 300
        while self.process.poll() is None and not condition():
            assert time.monotonic() < deadline
            time.sleep(0.0005)
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()


def saving(path):
    return lambda: any(path.glob("checkpoints/*/*.part*"))


def records_so_far(path):
    log = path / "metrics.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def recorded(path, lines):
    return lambda: records_so_far(path) >= lines


def assert_readable(path):
    """Nobody has to tidy up: the folder opens, and any checkpoint in it is found to be whole."""
    run = Run.open(path)
    for which in ("last", "best"):
        run.progress(which)


def test_killed_amid_a_checkpoint(tmp_path, corpus, undisturbed):
    path = tmp_path / "run"
    training = Training(tmp_path, runs.tree(path, corpus, max_steps=9))
    assert training.wait_for(recorded(path, 1))
    with pytest.raises(RunError, match=rf"another training \(process {training.process.pid} on "):
        train(runs.config(path, corpus, max_steps=9))
    assert training.wait_for(saving(path))
    training.kill()
    assert_readable(path)

    with pytest.warns(UserWarning, match="did not end cleanly; continuing"):
        run = train(runs.config(path, corpus, max_steps=9))

    runs.assert_same(run, undisturbed)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(tmp_path, corpus):
    with pytest.warns(UserWarning, match="BLEU is still zero"):  # of what is learned in 200 steps
        undisturbed = train(runs.config(tmp_path / "undisturbed", corpus, max_steps=200))
    path, kills = tmp_path / "run", 0
    settings = runs.tree(path, corpus, max_steps=200)

    while kills < 20:
        training = Training(tmp_path, settings)
        match kills % 3:
            case 0:  # at the start, or while programs are compiled
                end = time.monotonic() + random.uniform(0, 6)
                alive = training.wait_for(lambda end=end: time.monotonic() > end)
            case 1:  # while a checkpoint is written, or soon after
                alive = training.wait_for(saving(path))
                time.sleep(random.uniform(0, 0.3))
            case _:  # after some progress
                more = records_so_far(path) + random.randint(1, 8)
                alive = training.wait_for(recorded(path, more))
        training.kill()
        if not alive:
            break  # it was faster than that, and has ended
        kills += 1
        if (path / "config.yaml").exists():
            assert_readable(path)
    training = Training(tmp_path, settings)
    assert training.process.wait() == 0

    assert kills >= 10
    runs.assert_same(Run.open(path), undisturbed)
