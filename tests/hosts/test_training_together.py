"""Several processes train as one does: the same parameters, whatever their number."""

import signal

import pytest
import tiny
from together import assert_equal, records, saved, settings

from nmt import configfile
from nmt.training.trainer import train


def test_two_processes_train_as_two_devices_of_one_do(processes, tmp_path):
    corpus = tiny.write_corpus(tmp_path)
    trees = [
        tiny.tree(tmp_path / name, corpus, max_steps=8, log_every=1, validation_beam=1)
        for name in ("two", "one")
    ]

    processes.train(trees[0], trees[0])
    train(configfile.validate(trees[1]))  # on two virtual devices

    assert processes.ended() == [0, 0], processes.said
    assert "trained to step 8" in processes.said[0]  # an epoch, whose last batch is half empty
    assert "step" not in processes.said[1]
    assert_equal(tmp_path / "two", tmp_path / "one", batches=8)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, pairs):
    """A run of 50 steps on the two virtual devices of this process."""
    folder = tmp_path_factory.mktemp("alone")
    return train(configfile.validate(settings(folder / "run", pairs, max_steps=50))).path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "devices"), [(1, 1), (2, 1), (4, 1), (1, 4), (2, 2)], ids=lambda each: str(each)
)
def test_fifty_steps_are_the_same_on_any_number(processes, tmp_path, pairs, alone, count, devices):
    tree = settings(tmp_path / "run", pairs, max_steps=50)

    processes.train(*[tree] * count, devices=devices)

    assert processes.ended() == [0] * count, processes.said
    assert_equal(tmp_path / "run", alone, batches=100)


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(2, 1, 4), (4, 2, 1), (1, 4, 2)], ids=str)
def test_a_training_goes_on_with_another_number(processes, tmp_path, pairs, alone, counts):
    for count, steps in zip(counts, (10, 30, 50), strict=True):
        tree = settings(tmp_path / "run", pairs, max_steps=steps, validate_every=25)
        processes.train(*[tree] * count)
        assert processes.ended() == [0] * count, processes.said

    losses = records(tmp_path / "run", "train/loss")
    assert losses == pytest.approx(records(alone, "train/loss"), rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("stopped", [0, 1, 2])
def test_a_signal_to_any_of_them_stops_all_at_one_step(processes, tmp_path, pairs, alone, stopped):
    run, tree = tmp_path / "run", settings(tmp_path / "run", pairs, max_steps=50)
    members = processes.train(tree, tree, tree)
    processes.until(lambda: len(records(run, "train/loss")) >= 5)

    members[stopped].send_signal(signal.SIGTERM)

    assert processes.ended() == [128 + signal.SIGTERM] * 3
    [batches] = saved(run)
    expected = f"{run}: SIGTERM: stopped after step {batches // 2}, saved; the same command goes on"
    assert [processes.errors(number) for number in range(3)] == [[expected]] * 3

    processes.train(tree, tree)
    assert processes.ended() == [0, 0], processes.said
    assert_equal(run, alone, batches=100)
