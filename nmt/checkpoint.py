"""One checkpoint: a folder that is written whole or not at all, and checked before it is read.

params/ ...     one folder for each named tree of arrays, as orbax writes it
position.json   where training stood
manifest.json   the number of this format, and the SHA-256 of every other file; written last
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from nmt.errors import RunError

FORMAT = 1
MANIFEST = "manifest.json"


def write(folder: Path, items: dict[str, Any], position: dict[str, Any]) -> None:
    """Writes named trees of arrays and a position beside the folder, then gives it its name.

    All is on the disk before it has that name, so that what is called a checkpoint is one, even
    after a power failure.

    Raises:
        RunError: the disk is full, or cannot be written for another reason.
    """
    part = folder.with_name(f"{folder.name}.part")
    saved = {name: ocp.args.StandardSave(_named(tree)) for name, tree in items.items()}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        clear(folder.parent)
        with _quiet(), ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
            checkpointer.save(part.absolute(), args=ocp.args.Composite(**saved), force=True)
        _write(part / "position.json", position)
        _write(part / MANIFEST, {"format": FORMAT, "files": _digests(part)})
        for path in [part, *part.rglob("*")]:
            _synchronise(path)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
        _synchronise(folder.parent)
    except (OSError, ValueError) as error:  # orbax hands the errors of files on as ValueErrors
        clear(folder.parent)
        raise RunError(
            f"{folder}: the checkpoint cannot be saved ({_reason(error)}); the ones before it are "
            "whole: make room, and give the same command to go on from the last of them"
        ) from None


def clear(parent: Path) -> None:
    """Removes what interrupted writing has left beside the checkpoints."""
    for path in parent.glob("*.part*"):
        shutil.rmtree(path, ignore_errors=True)


def flaw(folder: Path) -> str | None:
    """Returns what is wrong with a checkpoint; None if it is as it was written.

    Raises:
        RunError: it is of a newer format, and so cannot be judged.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        number, expected = int(manifest["format"]), dict(manifest["files"])
    except FileNotFoundError:
        return f"{MANIFEST} is missing"
    except (OSError, ValueError, KeyError, TypeError):
        return f"{MANIFEST} cannot be read"
    if number > FORMAT:
        raise RunError(
            f"{folder}: a checkpoint of format {number}, and this version of nmt reads formats up "
            f"to {FORMAT}; update nmt"
        )
    try:
        found = _digests(folder)
    except OSError as error:
        return f"{error.filename} cannot be read ({error.strerror})"
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if found[name] != expected.get(name):
            return f"{name} is not as it was written"
    return None


def position(folder: Path) -> dict[str, Any]:
    """Returns the position that `write` was given."""
    return json.loads((folder / "position.json").read_text(encoding="utf-8"))


def read(folder: Path, templates: dict[str, Any]) -> dict[str, Any]:
    """Returns named trees of arrays, each with the structure, shapes and types of its template.

    Raises:
        RunError: it has other arrays, or arrays of other shapes: it is one of another model.
    """
    folder = folder.absolute()  # orbax takes no other
    wanted = {
        name: {key: ocp.utils.to_shape_dtype_struct(leaf) for key, leaf in _named(tree).items()}
        for name, tree in templates.items()
    }
    for name, arrays in wanted.items():
        _compare(folder, arrays, ocp.StandardCheckpointHandler().metadata(folder / name).tree)
    args = {name: ocp.args.StandardRestore(arrays) for name, arrays in wanted.items()}
    with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
        restored = checkpointer.restore(folder, args=ocp.args.Composite(**args))
    return {
        name: jax.tree.unflatten(
            jax.tree.structure(tree), [restored[name][key] for key in _named(tree)]
        )
        for name, tree in templates.items()
    }


def _compare(folder: Path, wanted: dict[str, Any], stored: dict[str, Any]) -> None:
    """Compares names and shapes, of which orbax would complain on many lines."""
    for key in sorted(wanted.keys() | stored.keys()):
        here, there = (
            tuple(arrays[key].shape) if key in arrays else "no such array"
            for arrays in (wanted, stored)
        )
        if here != there:
            raise RunError(
                f"{folder}: checkpoint of another model ({key}: {there} in the checkpoint, "
                f"{here} by config.yaml); put the original config.yaml back"
            )


def _named(tree: Any) -> dict[str, Any]:
    """Returns the arrays of a tree by name, so that a checkpoint knows of names and arrays only."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _digests(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file but the manifest."""
    found = {}
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names):
            name = path.relative_to(folder).as_posix()
            if name != MANIFEST:
                with path.open("rb") as file:
                    found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _synchronise(path: Path) -> None:
    """Waits until a file, or the list of files of a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    """Returns the system's words for an error, from the end of orbax's where it hands one on."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    found = re.search(r"([^:]+) \[os_error_code='\d+'\]", str(error))
    return found[1].strip() if found else str(error)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the stack traces of orbax's threads off the terminal: their exception reaches us."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
