"""The records of a training log, `metrics.jsonl`: a JSON object in each line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nmt.data import files
from nmt.errors import RunError

Record = dict[str, Any]  # its `step`, and values by names such as `train/loss`

VALIDATION = "validation/"  # the names of its scores begin with it


def read(path: Path) -> list[Record]:
    """Returns the records logged so far, without a last line that is still being written.

    Raises:
        RunError: a line is damaged, or the file cannot be read.
    """
    with files.reported(path, kind=RunError):
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [
        record_of(line, where=f"{path}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.endswith(b"\n")
    ]


def record_of(line: bytes, *, where: str) -> Record:
    """Returns the record of a line of the log.

    Raises:
        RunError: it is damaged; the message begins with `where`.
    """
    try:
        record: Record = json.loads(line)
        record["step"]
    except (ValueError, TypeError, KeyError):
        raise RunError(f"{where}: no record of a step; remove it") from None
    return record


def validations(records: Iterable[Record]) -> dict[int, dict[str, Any]]:
    """Returns the scores of each step that was validated, such as `perplexity` and `bleu`."""
    found = dict[int, dict[str, Any]]()
    for record in records:
        names = [name for name in record if name.startswith(VALIDATION)]
        if names:  # other records of a step are of training
            found[record["step"]] = {name.removeprefix(VALIDATION): record[name] for name in names}
    return found
