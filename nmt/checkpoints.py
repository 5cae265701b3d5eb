"""The checkpoints of a run folder: which there are, which one is read, and which are removed.

Each is a folder checkpoints/KIND/N, written after N batches. The kinds are

last       the whole state, to resume; the newest two are kept
best       the parameters, to translate; the newest two are kept
kept       the parameters of the last validations, to average; as many as `training.keep`
averaged   the mean of the parameters of several, which `nmt average` writes
"""

import dataclasses
import shutil
import warnings
from pathlib import Path
from typing import Any, Literal, get_args

from nmt import checkpoint
from nmt.data import files
from nmt.errors import RunError

MAX_TO_KEEP = 2  # checkpoints of a kind: the newest, and one in case that it is damaged
READABLE = 2**24  # bytes that are read of a file whose checksum may be wrong

Which = Literal["best", "last", "averaged"]  # those that can be asked for by name
Kind = Which | Literal["kept"]


@dataclasses.dataclass(frozen=True)
class TrainingProgress:
    """The progress of training: the next batch to consume, and the results of validation."""

    epoch: int = 0
    part: int = 0  # of the epoch; with subword sampling, or of a stream, it has more than one
    batch: int = 0  # of the part
    stream: dict[str, Any] | None = None  # where a stream was before the part; None: not begun
    batches: int = 0  # consumed in all
    step: int = 0  # updates made
    validated: bool = True  # since the last update; older checkpoints do not tell
    best: float | None = None  # the best value of the chosen metric
    best_perplexity: float | None = None  # of that validation; older checkpoints have none
    best_step: int = 0
    bad_validations: int = 0  # since the best one
    bad_validations_since_cut: int = 0  # since the best one, or the last cut of the learning rate
    zero_validations: int = 0  # with a BLEU of zero although perplexity has fallen
    tokenizer: str = ""  # the fingerprint of the tokenizer that the model is trained with
    training_text: str = ""  # the fingerprint of what is trained on; older checkpoints have none
    validation_text: str = ""  # and of what is validated with
    pending_log: dict[str, float] = dataclasses.field(default_factory=dict)  # sums not yet logged
    total_steps: int = 0  # of the whole training, as planned; older checkpoints do not tell
    averaged: list[int] = dataclasses.field(default_factory=list)  # steps whose mean was saved


@dataclasses.dataclass(frozen=True)
class Saved:
    """An intact checkpoint."""

    folder: Path
    progress: TrainingProgress

    @classmethod
    def of(cls, folder: Path) -> "Saved":
        """Returns the checkpoint of a folder that has been verified.

        Raises:
            RunError: its progress was not written by nmt.
        """
        try:
            stored = checkpoint.progress(folder)
            progress = TrainingProgress(**{**stored, "pending_log": dict(stored["pending_log"])})
        except (ValueError, TypeError, KeyError, RecursionError):
            raise RunError(
                f"{folder}: its progress is intact, but not written by nmt; restore it from a copy"
            ) from None
        return cls(folder, progress)


