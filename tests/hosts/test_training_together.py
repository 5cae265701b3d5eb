"""Several processes train as one does: the same parameters, whatever their number."""

import pytest
from together import assert_equal, settings

from nmt import configfile
from nmt.training.trainer import train


def test_two_processes_train_as_two_devices_of_one_do(training, tmp_path, pairs):
    trees = [settings(tmp_path / name, pairs, max_steps=5) for name in ("two", "one")]

    training.start(trees[0], trees[0])
    train(configfile.validate(trees[1]))  # on two virtual devices

    assert training.ended() == [0, 0]
    assert "trained to step 5" in training.said[0]
    assert "step" not in training.said[1]
    assert_equal(tmp_path / "two", tmp_path / "one", batches=10)
