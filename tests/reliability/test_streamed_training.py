"""A training from a stream goes on as if it had not been stopped, and ends where it should."""

import json
import signal

import numpy as np
import pytest
import runs

from nmt import configfile
from nmt.checkpoints import Checkpoints
from nmt.errors import Interrupted, RunError
from nmt.training.session import train
from nmt.training.stream_loader import StreamLoader

LONGEST = 8  # so that batches have the size of those of the whole corpus
STOPS = [0, 4, 9, 14, 18]  # batches at which signals come, counted from 0


def config(run, corpus, *, stream=None, **training):
    """A stream of the corpus in buffers of 25 of its 60 pairs.

    Of 25, 25 and 10 pairs are 4, 4 and 2 batches of 8. Three make a step, and the last one of the
    ten of an epoch makes one alone.
    """
    tree = runs.tree(run, corpus, **{"max_steps": 10, **training})
    tree["data"] |= {
        "max_length": LONGEST,
        "stream": {"buffer": 25, "sample": 60, **(stream or {})},
    }
    return configfile.validate(tree)


@pytest.fixture(scope="module")
def undisturbed_stream(tmp_path_factory, corpus):
    return train(config(tmp_path_factory.mktemp("streamed") / "run", corpus))


def stopped_at(monkeypatch, settings, number):
    """Trains until a batch at which a signal comes, and to the end of its step."""
    read = StreamLoader.batches

    def batches(self, start):
        for count, (batch, after) in enumerate(read(self, start), start=start.batches):
            if count == number:
                signal.raise_signal(signal.SIGTERM)
            yield batch, after

    with monkeypatch.context() as patch:
        patch.setattr(StreamLoader, "batches", batches)
        with pytest.raises(Interrupted):
            train(settings)


def test_stops_anywhere_change_nothing(tmp_path, corpus, undisturbed_stream, monkeypatch):
    settings = config(tmp_path / "run", corpus)
    for number in STOPS:
        stopped_at(monkeypatch, settings, number)

    runs.assert_same(train(settings), undisturbed_stream)


def test_the_place_in_the_stream_is_in_the_checkpoint(undisturbed_stream):
    [saved, *_] = Checkpoints(undisturbed_stream.path).intact("last")
    progress = json.loads((saved.folder / "progress.json").read_text())

    assert progress["stream"]["read"] == 25 * progress["part"] > 0
    assert progress["batches"] == 26
    assert progress["epoch"] >= 2


@pytest.mark.parametrize(("epochs", "steps"), [(1, 4), (3, 12)])
def test_training_ends_after_the_epochs_that_are_asked_for(tmp_path, corpus, capsys, epochs, steps):
    settings = config(tmp_path / "run", corpus, max_epochs=epochs, max_steps=1000)

    assert train(settings).progress("last").step == steps
    assert train(settings).progress("last").step == steps

    assert f"already trained to step {steps} of 1000" in capsys.readouterr().err


@pytest.mark.parametrize("validate_every", [2, 3])
def test_more_epochs_go_on_as_if_they_had_been_asked_for_at_once(tmp_path, corpus, validate_every):
    def trained(name, epochs):
        options = {"max_epochs": epochs, "max_steps": 1000, "validate_every": validate_every}
        # That of the others follows the validations.
        options["schedule"] = {"kind": "plateau", "warmup_steps": 4, "patience": 1000}
        return train(config(tmp_path / name, corpus, **options))

    trained("extended", 1)

    extended, undisturbed = trained("extended", 2), trained("at once", 2)
    for one, other in zip(runs.state(extended)[0], runs.state(undisturbed)[0], strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_buffer_is_another_training(corpus, undisturbed_stream):
    with pytest.raises(RunError, match=r"data\.stream\.buffer: 25 -> 30"):
        train(config(undisturbed_stream.path, corpus, stream={"buffer": 30}))


def test_a_run_of_before_streams_goes_on(tmp_path, corpus, undisturbed):
    """Its config.yaml and its progress do not know of streams."""
    settings = runs.config(tmp_path / "run", corpus, max_steps=3)
    run = train(settings)
    assert run.progress("last").stream is None
    written = (run.path / "config.yaml").read_text()
    older = "".join(line for line in written.splitlines(keepends=True) if "stream:" not in line)
    assert older != written
    (run.path / "config.yaml").write_text(older)
    _forget_stream(run)

    runs.assert_same(train(runs.config(tmp_path / "run", corpus, max_steps=9)), undisturbed)


def _forget_stream(run):
    """Writes the last checkpoint again without the field that earlier versions did not have."""
    from nmt import checkpoint

    [saved] = list(run.checkpoints.intact("last"))[:1]
    path = saved.folder / "progress.json"
    progress = json.loads(path.read_text())
    del progress["stream"]
    path.write_text(json.dumps(progress))
    manifest = saved.folder / "manifest.json"
    stored = json.loads(manifest.read_text())
    stored["files"]["progress.json"] = checkpoint.files.digest(path)
    manifest.write_text(json.dumps(stored))
