"""A run that is asked to stop ends in order, and goes on as if it had not."""

import json
import signal
import subprocess
import sys

import pytest
import runs
import yaml

from nmt import cli, demo
from nmt.config import SamplingConfig
from nmt.errors import Interrupted, UserError
from nmt.run import Run
from nmt.training.session import train

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])

# An epoch has eight batches, a step three, a record six, a validation nine. The batch at which a
# signal comes, counted from 0, and how many have been consumed when training stops, after a step.
STOPS = {
    0: 3,  # at the first batch of all; between two records
    5: 6,  # at the last batch of a step; after a record
    7: 9,  # at the last batch of an epoch, within a step; right after a validation
    13: 15,  # within a step
    16: 18,  # within a step whose batches are of two epochs
}


@pytest.fixture(scope="module", autouse=True)
def _interruptible():
    """Ctrl-C does something even where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, corpus):
    """The same as `undisturbed`, in as many sessions and one more."""
    settings = runs.config(tmp_path_factory.mktemp("stopped") / "run", corpus, max_steps=9)
    for count, (batch, stops_after) in enumerate(STOPS.items()):
        number = (signal.SIGTERM, signal.SIGINT)[count % 2]
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted) as stop:
            runs.train_disturbed(patch, settings, {batch: runs.signalled(number)})
        assert stop.value.signal == number.name
        assert Run.open(settings.run).progress("last").batches == stops_after
    return train(settings)


def test_stops_anywhere_change_nothing(stopped, undisturbed):
    runs.assert_same(stopped, undisturbed)


def test_a_stop_right_after_a_validation_does_not_save_again(tmp_path, corpus, monkeypatch):
    settings = runs.config(tmp_path / "run", corpus, max_steps=9)
    saved = []
    save = Run.save

    def noted(run, kind, items, progress, **options):
        saved.append((kind, progress.step))
        save(run, kind, items, progress, **options)

    monkeypatch.setattr(Run, "save", noted)
    with pytest.raises(Interrupted, match="stopped after step 3, saved; the same"):
        runs.train_disturbed(monkeypatch, settings, {7: runs.signalled(signal.SIGTERM)})

    assert saved == [("best", 3), ("kept", 3), ("last", 3)]


def test_an_end_that_is_moved_to_a_stop_has_a_validation(tmp_path, corpus, monkeypatch, capfd):
    settings = runs.config(tmp_path / "run", corpus, max_steps=9)
    with pytest.raises(Interrupted, match="stopped after step 1, saved"):
        runs.train_disturbed(monkeypatch, settings, {0: runs.signalled(signal.SIGTERM)})
    ended = runs.config(tmp_path / "run", corpus, max_steps=1)
    capfd.readouterr()

    run = train(ended)

    assert run.progress("best").step == run.progress("last").best_step == 1
    [record] = runs.records(run)
    assert (record["step"], "validation/bleu" in record) == (1, True)
    said = capfd.readouterr().err
    assert said.index("validation at step 1") < said.index("already trained to step 1 of 1")
    train(ended)  # once is enough
    assert runs.records(run) == [record]


def test_another_process_samples_the_same_pieces(undisturbed):
    tokenizer = undisturbed.tokenizers().source
    texts = ["abcdefabcdef", "fedcbafedcba"] * 20
    program = (
        "import json, sys; from nmt.config import SamplingConfig; "
        "from nmt.data.tokenizers import Tokenizers; path, texts = sys.argv[1:]; "
        "print(json.dumps(Tokenizers.load(path).source.sample_batch("
        "json.loads(texts), sampling=SamplingConfig(alpha=0.5), seed=7)))"
    )
    arguments = [str(undisturbed.path / "tokenizer"), json.dumps(texts)]

    other = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, check=True
    )

    here = tokenizer.sample_batch(texts, sampling=SamplingConfig(alpha=0.5), seed=7)
    assert json.loads(other.stdout) == here


def test_there_are_no_gaps_and_no_doubles_in_the_records(stopped):
    steps = [json.loads(line)["step"] for line in stopped.metrics_path.read_text().splitlines()]

    assert steps == [2, 3, 4, 6, 6, 8, 9]  # of training every second, of validation every third


@SIGNALS
def test_in_python_a_stop_is_an_exception_that_says_how_to_go_on(
    tmp_path, corpus, monkeypatch, number
):
    settings = runs.config(tmp_path / "run", corpus, max_steps=2)

    with pytest.raises(Interrupted) as stop:
        runs.train_disturbed(monkeypatch, settings, {1: runs.signalled(number)})

    name = signal.Signals(number).name
    path = tmp_path / "run"
    assert (
        str(stop.value) == f"{path}: {name}: stopped after step 1, saved; the same command goes on"
    )
    assert (stop.value.signal, stop.value.run) == (name, path)
    assert not isinstance(stop.value, UserError)
    assert not (path / "lock.holder").exists()


def test_a_stop_that_comes_when_the_last_step_is_made_is_one_too(tmp_path, corpus, monkeypatch):
    settings = runs.config(tmp_path / "run", corpus, max_steps=1)

    with pytest.raises(Interrupted, match=r"run: SIGTERM: the training had ended, and is saved$"):
        runs.train_disturbed(monkeypatch, settings, {2: runs.signalled(signal.SIGTERM)})

    assert Run.open(settings.run).progress("last").step == 1


@SIGNALS
@pytest.mark.parametrize("command", ["train", "demo"])
def test_a_command_that_was_stopped_exits_as_a_shell_has_it(
    tmp_path, corpus, monkeypatch, capsys, number, command
):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(runs.tree(tmp_path / "run", corpus, max_steps=2)))
    overrides = {"train": [str(path)], "demo": []}
    monkeypatch.setattr(demo, "config_path", lambda: path)
    monkeypatch.setattr(sys, "argv", ["nmt", command, *overrides[command]])

    with pytest.raises(SystemExit) as stop:
        runs.disturbed(monkeypatch, cli.main, {1: runs.signalled(number)})

    assert stop.value.code == {signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    *_, last = capsys.readouterr().err.splitlines()
    message = (
        f"{signal.Signals(number).name}: stopped after step 1, saved; the same command goes on"
    )
    assert last == f"nmt: {tmp_path / 'run'}: {message}"
