"""The contents of the corpora of a run, as fingerprints: what has changed since a stop is told."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import datasets

from nmt.checkpoints import TrainingProgress
from nmt.config import DataConfig, TextInputConfig
from nmt.data import fingerprints


class Contents(NamedTuple):
    """The fingerprints of what a run is trained on and of what it is validated with."""

    training: str  # of a stream, that of its sample
    validation: str

    @classmethod
    def of(
        cls, data: DataConfig, training: datasets.Dataset, validation: datasets.Dataset
    ) -> "Contents":
        """Reads both texts, and the files that they name."""
        content = fingerprints.of_content
        if not isinstance(data.input, TextInputConfig):
            content = data.input.build().content
        return cls(content(training), content(validation))

    def changes(self, run: Path, before: TrainingProgress) -> list[str]:
        """Returns a line for each corpus that is not the one that training went on with before."""
        since, lines = f"has changed since step {before.step}", list[str]()
        if before.training_text not in ("", self.training):
            lines.append(
                f"{run}: the training corpus {since}: the rest of epoch {before.epoch + 1} counts "
                "the batches of the new one, so that it may read some pairs twice and others not "
                "at all; to go on as if without a stop, put the old corpus back"
            )
        if before.validation_text not in ("", self.validation):
            lines.append(
                f"{run}: the validation corpus {since}: scores from now on are not comparable with "
                "those before, among them that of the best checkpoint; put the old corpus back, "
                "or name another folder with run=..."
            )
        return lines

    def noted(self, progress: TrainingProgress) -> TrainingProgress:
        """Returns a progress that has these fingerprints."""
        return replace(progress, training_text=self.training, validation_text=self.validation)
