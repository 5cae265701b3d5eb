"""Checks before a run goes on: that what it goes on from is still there."""

from nmt.data.tokenizer import Tokenizers
from nmt.errors import RunError
from nmt.run import Run


def check_checkpoints(run: Run) -> None:
    """Checks that a run that has been trained has a checkpoint to go on from.

    A training that is killed while it saves for the first time leaves none, but one validation.

    Raises:
        RunError: it has none, and from its start it would overwrite what it has.
    """
    if run.progress("last") is None and (steps := list(run.validations())[1:]):
        raise RunError(
            f"{run.path}: was trained to step {steps[-1]} at least, and has no checkpoint in "
            "checkpoints/last to go on from; put that folder back, or name another folder with "
            f"run=... and start from its model with training.start_from={run.path}"
        )


def check_tokenizer(run: Run, trained: Tokenizers) -> None:
    """Checks that a tokenizer which stands in for a lost one is the same.

    Raises:
        RunError: it is another one.
    """
    last = run.progress("last")
    if last is not None and last.tokenizer != trained.fingerprint:
        raise RunError(
            f"{run.path}: tokenizer/ is missing, and the training corpus gives another one; put "
            "back tokenizer/, or the corpus as it was"
        )
