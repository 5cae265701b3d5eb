"""The run folder: everything that training writes, and everything that translation needs.

config.yaml     the resolved configuration
version.json    the version of nmt that trained it last, and its commit if it ran from a checkout
tokenizer/      the SentencePiece models
checkpoints/    last/N (the whole state, to resume), best/N (the parameters, to translate) and more
                kinds: see `nmt.checkpoints`
metrics.jsonl   the training log, one JSON object for each record
tensorboard/    the same for TensorBoard, with attention images
"""

import dataclasses
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from nmt import changes, checkpoint, configfile, hub, lock, records, version
from nmt.arguments import check
from nmt.bundle import is_bundle
from nmt.checkpoints import MAX_TO_KEEP, Checkpoints, Kind, Saved, TrainingProgress, Which
from nmt.config import Config
from nmt.config.migration import migrated
from nmt.data import files
from nmt.data.tokenizers import Tokenizers
from nmt.errors import RunError
from nmt.processes import ALONE, ProcessGroup
from nmt.trust import check_links
from nmt.types import Params

# Files that an interrupted start may leave in a folder that is not a run yet.
_TRACES = {"lock", "lock.holder", "config.yaml.part", "tokenizer.part"}


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A run folder and its configuration."""

    path: Path
    config: Config
    stored: Config | None = None  # with which it has been trained so far
    notes: Sequence[str] = ()  # differences between the two, as lines
    processes: ProcessGroup = ALONE  # that train it: all read the folder, the main one writes it

    @classmethod
    def start(cls, config: Config, processes: ProcessGroup = ALONE) -> "Run":
        """Returns the run that `config.run` names: a new one, or one to resume.

        A resumed run keeps the settings of its own config.yaml for decoding, for its tokenizer and
        for counting words. Nothing is written.

        Raises:
            RunError: the folder holds something else, or a run of another configuration, or may not
                be entered.
            TypeError: the configuration is none, but the path of one for example.
        """
        check(config, Config, "a training takes a Config, as nmt.load_config returns it")
        path = Path(config.run or "runs/unnamed")
        with files.reported(path, kind=RunError):
            is_run = (path / "config.yaml").exists()
            taken = path.exists() and (not path.is_dir() or set(os.listdir(path)) - _TRACES)
        if is_run:
            stored = cls.open(path).config
            notes = changes.compared(path, stored, config)
            kept = changes.resumed(stored, config)
            return cls(path, kept, stored=stored, notes=notes, processes=processes)
        if taken:
            raise RunError(f"{path}: exists and is not a run folder; name another with run=...")
        return cls(path, config, processes=processes)

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Returns the run in a folder that training has made.

        Raises:
            RunError: there is no such folder, or it is a file or not a run folder, or may not be
                entered, or a link leads out of it.
        """
        path = Path(path)
        if hub.is_name(path) or is_bundle(path):
            raise RunError(
                f"{path}: a bundle, which has no training state; give the run folder that it was "
                "exported from"
            )
        if path.is_file():
            known = (path.parent / "config.yaml").is_file()
            folder = path.parent if known else "the folder that `nmt train` has made"
            raise RunError(f"{path}: a file, not a run folder; give {folder}")
        if not path.is_dir():
            raise RunError(f"{path}: no such run folder; `nmt train CONFIG` makes one")
        if not (path / "config.yaml").is_file():
            raise RunError(f"{path}: not a run folder (it has no config.yaml)")
        check_links(path, kind="run folder")
        tree = migrated(configfile.read(path / "config.yaml"))
        return cls(path, configfile.validate(tree, where=str(path / "config.yaml")))

    @property
    def started(self) -> bool:
        """Whether the folder already has its tokenizer."""
        return (self.path / "tokenizer").is_dir()

    def lock(self) -> AbstractContextManager[None]:
        """Locks the folder against other trainings, and creates it if needed.

        Raises:
            RunError: it cannot be created, or is in use by another training.
        """
        if not self.processes.is_main:
            return nullcontext()
        with self._written():
            self.path.mkdir(parents=True, exist_ok=True)
        return lock.hold(self.path / "lock")

    def check_place(self) -> None:
        """Tries whether the folder can be made, if there is none, before the work that is for it.

        Raises:
            RunError: it cannot.
        """
        if not self.processes.is_main or self.path.is_dir():
            return
        above = next(each for each in self.path.parents if os.path.lexists(each))
        with self._written(), tempfile.TemporaryFile(dir=above):
            pass

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Turns an error of the system into a RunError that names the folder."""
        try:
            yield
        except OSError as error:
            raise RunError(
                f"{self.path}: cannot be made ({error.strerror}); name another folder with run=..."
            ) from None

    def create(self, tokenizers: Tokenizers) -> None:
        """Writes configuration, version and tokenizer, each of them atomically.

        Raises:
            RunError: they cannot be written.
        """
        self.processes.barrier()  # until all have read the folder
        if not self.processes.is_main:
            return
        with self._written():
            self.path.mkdir(parents=True, exist_ok=True)
            files.write_whole(self.path / "config.yaml", configfile.dump(self.config))
            files.write_whole(self.path / version.NAME, version.record())
            if not self.started:
                tokenizers.save(self.path / "tokenizer.part")
                (self.path / "tokenizer.part").replace(self.path / "tokenizer")

    @property
    def metrics_path(self) -> Path:
        """The training log, one JSON object for each record."""
        return self.path / "metrics.jsonl"

    def records(self) -> list[dict[str, Any]]:
        """Returns the records logged so far, without a last line that is still being written.

        Raises:
            RunError: a line is damaged.
        """
        return records.read(self.metrics_path)

    def validations(self) -> dict[int, dict[str, Any]]:
        """Returns the scores of each step that was validated so far, as the log has them.

        Raises:
            RunError: a line of the log is damaged.
        """
        return records.validations(self.records())

    def tokenizers(self) -> Tokenizers:
        """Returns the tokenizers of this run."""
        models = Tokenizers.load(self.path / "tokenizer")
        return dataclasses.replace(models, reverse_target=self.config.data.reverse_target)

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints of the folder."""
        return Checkpoints(self.path)

    def save(
        self,
        kind: Kind,
        items: dict[str, Any],
        progress: TrainingProgress,
        *,
        keep: int = MAX_TO_KEEP,
    ) -> None:
        """Writes a checkpoint of named array trees atomically, and removes old ones of its kind.

        Raises:
            RunError: it cannot be written; earlier checkpoints are still there.
        """
        if self.processes.is_main:
            self.checkpoints.write(kind, items, progress, keep=keep)
        self.processes.barrier()  # until all can read it

    def progress(self, kind: Kind) -> TrainingProgress | None:
        """Returns the progress of the newest intact checkpoint of a kind, None if there is none.

        Raises:
            RunError: there are checkpoints, and all of them are damaged.
        """
        newest = self.checkpoints.newest(kind)
        return None if newest is None else newest.progress

    def params(self, which: Which | int, template: Params) -> Params:
        """Returns the parameters of a checkpoint, in the structure of a template."""
        return self.restore(which, {"params": template})["params"]

    def restore(self, which: Which | int | Saved, templates: dict[str, Any]) -> dict[str, Any]:
        """Reads array trees of the given structure, shapes and types from a checkpoint.

        It is the newest of a name, or the one of a step. If it is damaged, the one before it is
        read, and if there is no best one yet, the last one, both with a warning.

        Raises:
            RunError: there is no such checkpoint, or none that is intact, or it is one of another
                tokenizer or model, or of a newer format.
        """
        saved = which if isinstance(which, Saved) else self.checkpoints.find(which)
        if saved.progress.tokenizer != self.tokenizers().fingerprint:
            raise RunError(
                f"{self.path}: its tokenizer is not the one that the model was trained with; "
                "put back the original files in tokenizer/ and the original data.reverse_target"
            )
        return checkpoint.read(saved.folder, templates)
