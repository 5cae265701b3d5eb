"""COMET (Rei et al. 2020), by the command `comet-score` of the package unbabel-comet.

The command is called instead of the package imported, because the two cannot be installed together:
unbabel-comet needs numpy below 2, jax a later one. So it has an environment of its own.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sacrebleu.metrics.base import Metric, Score, Signature

from nmt.errors import DataError

MODEL = "Unbabel/wmt22-comet-da"


class CometSignature(Signature):
    """The signature: number of references and name of the model."""

    def __init__(self, args: dict[str, Any]) -> None:
        super().__init__(args)
        self.info |= {"model": args["model"], "version": None}  # not that of sacreBLEU


class Comet(Metric):
    """COMET times 100, as a metric of sacreBLEU, so that its bootstrap tests take it too.

    Args:
        sources: The source sentences.
        model: A name on the Hugging Face hub, from where it is downloaded once, or a local
            checkpoint (.ckpt).

    Raises:
        DataError: the command is not installed.
    """

    _SIGNATURE_TYPE = CometSignature

    def __init__(self, sources: Sequence[str], model: str = MODEL) -> None:
        super().__init__()
        self.sources, self.model, self.num_refs = sources, model, 1
        command = shutil.which("comet-score")
        if command is None:
            raise DataError(
                "COMET needs the command comet-score: pipx install unbabel-comet (it cannot be "
                "installed beside nmt)"
            )
        self.command = command

    def _extract_corpus_statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]] | None
    ) -> list[list[float]]:
        """Returns the score of each sentence, and 1 to count it.

        Raises:
            DataError: there is not one reference, or the command fails.
        """
        if references is None or len(references) != 1:
            raise DataError("COMET compares with one reference; give a single one")
        with tempfile.TemporaryDirectory() as folder:
            texts = {"-s": self.sources, "-t": hypotheses, "-r": references[0]}
            files = {option: Path(folder, option) for option in texts}
            for option, lines in texts.items():
                # COMET ends a line at "\r" too.
                text = "".join(f"{line}\n".replace("\r", " ") for line in lines)
                files[option].write_text(text, encoding="utf-8")
            found = self._run(files, Path(folder, "scores.json"))
        if len(found) != len(hypotheses):
            raise DataError(f"comet-score gave {len(found)} scores for {len(hypotheses)} sentences")
        return [[each["COMET"], 1.0] for each in found]

    def _run(self, files: dict[str, Path], output: Path) -> list[dict[str, Any]]:
        """Returns what the command reports of each sentence; its messages are shown."""
        given = [str(each) for pair in files.items() for each in pair]
        options = ["--model", self.model, "--to_json", str(output), "--quiet", "--only_system"]
        done = subprocess.run([self.command, *given, *options], stdout=subprocess.DEVNULL)
        if done.returncode:
            raise DataError(f"comet-score failed (exit code {done.returncode}); see its messages")
        (found,) = json.loads(output.read_text(encoding="utf-8")).values()
        return list(found)

    def _aggregate_and_compute(self, stats: Sequence[Sequence[float]]) -> Score:
        return self._compute_score_from_stats([sum(column) for column in zip(*stats, strict=True)])

    def _compute_score_from_stats(self, stats: Any) -> Score:  # a list or an array of two
        return Score("COMET", 100 * stats[0] / stats[1])

    def _preprocess_segment(self, sent: str) -> str:
        return sent

    def _extract_reference_info(self, refs: Sequence[str]) -> dict[str, Any]:
        raise NotImplementedError  # for metrics of single sentences

    def _compute_segment_statistics(
        self, hypothesis: str, ref_kwargs: dict[str, Any]
    ) -> list[float]:
        raise NotImplementedError  # for metrics of single sentences
