"""The same seed is the same run, and a run trained on some devices is read on others."""

import os
import subprocess
import sys

import runs

from nmt.inference.translator import Translator
from nmt.training.session import train


def test_the_same_seed_is_the_same_run(tmp_path, corpus, undisturbed):
    again = train(runs.config(tmp_path / "again", corpus, max_steps=9))

    runs.assert_same(again, undisturbed)


def test_what_two_devices_have_trained_one_device_translates_alike(undisturbed):
    assert "device_count=2" in os.environ["XLA_FLAGS"]
    one = {**os.environ, "XLA_FLAGS": os.environ["XLA_FLAGS"].replace("count=2", "count=1")}
    command = [sys.executable, "-m", "nmt", "translate", str(undisturbed.path)]
    lines = ["abc", "", "fedcba", "a b c"]

    done = subprocess.run(
        command, input="\n".join(lines), env=one, stdout=subprocess.PIPE, text=True, check=True
    )

    here = Translator.load(undisturbed.path).translate(lines)
    assert done.stdout.splitlines() == [each.text for each in here]
