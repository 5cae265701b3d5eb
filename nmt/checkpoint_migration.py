"""Migration of checkpoints of earlier formats.

Format 2 stored its arrays as NumPy's npz. A table here has a line for everything renamed since, and
there is a function for everything added. Checkpoints of the current format are not changed.
"""

import json
import math
import re
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
Addition = Callable[[Arrays], Arrays]

# Regular expressions for old names, and their replacements: `\1` is the first group. An expression
# matches whole components between dots, anywhere in a name, since parameters are also part of the
# names of the optimizer's state. `^` restricts it to the first component, a field of the state.
RENAMES: dict[str, str] = {
    r"decoder\.initial": "decoder.stack.initial",
    r"decoder\.layers": "decoder.stack.cells",
    r"decoder\.feed": "decoder.input_feed",
    r"coverage\.annotation": "coverage.cell.input",
    r"coverage\.recurrent\.kernel": "coverage.cell.recurrent",
    r"lexical": "lexical_model",
    r"^baseline": "objectives.reinforce",
    r"^plateau": "lr_scale",
}


def _coverage_bias(arrays: Arrays) -> Arrays:
    """Returns the bias that the cell of neural coverage did not have before: zeros."""
    matrix = "coverage.cell.recurrent"
    return {
        name.replace(matrix, "coverage.cell.proposal_bias"): np.zeros(len(array), array.dtype)
        for name, array in arrays.items()
        if matrix in name
    }


# Fields of the state that are not saved any more. A training of an older version could stop between
# two batches of an update; the gradients that it had gathered by then are left out.
DROPPED = ("pending",)

# Functions from the arrays of a file, under their current names, to the missing ones.
ADDITIONS: tuple[Addition, ...] = (_coverage_bias,)

PROGRESS_FILE = "position.json"

# Fields of it that were renamed.
PROGRESS: dict[str, str] = {
    "stale": "bad_validations",
    "plateau": "bad_validations_since_cut",
    "unlogged": "pending_log",
}


def read(path: Path) -> Arrays:
    """Returns the arrays of a file of format 2, under their current names.

    They take no more memory than the file has bytes.

    Raises:
        OSError: the file cannot be read.
        ValueError: it was not written by nmt.
    """
    try:
        with zipfile.ZipFile(path) as stored:
            claimed = sum(_bytes(stored, name) for name in stored.namelist())
        if claimed > path.stat().st_size:
            raise ValueError(f"it claims {claimed:,} bytes of arrays")
        with np.load(path, allow_pickle=False) as arrays:
            return migrated({name: arrays[name] for name in arrays.files})
    except (
        EOFError,
        RuntimeError,
        SyntaxError,
        tokenize.TokenError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(str(error)) from None


def migrated(
    arrays: Arrays, renames: Mapping[str, str] = RENAMES, additions: Sequence[Addition] = ADDITIONS
) -> Arrays:
    """Returns arrays of an older format under their current names, and those added since.

    Raises:
        ValueError: two of them have the same current name.
    """
    current = {_renamed(name, renames): array for name, array in arrays.items()}
    if len(current) < len(arrays):
        raise ValueError("two of its arrays have one name in this version")
    for addition in additions:
        current |= addition(current)
    return current


def read_progress(folder: Path) -> dict[str, Any]:
    """Returns the progress of a checkpoint of format 2, with the field names of this format.

    Raises:
        ValueError, TypeError: the file has no progress.
    """
    stored = json.loads((folder / PROGRESS_FILE).read_text(encoding="utf-8"))
    return migrated_progress(dict(stored))


def migrated_progress(
    stored: dict[str, Any], renames: Mapping[str, str] = PROGRESS
) -> dict[str, Any]:
    """Returns the progress of an older format with the current field names."""
    current = {renames.get(name, name): value for name, value in stored.items()}
    if isinstance(sums := current.get("pending_log"), list):  # of an older version
        current["pending_log"] = dict(zip(("loss", "nll", "tokens"), sums, strict=True))
    return current


def _renamed(name: str, renames: Mapping[str, str]) -> str:
    for old, new in renames.items():
        name = re.sub(rf"(?<![^.])(?:{old})(?![^.])", new, name)
    return name


def _bytes(stored: zipfile.ZipFile, name: str) -> int:
    """Returns the size of an array in bytes according to its header."""
    with stored.open(name) as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return abs(math.prod(shape)) * dtype.itemsize
