"""One checkpoint: a folder that is written atomically, and verified before it is read.

params.safetensors ...  one file for each named tree of arrays
progress.json           the progress of training
manifest.json           the number of this format, and the SHA-256 of every other file; written last

Only files that the manifest names are read. Others, which a file manager or an editor has left in
the folder, do not matter.
"""

import json
import math
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax

from nmt import arrays, checkpoint_migration
from nmt.data import files
from nmt.errors import DataError, RunError

FORMAT = 3
OLDEST = 2  # that is still read; 1 was written by orbax, before the first version
MANIFEST = "manifest.json"
PROGRESS = "progress.json"


def write(folder: Path, items: dict[str, Any], progress: dict[str, Any]) -> None:
    """Writes named trees of arrays and a progress to a temporary folder, then renames it.

    Everything is synchronized to the disk before, so that a folder with the name of a checkpoint is
    complete, even after a power failure. One of the same name is kept until the new one is.

    Raises:
        RunError: the disk is full, or cannot be written for another reason.
    """
    part, old = folder.with_name(f"{folder.name}.part"), folder.with_name(f"{folder.name}.part.old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        clear(folder.parent)
        part.mkdir()
        trees = {f"{name}.safetensors": tree for name, tree in items.items()}
        for name, tree in trees.items():
            arrays.write(part / name, tree)
        _write(part / PROGRESS, progress)
        digests = {name: files.digest(part / name) for name in (*trees, PROGRESS)}
        _write(part / MANIFEST, {"format": FORMAT, "files": digests})
        for path in [part, *part.rglob("*")]:
            _synchronize(path)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        _synchronize(folder.parent)
        clear(folder.parent)
    except OSError as error:
        clear(folder.parent)
        raise RunError(
            f"{folder}: the checkpoint cannot be saved ({error.strerror}); earlier ones are whole: "
            "free some space, and give the same command to go on from the last of them"
        ) from None


def clear(parent: Path) -> None:
    """Removes the temporary folders of interrupted writing.

    A checkpoint that was moved aside has its name again, if the new one did not come.
    """
    for old in parent.glob("*.part.old"):
        moved = old.with_name(old.name.removesuffix(".part.old"))
        if not moved.exists():
            old.rename(moved)
    for path in parent.glob("*.part*"):
        shutil.rmtree(path, ignore_errors=True)


def validate(folder: Path) -> str | None:
    """Returns what is wrong with a checkpoint, None if it is intact.

    Raises:
        RunError: it has a format that this version cannot read.
    """
    there = _files(folder)
    if flaw := _missing_or_too_large([MANIFEST], there):
        return flaw
    try:
        number, expected = _manifest(folder)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return f"{MANIFEST} cannot be read"
    if not OLDEST <= number <= FORMAT:
        raise RunError(
            f"{folder}: a checkpoint of format {number}, but this version of nmt reads formats "
            f"{OLDEST} to {FORMAT}; "
            f"{'update nmt' if number > FORMAT else 'use the nmt that wrote it'}"
        )
    if flaw := _missing_or_too_large(expected, there):
        return flaw
    try:
        for name, digest in expected.items():
            if files.digest(there[name]) != digest:
                return f"{name}: checksum mismatch"
    except DataError as error:
        return str(error)
    return None


def progress(folder: Path) -> dict[str, Any]:
    """Returns the progress that `write` was given.

    Raises:
        OSError, ValueError, KeyError, TypeError: the file has no progress, or was not verified.
    """
    number, named = _manifest(folder)
    name = checkpoint_migration.PROGRESS_FILE if number < FORMAT else PROGRESS
    if name not in named:
        raise ValueError(f"{MANIFEST} does not name {name}")
    if number < FORMAT:
        return checkpoint_migration.read_progress(folder)
    return json.loads((folder / PROGRESS).read_text(encoding="utf-8"))


def read(folder: Path, templates: dict[str, Any]) -> dict[str, Any]:
    """Returns named trees of arrays, each with the structure, shapes and types of its template.

    Raises:
        RunError: the checkpoint is of another model, with other arrays or shapes; or a file is not
            readable; or the arrays are larger than the memory of this machine.
    """
    leaves = [leaf for tree in templates.values() for leaf in jax.tree.leaves(tree)]
    size = sum(math.prod(each.shape) * each.dtype.itemsize for each in leaves)
    if size > arrays.memory():
        raise RunError(
            f"{folder}: a model of {size:,} bytes by config.yaml, more than the memory of this "
            "machine; put the original config.yaml back, or use a larger machine"
        )
    number, named = _manifest(folder)
    ending = "npz" if number < FORMAT else "safetensors"
    paths = {name: folder / f"{name}.{ending}" for name in templates}
    for path in paths.values():
        if path.name not in named:
            raise RunError(
                f"{path}: {MANIFEST} does not name it, so that it may be damaged; restore the "
                "checkpoint from a copy"
            )
    return {name: arrays.read(paths[name], template) for name, template in templates.items()}


def _manifest(folder: Path) -> tuple[int, dict[str, str]]:
    """Returns the number of the format, and the digests of the files."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return int(manifest["format"]), dict(manifest["files"])


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _files(folder: Path) -> dict[str, Path]:
    """Returns the files in a folder by their names, below which there is none outside of it."""
    paths = [Path(parent) / name for parent, _, names in os.walk(folder) for name in names]
    return {path.relative_to(folder).as_posix(): path for path in paths}


def _missing_or_too_large(names: Iterable[str], there: dict[str, Path]) -> str | None:
    """Returns which file is missing, or that all together are too large; None if neither is so."""
    size = 0
    for name in names:
        try:
            size += there[name].stat().st_size
        except (KeyError, OSError):  # a link to nothing is in the list, too
            return f"{name} is missing"
    too_large = size > arrays.memory()
    return f"{size:,} bytes are more than the memory of this machine" if too_large else None


def _synchronize(path: Path) -> None:
    """Waits until a file, or the list of files of a folder, is on the disk.

    Windows synchronizes only files that are open for writing, and opens no folders.
    """
    folder = path.is_dir()
    try:
        descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    except PermissionError:
        if folder:
            return
        raise
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
