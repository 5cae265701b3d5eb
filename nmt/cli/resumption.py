"""Progress of a long translation, so that an interrupted one can be resumed.

NAME.part       the translations so far
NAME.part.json  how many source lines and bytes of NAME.part are finished, and from which inputs
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from nmt.data import files
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.inference.translator import Translator

ANEW = "leave out --resume to begin anew"


class Resumption:
    """The progress of a translation to a file; `lines` is the number of finished source lines.

    Raises:
        DataError: the file to resume was made with other inputs, or is damaged.
    """

    def __init__(
        self, translator: "Translator", source: Path, output: Path, n_best: int | None, resume: bool
    ) -> None:
        self._part = output.with_name(f"{output.name}.part")
        self._record = output.with_name(f"{output.name}.part.json")
        settings = translator.config.model_dump(mode="json")
        self._made_of = {  # all that the output depends on
            "source": files.digest(files.find(source)),
            "model": translator.fingerprint,
            "--n-best": n_best,
            "--dictionary": translator.dictionary,
            **{f"decoding.{name}": value for name, value in settings.items()},
        }
        self.lines = 0
        if resume and self._record.exists() and self._part.exists():
            self.lines = self._resume()
        else:
            self.remove()

    def save(self, out: TextIO, lines: int) -> None:
        """Records that `NAME.part` now has the translations of `lines` source lines."""
        out.flush()
        os.fsync(out.fileno())
        size = os.fstat(out.fileno()).st_size
        record = {"lines": lines, "bytes": size, "made_of": self._made_of}
        files.write_whole(self._record, json.dumps(record, indent=1))

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
