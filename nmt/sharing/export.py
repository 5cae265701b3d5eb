"""From a run to a bundle: a new folder, which is there when it is whole, and not before."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nmt.bundle import Bundle, is_bundle
from nmt.checkpoints import Which
from nmt.errors import DataError, RunError
from nmt.inference.shortlist import FILE as SHORTLIST
from nmt.inference.shortlist import Lexicon
from nmt.model.build import outline
from nmt.run import Run
from nmt.weights import DType


def write(run: Run, folder: Path, *, checkpoint: Which | int, dtype: DType) -> Bundle:
    """Writes the bundle of a checkpoint into a new folder.

    Raises:
        RunError: there is no such checkpoint, or its parameters do not fit the type.
    """
    _, template = outline(run.config, run.tokenizers())
    params = run.params(checkpoint, template)
    bundle = Bundle.write(folder, run.config, run.tokenizers(), params, dtype=dtype)
    if (run.path / SHORTLIST).exists():
        Lexicon.of(run).save(folder)
    return bundle


@contextlib.contextmanager
def replaced(folder: Path, *, force: bool) -> Iterator[Path]:
    """Yields the path of a new folder, which gets the name of `folder` when it is complete.

    Raises:
        DataError: something of that name is there already; with `force`, it may be a bundle.
        RunError: the folder cannot be written.
    """
    if folder.exists() and not (force and is_bundle(folder)):
        raise DataError(
            f"{folder}: exists, and is no bundle; name another folder"
            if force
            else f"{folder}: exists; name another folder, or replace the bundle in it with --force"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            yield Path(scratch, "new")
            if folder.exists():
                folder.rename(Path(scratch, "old"))
            Path(scratch, "new").rename(folder)
    except OSError as error:
        raise RunError(f"{folder}: the bundle cannot be written ({error.strerror})") from None
