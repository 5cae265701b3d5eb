"""Checkpoints of earlier formats, under the names of this one.

Format 2 kept its arrays in NumPy's npz. What has been renamed since is a line in a table here, and
what has been added a function. Checkpoints of this format are not looked at.
"""

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

# Regular expressions of what was renamed, and what stands there now: `\1` is the first group. An
# expression matches whole components between dots, anywhere in a name: parameters are also part
# of the names of the optimizer's state. `^` holds it to the first component, a field of the state.
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
    """Returns the bias that the cell of neural coverage had not, which it went without: zeros."""
    matrix = "coverage.cell.recurrent"
    return {
        name.removesuffix("recurrent") + "proposal_bias": np.zeros(len(array), array.dtype)
        for name, array in arrays.items()
        if name.endswith(matrix)
    }


# Functions from the arrays of a file, by their names of today, to those that it lacks.
ADDITIONS: tuple[Addition, ...] = (_coverage_bias,)

# Fields of position.json that were renamed.
PROGRESS: dict[str, str] = {
    "stale": "bad_validations",
    "plateau": "bad_validations_since_cut",
    "unlogged": "pending_log",
}


def read(path: Path) -> Arrays:
    """Returns the arrays of a file of format 2, under the names of this format.

    They take no more memory than the file has bytes.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not as nmt has written it.
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
    """Returns the named arrays of an older format as this one has them.

    Raises:
        ValueError: two of them have the same name now.
    """
    found = {_renamed(name, renames): array for name, array in arrays.items()}
    if len(found) < len(arrays):
        raise ValueError("two of its arrays have one name in this version")
    for addition in additions:
        found |= addition(found)
    return found


def migrated_progress(
    stored: dict[str, Any], renames: Mapping[str, str] = PROGRESS
) -> dict[str, Any]:
    """Returns the progress of an older format with the field names of this one."""
    found = {renames.get(name, name): value for name, value in stored.items()}
    if isinstance(sums := found.get("pending_log"), list):  # as it was before it had names
        found["pending_log"] = dict(zip(("loss", "nll", "tokens"), sums, strict=True))
    return found


def _renamed(name: str, renames: Mapping[str, str]) -> str:
    for old, new in renames.items():
        name = re.sub(rf"(?<![^.])(?:{old})(?![^.])", new, name)
    return name


def _bytes(stored: zipfile.ZipFile, name: str) -> int:
    """Returns the bytes that an array claims to have, from its header alone."""
    with stored.open(name) as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return abs(math.prod(shape)) * dtype.itemsize
