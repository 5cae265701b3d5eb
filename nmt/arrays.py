"""A tree of arrays in one file of a checkpoint: safetensors, or npz in format 2.

A tree is stored as its arrays by name, so that a file does not depend on classes. The tree `params`
is the model. In any other tree, the first component of a name is a field, which a later version may
have added: a field that a file lacks keeps the value of the template.
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from nmt import checkpoint_migration
from nmt.checkpoint_migration import DROPPED, Arrays
from nmt.errors import RunError

MODEL = "params"

# The names of safetensors' types in NumPy; a file of others may have more.
TYPES = {
    "BOOL": "bool",
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "BF16": "bfloat16",
}


def write(path: Path, tree: Any) -> None:
    """Writes the arrays of a tree.

    Raises:
        OSError: the disk is full, or cannot be written for another reason.
    """
    save(path, jax.device_get(_named(tree)))


def save(path: Path, arrays: Mapping[str, Any], metadata: dict[str, str] | None = None) -> None:
    """Writes arrays by name, and texts beside them.

    Raises:
        OSError: the disk is full, or cannot be written for another reason.
    """
    path.touch()
    mode = path.stat().st_mode  # the default one: safetensors would set that of a private file
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    try:
        save_file(contiguous, path, metadata)
    except SafetensorError as error:
        # The error number of the system is only in the text.
        code = re.search(r"(?:os error|code:) (\d+)", str(error))
        number = int(code[1]) if code else 0
        raise OSError(number, os.strerror(number) if code else str(error)) from None
    path.chmod(mode)


def read(path: Path, template: Any) -> Any:
    """Returns a tree with the structure, shapes and types of its template.

    Its arrays are placed on the devices of those of the template, so that a compiled step need not
    be compiled again.

    Raises:
        RunError: the file has other arrays, or was not written by nmt.
    """
    wanted = _named(template)
    try:
        if path.suffix == ".npz":
            arrays = _migrated(path, wanted)
        else:
            arrays = load(path, lambda found, _: _check(path, found, wanted))
    except (OSError, ValueError, SafetensorError) as error:
        raise RunError(
            f"{path}: intact, but not written by nmt ({printable(str(error))}); restore it from a "
            "copy"
        ) from None
    leaves = [
        jax.device_put(arrays[name], leaf.sharding) if name in arrays else leaf
        for name, leaf in wanted.items()
    ]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


def memory() -> float:
    """Returns the bytes of memory of this machine; infinity where it is not known (Windows)."""
    if not hasattr(os, "sysconf"):
        return math.inf
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def load(path: Path, check: Callable[[dict[str, str], dict[str, str]], None]) -> Arrays:
    """Returns the arrays of a file; `check` sees their kinds, and the texts beside them, before."""
    with safe_open(path, "np") as file:
        names = list(file.keys())
        check({name: _kind(file.get_slice(name)) for name in names}, file.metadata() or {})
        return {name: file.get_tensor(name) for name in names}


def kinds(arrays: Mapping[str, Any]) -> dict[str, str]:
    """Returns the shape and the type of each array."""
    return {name: f"{array.shape} {array.dtype}" for name, array in arrays.items()}


def mismatch(found: dict[str, str], expected: dict[str, str]) -> tuple[str, str, str] | None:
    """Returns the first name whose kind is not the expected one, with both; None if there is none.

    The name is printable.
    """
    for name in sorted(expected.keys() | found.keys()):
        there, here = (each.get(name, "no such array") for each in (found, expected))
        if there != here:
            return printable(name), there, here
    return None


def _kind(header: Any) -> str:
    """Returns the shape and the type of an array of safetensors."""
    code = header.get_dtype()
    return f"{tuple(header.get_shape())} {TYPES.get(code, code)}"


def _migrated(path: Path, wanted: dict[str, Any]) -> Arrays:
    """Returns the arrays of a file of an older format."""
    arrays = checkpoint_migration.read(path)
    _check(path, kinds(arrays), wanted)
    return arrays


def _check(path: Path, found: dict[str, str], wanted: dict[str, Any]) -> None:
    """Checks that arrays have the names, shapes and types of the wanted ones.

    A whole field may be missing, if the template has its values and not only its shapes. One that
    only earlier versions saved is not looked at.
    """
    found = {name: kind for name, kind in found.items() if _field(name) not in DROPPED}
    fields = {_field(name) for name in found}
    expected = {
        name: leaf
        for name, leaf in wanted.items()
        if path.stem == MODEL or _field(name) in fields or not isinstance(leaf, jax.Array)
    }
    if differing := mismatch(found, kinds(expected)):
        name, there, here = differing
        raise RunError(
            f"{path.parent}: checkpoint of another model ({name}: {there} in the checkpoint, "
            f"{here} by config.yaml); put the original config.yaml back"
        )


def _field(name: str) -> str:
    return name.partition(".")[0]


def printable(text: str) -> str:
    """Returns text of an unknown file in one printable line."""
    return text if text.isprintable() else ascii(text)


def _named(tree: Any) -> dict[str, Any]:
    """Returns the arrays of a tree by name."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }
