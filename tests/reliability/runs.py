"""Tiny real trainings, and what two of them must have in common when one was interrupted."""

import contextlib
import dataclasses
import json
import signal

import jax
import numpy as np
import tiny

from nmt import configfile
from nmt.model.build import build_model
from nmt.training import session
from nmt.training.loader import DataLoader
from nmt.training.session import train
from nmt.training.state import init_state

# What a clock or the system has measured; the rest must be the same to the last bit.
MEASURED = ("train/tokens_per_second", "train/peak_memory_mib", "validation/seconds")


def tree(run, corpus, **training):
    """A configuration in which all that must survive a stop is at work.

    Dropout draws at random; three batches make a step, two steps a record, three steps a
    validation, and the rate follows both a schedule and the validations. It is so high that the
    first validation stays the best. Parameters are averaged, and those of two validations are kept.
    """
    settings = {
        "learning_rate": 1.0,
        "schedule": {"kind": "plateau", "warmup_steps": 4, "patience": 0},
        "gradient_accumulation": 3,
        "ema": 0.9,
        "keep": 2,
        "max_epochs": None,
        "log_every": 2,
        "validate_every": 3,
        "patience": None,
    }
    return tiny.tree(run, corpus, **{**settings, **training})


def config(run, corpus, **training):
    return configfile.validate(tree(run, corpus, **training))


def records(run):
    """All that was logged, without what is measured."""
    lines = run.metrics_path.read_text(encoding="utf-8").splitlines()
    return [
        {name: value for name, value in json.loads(line).items() if name not in MEASURED}
        for line in lines
    ]


def state(run):
    """The whole state of the last checkpoint, and its progress."""
    template = init_state(run.config, build_model(run.config, run.tokenizers()))
    restored = run.restore("last", template.items())
    return [np.asarray(leaf) for leaf in jax.tree.leaves(restored)], run.progress("last")


def assert_same(run, undisturbed):
    """Holds two runs equal: every array, the progress, and every record."""
    for one, other in zip(state(run)[0], state(undisturbed)[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert state(run)[1] == state(undisturbed)[1]
    assert records(run) == records(undisturbed)


@dataclasses.dataclass(frozen=True)
class Disturbed(DataLoader):
    """A loader that does something to batches: `at` has a function for the number of a batch."""

    at: dict = dataclasses.field(default_factory=dict)

    def batches(self, start):
        with contextlib.closing(super().batches(start)) as stream:
            for number, (batch, after) in enumerate(stream, start=start.batches):
                yield self.at.get(number, lambda batch: batch)(batch), after


def disturbed(monkeypatch, training, at):
    """Calls what trains, with something done to some batches, counted from the very first."""

    def loader(*arguments):
        return Disturbed(*arguments, at=at)

    monkeypatch.setattr(session, "DataLoader", loader)
    try:
        return training()
    finally:
        monkeypatch.undo()


def train_disturbed(monkeypatch, settings, at):
    """Trains with something done to some batches, counted from the very first."""
    return disturbed(monkeypatch, lambda: train(settings), at)


def signalled(number):
    """Returns what sends this process a signal when a batch is taken: its update is the last."""

    def send(batch):
        signal.raise_signal(number)
        return batch

    return send


def poisoned(batch):
    """Returns the batch with pieces that no vocabulary has: their embeddings are not numbers."""
    return batch._replace(source=batch.source + 1_000_000)
