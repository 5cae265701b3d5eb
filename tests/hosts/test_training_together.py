"""Several processes train as one does: the same parameters, whatever their number."""

import signal

import pytest
import tiny
from together import assert_equal, records, saved, settings

from nmt import configfile
from nmt.training.session import train


@pytest.mark.slow
def test_two_processes_train_as_two_devices_do_and_stop_together(processes, tmp_path):
    corpus, two, one = tiny.write_corpus(tmp_path), tmp_path / "two", tmp_path / "one"
    often = {"log_every": 1, "validate_every": 10**6, "max_epochs": None}
    tree = tiny.tree(two, corpus, max_steps=10**6, **often)
    members = processes.train(tree, tree)
    processes.until(lambda: len(records(two, "train/loss")) >= 10)  # the 8th batch is half empty

    members[1].send_signal(signal.SIGTERM)

    assert processes.ended() == [128 + signal.SIGTERM] * 2, processes.said
    [steps] = saved(two)
    end = f"{two}: SIGTERM: stopped after step {steps}, saved; the same command goes on"
    assert [processes.errors(number) for number in range(2)] == [[end], [end]]
    train(configfile.validate(tiny.tree(one, corpus, max_steps=steps, **often)))
    assert_equal(two, one, batches=steps)


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
    of_each = [records(each, "validation/perplexity") for each in (tmp_path / "run", alone)]
    assert of_each[0] == pytest.approx(of_each[1], rel=1e-4)


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
