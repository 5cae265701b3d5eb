"""One checkpoint: a folder that is written whole or not at all, and checked before it is read.

params.safetensors ...  one file for each named tree of arrays
position.json           where training stood
manifest.json           the number of this format, and the SHA-256 of every other file; written last
"""

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import jax

from nmt import arrays, checkpoint_migration
from nmt.data import files
from nmt.errors import RunError

FORMAT = 3
OLDEST = 2  # that is still read; 1 was written by orbax, before the first version
MANIFEST = "manifest.json"


def write(folder: Path, items: dict[str, Any], progress: dict[str, Any]) -> None:
    """Writes named trees of arrays and a progress beside the folder, then gives it its name.

    All is on the disk before it has that name, so that what is called a checkpoint is one, even
    after a power failure.

    Raises:
        RunError: the disk is full, or cannot be written for another reason.
    """
    part = folder.with_name(f"{folder.name}.part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        clear(folder.parent)
        part.mkdir()
        for name, tree in items.items():
            arrays.write(part / f"{name}.safetensors", tree)
        _write(part / "position.json", progress)
        _write(part / MANIFEST, {"format": FORMAT, "files": _digests(part)})
        for path in [part, *part.rglob("*")]:
            _synchronise(path)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
        _synchronise(folder.parent)
    except OSError as error:
        clear(folder.parent)
        raise RunError(
            f"{folder}: the checkpoint cannot be saved ({error.strerror}); the ones before it are "
            "whole: make room, and give the same command to go on from the last of them"
        ) from None


def clear(parent: Path) -> None:
    """Removes what interrupted writing has left beside the checkpoints."""
    for path in parent.glob("*.part*"):
        shutil.rmtree(path, ignore_errors=True)


def validate(folder: Path) -> str | None:
    """Returns what is wrong with a checkpoint; None if it is as it was written.

    Raises:
        RunError: it is of another format, and so cannot be judged.
    """
    try:
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        if size > _memory():
            return f"{size:,} bytes are more than the memory of this machine"
        number, expected = _manifest(folder)
    except FileNotFoundError:
        return f"{MANIFEST} is missing"
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return f"{MANIFEST} cannot be read"
    if not OLDEST <= number <= FORMAT:
        raise RunError(
            f"{folder}: a checkpoint of format {number}, and this version of nmt reads formats "
            f"{OLDEST} to {FORMAT}; "
            f"{'update nmt' if number > FORMAT else 'use the nmt that wrote it'}"
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


def progress(folder: Path) -> dict[str, Any]:
    """Returns the progress that `write` was given.

    Raises:
        ValueError, TypeError: it is no progress.
    """
    stored = json.loads((folder / "position.json").read_text(encoding="utf-8"))
    if _is_older(folder):
        return checkpoint_migration.migrated_progress(dict(stored))
    return stored


def read(folder: Path, templates: dict[str, Any]) -> dict[str, Any]:
    """Returns named trees of arrays, each with the structure, shapes and types of its template.

    Raises:
        RunError: it has other arrays, or arrays of other shapes: it is one of another model. Or
            its arrays are larger than the memory of this machine, or no arrays at all.
    """
    leaves = [leaf for tree in templates.values() for leaf in jax.tree.leaves(tree)]
    size = sum(math.prod(each.shape) * each.dtype.itemsize for each in leaves)
    if size > _memory():
        raise RunError(
            f"{folder}: a model of {size:,} bytes by config.yaml, more than the memory of this "
            "machine; put the original config.yaml back, or use a larger machine"
        )
    ending = "npz" if _is_older(folder) else "safetensors"
    return {
        name: arrays.read(folder / f"{name}.{ending}", template)
        for name, template in templates.items()
    }


def _memory() -> float:
    """Returns the bytes of memory of this machine; no bound where Python cannot tell (Windows)."""
    if not hasattr(os, "sysconf"):
        return math.inf
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _manifest(folder: Path) -> tuple[int, dict[str, str]]:
    """Returns the number of the format, and the digests of the files."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return int(manifest["format"]), dict(manifest["files"])


def _is_older(folder: Path) -> bool:
    return _manifest(folder)[0] < FORMAT


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _digests(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file but the manifest."""
    found = {}
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names):
            name = path.relative_to(folder).as_posix()
            if name != MANIFEST:
                found[name] = files.digest(path)
    return found


def _synchronise(path: Path) -> None:
    """Waits until a file, or the list of files of a folder, is on the disk.

    Windows synchronises only what is open for writing, and opens no folders.
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
