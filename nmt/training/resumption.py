"""What a run goes on from, and checks that it is still there."""

from nmt.checkpoints import Saved
from nmt.data.tokenizers import Tokenizers
from nmt.errors import RunError
from nmt.run import Run


def last(run: Run) -> Saved | None:
    """Returns the checkpoint that a run goes on from, None if it begins.

    A training that is killed while it saves for the first time leaves none, but one validation.

    Raises:
        RunError: the run has been trained further and has none, so that from its start it would
            overwrite what it has; or all are damaged.
    """
    found = run.checkpoints.newest("last")
    if found is None and (steps := list(run.validations())[1:]):
        raise RunError(
            f"{run.path}: was trained to step {steps[-1]} at least, and has no checkpoint in "
            "checkpoints/last to go on from; put that folder back, or name another folder with "
            f"run=... and start from its model with training.start_from={run.path}"
        )
    return found


def check_tokenizer(run: Run, saved: Saved | None, trained: Tokenizers) -> None:
    """Checks that a tokenizer which stands in for a lost one is that of the checkpoint.

    Raises:
        RunError: it is another one.
    """
    if saved is not None and saved.progress.tokenizer != trained.fingerprint:
        raise RunError(
            f"{run.path}: tokenizer/ is missing, and the training corpus gives another one; put "
            "back tokenizer/, or the corpus as it was"
        )