@dataclasses.dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of the run folder at a path."""

    run: Path

    def write(
        self, kind: Kind, items: dict[str, Any], progress: TrainingProgress, *, keep: int
    ) -> None:
        """Writes a checkpoint atomically, and removes all of its kind but the newest `keep`.

        Raises:
            RunError: it cannot be written; earlier checkpoints are still there.
        """
        folder = self.run / "checkpoints" / kind / str(progress.batches)
        checkpoint.write(folder, items, dataclasses.asdict(progress))
        # A later one was damaged, and training went on from an earlier one.
        found = self._folders(kind)
        kept = [path for path in found if int(path.name) <= progress.batches][:keep]
        for path in set(found) - set(kept):
            try:
                shutil.rmtree(path)
            except OSError as error:  # as if it belongs to another user
                reason = error.strerror or error
                warnings.warn(f"{path}: cannot be removed ({reason})", stacklevel=3)

    def intact(self, *kinds: Kind) -> list[Saved]:
        """Returns the intact checkpoints of these kinds, those of a kind from the newest on."""
        return self.examined(*kinds)[0]

    def examined(self, *kinds: Kind) -> tuple[list[Saved], list[str]]:
        """Returns what `intact` does, and what is wrong with each of the others."""
        intact, damaged = list[Saved](), list[str]()
        for folder in self._folders(*kinds):
            if problem := checkpoint.validate(folder):
                damaged.append(_damaged(folder, problem))
            else:
                intact.append(Saved.of(folder))
        return intact, damaged

    def newest(self, kind: Kind) -> Saved | None:
        """Returns the newest intact checkpoint of a kind, None if there is none.

        Raises:
            RunError: there are checkpoints, and all of them are damaged.
        """
        problems: list[str] = []
        for folder in self._folders(kind):
            problem = checkpoint.validate(folder)
            if problem is None:
                for each in problems:
                    warnings.warn(f"{each}; using {folder.name} before it", stacklevel=3)
                return Saved.of(folder)
            problems.append(_damaged(folder, problem))
        if problems:
            raise RunError(
                f"{'; '.join(problems)}: restore one from a copy, or remove the folder "
                f"{self.run} to start anew"
            )
        return None

    def find(self, which: Which | int) -> Saved:
        """Returns the newest intact checkpoint of a name, or the one of a step.

        Raises:
            RunError: there is none.
        """
        if not isinstance(which, str):
            return self._of_step(which)
        if which not in get_args(Which):
            names = ", ".join(get_args(Which))
            raise RunError(f"a checkpoint is one of {names}, or a step as a number, not {which!r}")
        if found := self.newest(which):
            return found
        if which == "best" and (found := self.newest("last")):
            why = "no validation yet, so there is no best checkpoint"
            if found.progress.best is not None:
                why = f"its best checkpoint, of step {found.progress.best_step}, is missing"
            warnings.warn(
                f"{self.run}: {why}; using the last one, of step {found.progress.step}",
                stacklevel=4,
            )
            return found
        if which == "averaged":
            raise RunError(
                f"{self.run}: has no averaged checkpoint; `nmt average {self.run}` makes it"
            )
        raise RunError(f"{self.run}: has no checkpoint yet; `nmt train` saves the first")

    def _of_step(self, step: int) -> Saved:
        """Returns the checkpoint of a step, if it is intact."""
        steps, damaged = set[int](), list[str]()
        for folder in self._folders("best", "last", "kept"):
            if problem := checkpoint.validate(folder):
                if _step_of_damaged(folder) in (step, None):
                    damaged.append(_damaged(folder, problem))
                continue
            saved = Saved.of(folder)
            if saved.progress.step == step:
                return saved
            steps.add(saved.progress.step)
        found = ", ".join(map(str, sorted(steps))) or "none"
        if damaged:
            raise RunError(
                f"{self.run}: has no intact checkpoint of step {step}; those it has: {found}; "
                f"{'; '.join(damaged)}: restore it from a copy"
            )
        raise RunError(f"{self.run}: has no checkpoint of step {step}; those it has: {found}")

    def _folders(self, *kinds: Kind) -> list[Path]:
        """Returns the folders of these kinds, those of a kind from the newest on.

        Raises:
            RunError: the folder may not be entered.
        """
        folders = list[Path]()
        for kind in kinds:
            parent = self.run / "checkpoints" / kind
            with files.reported(parent, kind=RunError):
                found = list(parent.iterdir()) if parent.is_dir() else []
            numbered = [path for path in found if path.name.isdecimal()]
            folders += sorted(numbered, key=lambda path: int(path.name), reverse=True)
        return folders


def _damaged(folder: Path, problem: str) -> str:
    return f"{folder}: the checkpoint is damaged ({problem})"


def _step_of_damaged(folder: Path) -> int | None:
    """Returns the step of a checkpoint that is not intact; None if it cannot be read."""
    try:
        names = (checkpoint.MANIFEST, checkpoint.PROGRESS)
        if any((folder / name).stat().st_size > READABLE for name in names):
            return None
        return int(checkpoint.progress(folder)["step"])
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
