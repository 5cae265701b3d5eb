"""The run folder: all that a training leaves behind, and all that translating needs.

config.yaml     the resolved configuration
tokenizer/      the SentencePiece models
checkpoints/    last/ (everything, to go on) and best/ (the parameters, to translate)
metrics.jsonl   one JSON object a line: what was logged, and at which step
tensorboard/    the same for TensorBoard, with attention images
"""

import dataclasses
from pathlib import Path
from typing import Any, Literal

import jax
import orbax.checkpoint as ocp

from nmt import configfile
from nmt.config import Config
from nmt.data.tokenizer import Tokenizers
from nmt.errors import RunError

# What may differ when a run goes on: how long it trains, what it prints, how it searches.
CHANGEABLE = (
    "run",
    "training.max_steps",
    "training.max_epochs",
    "training.patience",
    "training.log_every",
    "training.attention_images",
    "decoding.",
    "data.test.",
)

Which = Literal["best", "last"]


@dataclasses.dataclass(frozen=True)
class Position:
    """Where training stands: the next batch to consume, and what validation has seen so far."""

    epoch: int = 0
    batch: int = 0  # of the epoch
    batches: int = 0  # consumed in all
    step: int = 0  # updates made
    best: float | None = None  # the best value of the chosen metric
    best_step: int = 0
    stale: int = 0  # validations since the best one
    plateau: int = 0  # validations without improvement since the learning rate was cut
    tokenizer: str = ""  # the fingerprint of the tokenizer that the parameters belong to


class Run:
    """A run folder and its configuration."""

    def __init__(self, path: Path, config: Config) -> None:
        self.path = path
        self.config = config

    @classmethod
    def start(cls, config: Config) -> "Run":
        """Returns the run that `config.run` names: a new one, or the same one to go on with.

        Nothing is written before `create`.

        Raises:
            RunError: the folder holds something else, or a run of another configuration.
        """
        path = Path(config.run or "runs/unnamed")
        if (path / "config.yaml").exists():
            old = cls.open(path).config
            changed = [
                line
                for line in configfile.differences(old, config)
                if not line.startswith(CHANGEABLE)
            ]
            if changed:
                raise RunError(
                    f"{path}: holds a run of another configuration ({'; '.join(changed[:3])}); "
                    "name another folder with run=..., or remove this one"
                )
        elif path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(f"{path}: exists and is not a run folder; name another with run=...")
        return cls(path, config)

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Returns the run in a folder that training has made.

        Raises:
            RunError: there is no such folder, or it is not a run folder.
        """
        path = Path(path)
        if not path.is_dir():
            raise RunError(f"{path}: no such run folder; `nmt train CONFIG` makes one")
        if not (path / "config.yaml").is_file():
            raise RunError(f"{path}: not a run folder (it has no config.yaml)")
        return cls(path, configfile.load(path / "config.yaml"))

    @property
    def started(self) -> bool:
        """Whether the folder is there already, with its tokenizer."""
        return (self.path / "tokenizer").is_dir()

    def create(self, tokenizers: Tokenizers) -> None:
        """Writes the configuration and the tokenizer, which is there whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "config.yaml").write_text(configfile.dump(self.config), encoding="utf-8")
        if not self.started:
            tokenizers.save(self.path / "tokenizer.part")
            (self.path / "tokenizer.part").replace(self.path / "tokenizer")

    @property
    def metrics_path(self) -> Path:
        """The log of training, one JSON object a line."""
        return self.path / "metrics.jsonl"

    def tokenizers(self) -> Tokenizers:
        """Returns the tokenizers that this run owns."""
        return Tokenizers.load(self.path / "tokenizer")

    def save(self, which: Which, items: dict[str, Any], position: Position) -> None:
        """Writes a checkpoint of named array trees, whole or not at all, and drops older ones."""
        with self._manager(which) as manager:
            saved = {name: ocp.args.StandardSave(_named(tree)) for name, tree in items.items()}
            where = ocp.args.JsonSave(dataclasses.asdict(position))
            args = ocp.args.Composite(**saved, position=where)
            # After a stop between the saves of `best` and of `last`, this step is trained again.
            if position.step in manager.all_steps():
                manager.delete(position.step)
            manager.save(position.step, args=args, force=True)

    def position(self, which: Which) -> Position | None:
        """Returns where the newest checkpoint of a kind stands; None if there is none."""
        if not (self.path / "checkpoints" / which).is_dir():
            return None
        with self._manager(which) as manager:
            step = manager.latest_step()
            if step is None:
                return None
            args = ocp.args.Composite(position=ocp.args.JsonRestore())
            return Position(**manager.restore(step, args=args)["position"])

    def restore(self, which: Which, templates: dict[str, Any]) -> dict[str, Any]:
        """Reads array trees of the given structure, shapes and types from the newest checkpoint.

        Raises:
            RunError: there is no checkpoint, or it is one of another tokenizer or model.
        """
        position = self.position(which)
        if position is None:
            raise RunError(f"{self.path}: has no checkpoint yet; `nmt train` saves the first")
        if position.tokenizer != self.tokenizers().fingerprint:
            raise RunError(
                f"{self.path}: its tokenizer is not the one that the model was trained with; "
                "put the original files back into tokenizer/"
            )
        wanted = {
            name: {key: ocp.utils.to_shape_dtype_struct(leaf) for key, leaf in _named(tree).items()}
            for name, tree in templates.items()
        }
        with self._manager(which) as manager:
            for name, arrays in wanted.items():
                folder = manager.directory / str(position.step) / name
                self._check(arrays, ocp.StandardCheckpointHandler().metadata(folder).tree)
            args = {name: ocp.args.StandardRestore(arrays) for name, arrays in wanted.items()}
            restored = manager.restore(position.step, args=ocp.args.Composite(**args))
        return {
            name: jax.tree.unflatten(
                jax.tree.structure(tree), [restored[name][key] for key in _named(tree)]
            )
            for name, tree in templates.items()
        }

    def _check(self, wanted: dict[str, Any], stored: dict[str, Any]) -> None:
        """Compares names and shapes, of which orbax would complain on many lines."""
        for key in sorted(wanted.keys() | stored.keys()):
            here, there = (
                tuple(arrays[key].shape) if key in arrays else "no such array"
                for arrays in (wanted, stored)
            )
            if here != there:
                raise RunError(
                    f"{self.path}: checkpoint of another model ({key}: {there} in the checkpoint, "
                    f"{here} by config.yaml); put the original config.yaml back"
                )

    def _manager(self, which: Which) -> ocp.CheckpointManager:
        options = ocp.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False)
        path = (self.path / "checkpoints" / which).absolute()
        return ocp.CheckpointManager(path, options=options)


def _named(tree: Any) -> dict[str, Any]:
    """Returns the arrays of a tree by name, so that a checkpoint knows of names and arrays only."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }
