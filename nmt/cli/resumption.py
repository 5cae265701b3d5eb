"""Progress of a long translation, so that an interrupted one can be resumed.

NAME.part       the translations so far
NAME.part.json  how many source lines and bytes of NAME.part are finished, and from which inputs
"""

import json
import os
from collections.abc import Mapping
from io import TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.config.endings import compression
from nmt.data import files, writing
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.inference.translator import Translator

ANEW = "leave out --resume to begin anew"


def is_resumable(source: Path, output: Path) -> bool:
    """Returns whether a file is translated, to a file that can be cut where it was finished."""
    stored = files.is_stored(source) and writing.is_replaced(output)
    return stored and compression(output) is None


def record_of(output: Path) -> Path:
    """Returns NAME.part.json, beside the file to replace."""
    part = writing.part_of(output)
    return part.with_name(f"{part.name}.json")


def check_record(output: Path, *others: Path | None) -> None:
    """Checks that the record of a translation is none of the files that it reads or writes.

    Raises:
        DataError: it is one of them.
    """
    record = record_of(output)
    if any(each.resolve() == record for each in filter(None, others)):
        raise DataError(
            f"{output}: its progress is written to {record.name}, which is named as well; choose "
            "another name"
        )


def check_resumable(source: Path, output: Path | None, alignments: Path | None) -> None:
    """Checks that a translation can be resumed.

    Raises:
        DataError: it is not one of a file to a file, or has alignments, or is compressed.
    """
    if output is not None and compression(output):
        raise DataError(
            f"{output}: --resume cannot go on with a compressed file; write plain text, and "
            "compress it when it is finished"
        )
    if output is None or alignments is not None or not is_resumable(source, output):
        raise DataError(
            "--resume goes on with a translation of a file to a file, which no pipe is: give INPUT "
            "and --output, and find the --alignments by `nmt align` when it is finished"
        )


def made_of(translator: "Translator", how: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all that an output depends on besides its source, by names for the user.

    `how` has the options that choose what is written.
    """
    settings = translator.config.model_dump(mode="json")
    words = {"--dictionary": translator.dictionary, "--glossary": translator.glossary.terms}
    decoding = {f"decoding.{name}": value for name, value in settings.items()}
    return {"model": translator.fingerprint, **how, **words, **decoding}


class Resumption:
    """The progress of a translation to a file; `lines` is the number of finished source lines.

    Raises:
        DataError: the file to resume was made with other inputs, is damaged or cannot be written.
    """

    def __init__(
        self,
        translator: "Translator",
        source: Path,
        output: Path,
        *,
        how: dict[str, Any],
        resume: bool,
    ) -> None:
        self._part = writing.part_of(output)
        self._record = record_of(output)
        self._made_of = {"source": files.digest(source), **made_of(translator, how)}
        self.lines = 0
        with writing.reported(output):
            if resume and self._record.exists() and self._part.exists():
                self.lines = self._resume()
            else:
                self.remove()

    def save(self, out: TextIOBase, lines: int) -> None:
        """Records that `NAME.part` now has the translations of `lines` source lines."""
        out.flush()
        os.fsync(out.fileno())
        size = os.fstat(out.fileno()).st_size
        record = {"lines": lines, "bytes": size, "made_of": self._made_of}
        files.write_whole(self._record, json.dumps(record, indent=1))
        self.lines = lines

    def left(self) -> str:
        """Returns what an interrupted translation leaves, in words."""
        if not self.lines:
            return "stopped before lines were finished, and nothing is left to resume"
        return f"stopped after line {self.lines}; the same command with --resume goes on"

    def remove(self) -> None:
        """Removes the record, since the output is complete or begins anew."""
        self._record.unlink(missing_ok=True)

    def _resume(self) -> int:
        """Cuts `NAME.part` to its finished part, and returns how many source lines that has."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            lines, size, made_of = int(record["lines"]), int(record["bytes"]), record["made_of"]
            changed = [name for name in self._made_of if made_of[name] != self._made_of[name]]
        except (ValueError, KeyError, TypeError):
            raise DataError(f"{self._record}: is damaged; {ANEW}") from None
        if changed:
            raise DataError(
                f"{self._part}: was made with another {' and '.join(changed)}; give the same "
                f"command as before, or {ANEW}"
            )
        if not 0 <= size <= self._part.stat().st_size:
            raise DataError(f"{self._part}: is shorter than it was; {ANEW}")
        os.truncate(self._part, size)
        return lines
