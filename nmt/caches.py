"""Folders in which nmt keeps what takes long to make; where there can be none, it works without.

They are in $XDG_CACHE_HOME/nmt, or ~/.cache/nmt if that is not set:

    compiled    compiled functions of JAX, which the commands use again
    corpora     text and pieces of corpora, as Arrow files
    alignments  word links of corpora that an aligner has made
"""

import atexit
import functools
import os
import shutil
import tempfile
import warnings
from pathlib import Path

NAMES = ("compiled", "corpora", "alignments")


def folder(name: str) -> Path:
    """Returns the path of one of the folders, which need not exist.

    Raises:
        RuntimeError: there is neither XDG_CACHE_HOME nor a home folder.
    """
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "nmt" / name


def chosen_corpora() -> Path | None:
    """Returns the folder of Hugging Face datasets, if the user has chosen one for all programs."""
    if chosen := os.environ.get("HF_DATASETS_CACHE"):
        return Path(chosen)
    home = os.environ.get("HF_HOME")
    return Path(home) / "datasets" if home else None


@functools.cache
def compiled() -> Path | None:
    """Returns the folder of compiled functions, or None, with a warning, if it cannot be used."""
    try:
        return _usable(folder("compiled"))
    except (OSError, RuntimeError) as error:
        _warn(error, "functions are compiled again by each command", "XDG_CACHE_HOME")
        return None


@functools.cache
def corpora() -> Path:
    """Returns the folder of Arrow files: the user's own, ours, or a temporary one with a warning.

    The temporary folder is removed when the process ends.
    """
    chosen = chosen_corpora()
    try:
        return _usable(chosen or folder("corpora"))
    except (OSError, RuntimeError) as error:
        variable = "HF_DATASETS_CACHE" if chosen else "XDG_CACHE_HOME"
        _warn(error, "corpora are read again by each command", variable)
        return _temporary()


@functools.cache
def alignments() -> Path:
    """Returns the folder of word links, or a temporary one with a warning, as `corpora` does."""
    try:
        return _usable(folder("alignments"))
    except (OSError, RuntimeError) as error:
        _warn(error, "texts are aligned again by each command", "XDG_CACHE_HOME")
        return _temporary()


def can_be_written(path: Path) -> bool:
    """Returns whether files can be made in a folder, which is made if there is none."""
    try:
        return bool(_usable(path))
    except OSError:
        return False


def _temporary() -> Path:
    """Returns a new folder, which is removed when the process ends."""
    path = tempfile.mkdtemp(prefix="nmt-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def _usable(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        return path


def _warn(error: Exception, cost: str, variable: str) -> None:
    warnings.warn(
        f"no cache ({error}): {cost}; set {variable} to a folder that can be written",
        stacklevel=3,
    )
