"""The command that shows and empties the folders of `nmt.caches`, and their use by the commands."""

import logging
import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from nmt import caches
from nmt.errors import DataError

Clear = Annotated[bool, typer.Option("--clear", help="Empty the folders.")]


def cache(clear: Clear = False) -> None:
    """Show the folders of the cache, or empty them.

    They hold compiled functions and corpora, and are shown with their sizes.

    Example: nmt cache --clear
    """
    from rich.filesize import decimal

    for name in caches.NAMES:
        try:
            path = caches.folder(name)
            if clear:
                _empty(path)
            print(f"{path}  {decimal(_size(path))}")
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"the cache: {error}; set XDG_CACHE_HOME to a folder of yours"
            ) from None
    for name, other in _elsewhere().items():
        print(f"{other}  {decimal(_size(other))}, chosen by {name} and never emptied by nmt")


def set_up() -> None:
    """Has JAX keep compiled functions, and matplotlib say nothing where it cannot keep fonts."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ and (folder := caches.compiled()):
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    # Of its own logger alone: those of its modules have other things to say.
    logging.getLogger("matplotlib").addFilter(lambda record: record.levelno > logging.WARNING)


def _elsewhere() -> dict[str, Path]:
    """Returns the folders that the user has chosen instead of ours, by the variable that names it.

    `set_up` has set the variable of JAX, if the user has not.
    """
    ours = [caches.folder(name) for name in caches.NAMES]
    chosen = {
        "JAX_COMPILATION_CACHE_DIR": os.environ.get("JAX_COMPILATION_CACHE_DIR"),
        "HF_DATASETS_CACHE or HF_HOME": caches.chosen_corpora(),
    }
    return {name: Path(path) for name, path in chosen.items() if path and Path(path) not in ours}


def _size(path: Path) -> int:
    """Returns the bytes of all files in a folder; 0 if there is none."""
    return sum(each.lstat().st_size for each in path.rglob("*") if each.is_file())


def _empty(path: Path) -> None:
    for place in (path.parent, path):
        if place.is_symlink():
            raise DataError(
                f"{place}: a link to {place.resolve()}, which may hold more than the cache; empty "
                "that folder yourself, or remove the link"
            )
    for each in path.iterdir() if path.is_dir() else ():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
