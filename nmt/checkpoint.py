"""One checkpoint: a folder that is written whole or not at all, and checked before it is read.

params.npz ...  one file for each named tree of arrays, in NumPy's format
position.json   where training stood
manifest.json   the number of this format, and the SHA-256 of every other file; written last
"""

import json
import math
import os
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from nmt.data import files
from nmt.errors import RunError

FORMAT = 2  # 1 was written by orbax, before the first version
MANIFEST = "manifest.json"


def write(folder: Path, items: dict[str, Any], position: dict[str, Any]) -> None:
    """Writes named trees of arrays and a position beside the folder, then gives it its name.

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
            np.savez(part / f"{name}.npz", **jax.device_get(_named(tree)))
        _write(part / "position.json", position)
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


def flaw(folder: Path) -> str | None:
    """Returns what is wrong with a checkpoint; None if it is as it was written.

    Raises:
        RunError: it is of another format, and so cannot be judged.
    """
    try:
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        if size > _memory():
            return f"{size:,} bytes are more than the memory of this machine"
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        number, expected = int(manifest["format"]), dict(manifest["files"])
    except FileNotFoundError:
        return f"{MANIFEST} is missing"
    except (OSError, ValueError, KeyError, TypeError):
        return f"{MANIFEST} cannot be read"
    if number != FORMAT:
        raise RunError(
            f"{folder}: a checkpoint of format {number}, and this version of nmt reads format "
            f"{FORMAT}; {'update nmt' if number > FORMAT else 'use the nmt that wrote it'}"
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
        RunError: it has other arrays, or arrays of other shapes: it is one of another model. Or
            its arrays are larger than the memory of this machine, or no arrays at all.
    """
    arrays = [leaf for tree in templates.values() for leaf in jax.tree.leaves(tree)]
    size = sum(math.prod(each.shape) * each.dtype.itemsize for each in arrays)
    if size > _memory():
        raise RunError(
            f"{folder}: a model of {size:,} bytes by config.yaml, more than the memory of this "
            "machine; put the original config.yaml back, or use a larger machine"
        )
    return {name: _read(folder / f"{name}.npz", tree) for name, tree in templates.items()}


def _read(path: Path, template: Any) -> Any:
    """Returns one tree, whose arrays lie where those of the template do.

    Elsewhere, a compiled step would be compiled for them once more.
    """
    wanted = _named(template)
    try:
        arrays = _load(path, {key: f"{leaf.shape} {leaf.dtype}" for key, leaf in wanted.items()})
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(
            f"{path}: whole, but not as nmt writes it ({error}); put one back from a copy"
        ) from None
    leaves = [jax.device_put(arrays[key], leaf.sharding) for key, leaf in wanted.items()]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


def _load(path: Path, expected: dict[str, str]) -> dict[str, npt.NDArray[Any]]:
    """Returns arrays; none is read that is not of the expected shape and type."""
    with zipfile.ZipFile(path) as stored:
        found = {name.removesuffix(".npy"): _kind(stored, name) for name in stored.namelist()}
    for key in sorted(expected.keys() | found.keys()):
        here, there = (kinds.get(key, "no such array") for kinds in (expected, found))
        if here != there:
            raise RunError(
                f"{path.parent}: checkpoint of another model ({key}: {there} in the checkpoint, "
                f"{here} by config.yaml); put the original config.yaml back"
            )
    with np.load(path, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in expected}


def _kind(stored: zipfile.ZipFile, name: str) -> str:
    """Returns the shape and the type of an array, from its header alone."""
    with stored.open(name) as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return f"{shape} {dtype}"


def _memory() -> float:
    """Returns the bytes of memory of this machine; no bound where Python cannot tell (Windows)."""
    if not hasattr(os, "sysconf"):
        return math.inf
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


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
