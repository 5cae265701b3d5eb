"""Divergence: what to do when losses and gradients are no longer finite numbers."""

import jax
import numpy as np

from nmt.config import DataConfig
from nmt.counting import first
from nmt.errors import RunError
from nmt.run import Run
from nmt.training.loader import DataLoader
from nmt.training.metrics import StepRecord
from nmt.training.state import TrainState
from nmt.training.stream_loader import StreamLoader

SHOWN = 100  # sentences that a report names


def check(steps: list[StepRecord], *, run: Run, loader: DataLoader | StreamLoader) -> None:
    """Checks that not too many updates in a row were skipped.

    Raises:
        RunError: `training.max_skipped_updates` were; it names rate, gradient and sentences.
    """
    limit = run.config.training.max_skipped_updates
    for step in steps:
        if step.skipped_in_row < limit:
            continue
        saved = run.progress("last")
        numbers = loader.sentences(step.progress)
        raise RunError(
            f"{run.path}: training diverges: {limit} updates in a row were skipped as exploded or "
            f"not a number, the last one at step {step.progress.step + 1} (learning rate "
            f"{step.learning_rate:.3g}, gradient norm {step.gradient_norm:.3g}, sentences "
            f"{first(numbers, SHOWN)} of {where_counted(run.config.data)}); lower "
            "training.learning_rate or training.clip_norm and start anew in another folder; "
            + (f"the checkpoint of step {saved.step} is kept" if saved else "nothing was saved yet")
        )


def check_saved(run: Run) -> None:
    """Checks that a training that has ended leaves a model.

    Raises:
        RunError: none was saved, because the last update before each validation was skipped.
    """
    if run.processes.is_main and run.progress("last") is None:
        raise RunError(
            f"{run.path}: training has ended without a model: its updates were skipped as exploded "
            "or not a number; lower training.learning_rate or training.clip_norm and start anew in "
            "another folder"
        )


def where_counted(data: DataConfig) -> str:
    """Returns where sentences are counted."""
    if data.stream is not None:
        return "the stream, in the order of this epoch"
    if data.clean is not None:
        return "the training corpus as `nmt clean` writes it"
    several = len(data.corpora) > 1
    return "the training corpora, one after the other" if several else "the training corpus"


def is_sound(state: TrainState) -> bool:
    """Returns whether a model may be saved: it must not replace a good one after divergence.

    A skipped last update is a sign of parameters that are far off, even if still finite.
    """
    leaves = jax.device_get(jax.tree.leaves(state.params))
    return int(state.skipped_in_row) == 0 and all(np.isfinite(leaf).all() for leaf in leaves)
