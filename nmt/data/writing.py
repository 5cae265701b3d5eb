"""Files that are written: whole or not at all, or through to a pipe, a device or a terminal."""

import contextlib
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from nmt.data import compression, files
from nmt.errors import DataError

# Names of files that are open already: a redirected /dev/stdout may be a regular file.
_OPEN_ALREADY = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/(self|\d+)/fd/\d+")


STDOUT = Path("-")  # stands for standard output wherever a text is written


def is_replaced(path: Path) -> bool:
    """Returns whether a file is replaced when it is complete: a regular one, or a new one.

    All others stay what they are and are written to: a pipe, a device, the terminal.

    Raises:
        DataError: the path leads nowhere: through a file, or around in links.
    """
    if path == STDOUT or _OPEN_ALREADY.fullmatch(os.path.abspath(path)):
        return False
    with reported(path):
        try:
            return stat.S_ISREG(path.stat().st_mode)
        except FileNotFoundError:
            return True


def check_apart(path: Path | None, *inputs: Path | None, in_place: bool = False) -> None:
    """Checks that what writes a file, if it is replaced, overwrites none of those that are read.

    Inputs are as `files.find` returns them, or None. With `in_place`, the file may be one of them,
    which is replaced when it has been read.

    Raises:
        DataError: it is one of them, or would be written as one of them first: see `part_of`.
    """
    if path is None or not is_replaced(path):
        return
    for written, mistake in overwritten(path).items():
        if in_place and written == path:
            continue
        places = map(files.place_of, filter(None, inputs)) if written.exists() else ()
        if any(os.path.samestat(written.stat(), place) for place in places):
            raise DataError(f"{path}: {mistake}; choose another name")


def overwritten(path: Path) -> dict[Path, str]:
    """Returns the files that a file to be replaced overwrites, and the mistake if one is read."""
    part = part_of(path)
    return {
        part: f"is first written as {part.name}, which is read",
        path: "is read, so it cannot be written",
    }


def check_distinct(first: Path | None, second: Path | None, *, options: tuple[str, str]) -> None:
    """Checks that two outputs, named by their options, are not the same file to be replaced.

    Raises:
        DataError: they are.
    """
    if first is not None and second is not None and collide(first, second):
        raise DataError(f"{first}: {options[0]} and {options[1]} need a file each")


def collide(first: Path, second: Path) -> bool:
    """Returns whether two files are both replaced, and one overwrites the other."""
    if not (is_replaced(first) and is_replaced(second)):
        return False
    one, other = ({each.resolve() for each in overwritten(path)} for path in (first, second))
    return not one.isdisjoint(other)


def part_of(path: Path, *, hidden: bool = False) -> Path:
    """Returns NAME.part or .NAME.part, beside the file to replace.

    A link stays, and its target is replaced.
    """
    target = path.resolve()
    return target.with_name(f"{'.' if hidden else ''}{target.name}.part")


@contextlib.contextmanager
def reported(path: Path | str) -> Iterator[None]:
    """Turns an error of the system into a DataError that names the output.

    A BrokenPipeError stays: the reader of a pipe has ended.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from None


@contextlib.contextmanager
def opened(
    path: Path, *, append: bool = False, hidden: bool = False
) -> Iterator[io.BufferedIOBase]:
    """Opens an output file, which has its name only when it is complete: before, see `part_of`.

    With `append`, the present content of `part_of` stays at the beginning. With `hidden`, that
    file is a hidden one. After an error it stays, unless it is empty.

    Raises:
        DataError: the file cannot be written.
        BrokenPipeError: it is a pipe whose reader has ended.
    """
    with reported(path):
        if not is_replaced(path):
            with path.open("ab") as file:  # what a redirected /dev/stdout has stays
                yield file
            return
        part = part_of(path, hidden=hidden)
        try:
            with part.open("ab" if append else "wb") as file:
                yield file
        except BaseException:
            if part.exists() and not part.stat().st_size:
                part.unlink()
            raise
        part.replace(path.resolve())


@contextlib.contextmanager
def text(
    path: Path | None, *, append: bool = False, hidden: bool = False
) -> Iterator[io.TextIOBase]:
    """Opens a text output in UTF-8, compressed by its ending, or standard output (None or `-`).

    See `opened` for `append`, `hidden` and errors.
    """
    if path is None or path == STDOUT:
        yield cast(io.TextIOBase, sys.stdout)
        return
    with (
        opened(path, append=append, hidden=hidden) as file,
        compression.writer(file, path) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as lines,
    ):
        yield lines
