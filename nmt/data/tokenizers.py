"""The tokenizers of a translation model: one for its source, and one for its target."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt.data import files
from nmt.data.tokenizer import Tokenizer
from nmt.errors import DataError


@dataclass(frozen=True)
class Tokenizers:
    """The tokenizers of source and target: two models, or the same one twice (`joint`).

    With `reverse_target`, the translation model writes from right to left. Only what goes into a
    model, and comes out of it, is in its `order`; everything else is in reading order.
    """

    source: Tokenizer
    target: Tokenizer
    reverse_target: bool = False

    @property
    def joint(self) -> bool:
        """Whether an id means the same piece on both sides."""
        return self.source.fingerprint == self.target.fingerprint

    @property
    def fingerprint(self) -> str:
        """A SHA-256 of both models, and of the order of the target, in hexadecimal."""
        both = self.source.fingerprint + self.target.fingerprint
        return hashlib.sha256((both + "reversed" * self.reverse_target).encode()).hexdigest()

    def order(self, target: Sequence[int]) -> Sequence[int]:
        """Returns the places of target ids in the order of the model; `eos` is last in any case.

        The same places lead from the order of the model back to reading order.
        """
        places = range(len(target))
        if not self.reverse_target:
            return places
        written = len(target) - (len(target) > 0 and target[-1] == self.target.eos)
        return [*places[:written][::-1], *places[written:]]

    def turned(self, target: Sequence[int]) -> list[int]:
        """Returns target ids in the order of the model, or from there in reading order."""
        return [target[i] for i in self.order(target)]

    def save(self, folder: str | Path) -> None:
        """Writes `joint.model`, or `source.model` and `target.model`, into the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if self.joint:
            self.source.save(folder / "joint.model")
        else:
            self.source.save(folder / "source.model")
            self.target.save(folder / "target.model")

    @classmethod
    def load(cls, folder: str | Path) -> "Tokenizers":
        """Reads the models that `save` has written into a folder.

        Raises:
            DataError: a model is missing or damaged, or cannot be read.
        """
        folder = Path(folder)
        with files.reported(folder):
            joint, separate = ((folder / name).exists() for name in ("joint.model", "source.model"))
        if joint:
            return cls.same(Tokenizer.load(folder / "joint.model"))
        if not separate:
            raise DataError(f"{folder}: holds neither joint.model nor source.model")
        return cls(Tokenizer.load(folder / "source.model"), Tokenizer.load(folder / "target.model"))

    @classmethod
    def same(cls, tokenizer: Tokenizer) -> "Tokenizers":
        """Returns tokenizers that share one model."""
        return cls(tokenizer, tokenizer)
