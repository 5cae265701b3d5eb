"""Numbers that are no numbers and disks that are full: training says so, and keeps what is good."""

import contextlib
import re

import numpy as np
import pytest
import runs
from limits import files_up_to

from nmt.errors import Interrupted, RunError
from nmt.run import Run
from nmt.training.session import train


def test_an_update_that_is_not_finite_is_left_out_and_training_goes_on(
    tmp_path, corpus, monkeypatch
):
    settings = runs.config(tmp_path / "run", corpus, max_steps=9)

    run = runs.train_disturbed(monkeypatch, settings, {13: runs.poisoned})

    arrays, progress = runs.state(run)
    assert progress.step == 9
    assert all(np.isfinite(array).all() for array in arrays)
    skipped = {
        record["step"]: record["train/skipped"]
        for record in runs.records(run)
        if "train/skipped" in record
    }
    assert skipped == {2: 0, 4: 0, 6: 1, 8: 1}


def test_training_that_diverges_stops_and_keeps_what_was_good(
    tmp_path, corpus, monkeypatch, capsys
):
    settings = runs.config(tmp_path / "run", corpus, max_steps=9, max_skipped_updates=2)
    texts = {}

    def poison(number):
        def of(batch):
            texts[number] = np.asarray(batch.source), np.asarray(batch.source_lengths)
            return runs.poisoned(batch)

        return of

    with pytest.raises(RunError) as stop:
        runs.train_disturbed(monkeypatch, settings, {n: poison(n) for n in range(14, 27)})

    # Steps 5 and 6 are the first two in a row; the report is of the last batch of step 6.
    message = str(stop.value)
    assert (
        "diverges: 2 updates in a row were skipped as exploded or not a number, the last" in message
    )
    assert "at step 6 (learning rate 1, gradient norm nan, sentences " in message
    assert message.endswith("the checkpoint of step 3 is kept")
    run = Run.open(tmp_path / "run")
    assert [path.name for path in (run.path / "checkpoints" / "last").iterdir()] == ["9"]
    lines = (corpus / "train.de").read_text().splitlines()
    named = re.search(r"sentences ([\d, ]+) of", message)[1].split(", ")
    assert sorted(lines[int(number) - 1] for number in named) == decoded(run, *texts[17])
    assert not (run.path / "lock.holder").exists()


def test_a_training_that_saved_nothing_does_not_end_as_if_it_had(tmp_path, corpus, monkeypatch):
    settings = runs.config(tmp_path / "run", corpus, max_steps=2)

    with pytest.raises(RunError, match="run: training has ended without a model: its updates were"):
        runs.train_disturbed(monkeypatch, settings, dict.fromkeys(range(6), runs.poisoned))


def decoded(run, source, lengths):
    tokenizer = run.tokenizers().source
    rows = zip(source.reshape(-1, source.shape[-1]), lengths.reshape(-1), strict=True)
    return sorted(tokenizer.decode(row[:length].tolist()) for row, length in rows if length)


def test_what_diverges_is_not_saved_when_it_is_asked_to_stop(
    tmp_path, corpus, monkeypatch, undisturbed
):
    settings = runs.config(tmp_path / "run", corpus, max_steps=9)

    def poison_and_stop(batch):
        return runs.signalled(15)(runs.poisoned(batch))

    with pytest.raises(Interrupted, match="SIGTERM: stopped after step 4, not saved, because"):
        runs.train_disturbed(monkeypatch, settings, {11: poison_and_stop})

    runs.assert_same(train(settings), undisturbed)


def test_a_disk_that_is_full_stops_training_which_goes_on_when_there_is_room(
    tmp_path, corpus, monkeypatch, undisturbed
):
    settings = runs.config(tmp_path / "run", corpus, max_steps=9)
    last = tmp_path / "run" / "checkpoints" / "last"
    with contextlib.ExitStack() as limits:

        def fill(batch):
            largest = max(path.stat().st_size for path in last.rglob("*") if path.is_file())
            limits.enter_context(files_up_to(largest - 1))
            return batch

        with pytest.raises(RunError, match=r"last/18: the checkpoint cannot be saved \(File too"):
            runs.train_disturbed(monkeypatch, settings, {12: fill})
    assert [path.name for path in last.iterdir()] == ["9"]

    runs.assert_same(train(settings), undisturbed)
