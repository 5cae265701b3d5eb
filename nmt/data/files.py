"""Text files of sentences: where they are, and their lines, compressed or not."""

import codecs
import contextlib
import glob
import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from nmt.config import endings
from nmt.config.endings import COMPRESSED
from nmt.counting import counted
from nmt.data import compression
from nmt.errors import DataError, UserError

_First = TypeVar("_First")
_Second = TypeVar("_Second")


STDIN = Path("-")  # stands for standard input wherever a text is read
_MARKS_OF_UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE


def named(path: Path) -> str:
    """Returns a path as messages name it."""
    return "standard input" if path == STDIN else str(path)


@contextlib.contextmanager
def reported(path: str | Path, *, kind: type[UserError] = DataError) -> Iterator[None]:
    """Turns an error of the system into one of the user that names what cannot be read.

    So asking whether a path exists may end: where a folder may not be entered, or a name is longer
    than any may be.
    """
    try:
        yield
    except OSError as error:
        raise kind(f"{path}: cannot be read ({error.strerror})") from None


def find(path: str | Path) -> Path:
    """Returns the path of an existing file or pipe: `path` itself, or with .gz, .zst, ... added.

    Raises:
        DataError: there is none, or its folder may not be entered.
    """
    path = Path(path)
    zipped = [] if endings.compression(path) else [Path(f"{path}{end}") for end in COMPRESSED]
    with reported(path):
        for candidate in (path, *zipped):
            if candidate == STDIN or (candidate.exists() and not candidate.is_dir()):
                return candidate
    if path.is_dir():
        raise DataError(f"{path}: is a folder, and a file is read here")
    *some, last = COMPRESSED
    others = f", nor with {', '.join(some)} or {last} at its end" if zipped else ""
    raise DataError(f"{path}: no such file{others}")


def find_stored(path: str | Path) -> Path:
    """Returns the path of an existing file that can be read again, as `find` does.

    Raises:
        DataError: there is none, or it is a pipe or a terminal.
    """
    found = find(path)
    if not is_stored(found):
        raise DataError(
            f"{path}: is read more than once, and a pipe gives its lines once only; "
            "write them to a file first"
        )
    return found


def find_together(*paths: Path) -> list[Path]:
    """Returns the paths of existing files or pipes that are read at the same time.

    Raises:
        DataError: one of them does not exist, or two are the same pipe.
    """
    found = [find(path) for path in paths]
    places: list[os.stat_result] = []
    for path in found:
        if is_stored(path):
            continue
        place = place_of(path)
        if any(os.path.samestat(place, other) for other in places):
            raise DataError(
                f"{path}: two texts cannot be read from the same pipe; write one to a file first"
            )
        places.append(place)
    return found


def matching(pattern: str) -> list[str]:
    """Returns the path that exists as it is written, or else all that match it as a pattern."""
    return [pattern] if os.path.lexists(pattern) else sorted(glob.glob(pattern, recursive=True))


def place_of(path: Path) -> os.stat_result:
    """Returns what tells a file or a pipe from all others.

    Raises:
        DataError: there is none.
    """
    with reported(path):
        return os.stat(0 if path == STDIN else path)


def is_stored(path: Path) -> bool:
    """Returns whether a path is of a regular file, which can be read more than once."""
    return path != STDIN and path.is_file()


def digest(path: Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal.

    Raises:
        DataError: the file cannot be read.
    """
    with reported(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Writes a small UTF-8 file atomically: under its name there is the old text, or the new."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def lines(path: Path, *, replace: bool = False) -> Iterator[str]:
    r"""Yields the lines of a UTF-8 file, or of standard input (`-`), without line breaks.

    Lines end with "\n" or "\r\n" only: if U+2028, "\x0b" or "\x85" ended a line too, one of them
    in a sentence would shift all later lines against the translation. A byte order mark is removed.
    With `replace`, bytes that are not UTF-8 become U+FFFD, with a warning that names the line.

    Raises:
        DataError: the file cannot be read, begins with the mark of UTF-16, or has a line that is
            not UTF-8 and `replace` is not given.
    """
    name, number = named(path), 0
    try:
        with opened(path) as file:
            for number, line in enumerate(file, start=1):
                if number == 1 and line.startswith(_MARKS_OF_UTF_16):
                    raise DataError(f"{name}: is UTF-16; convert it with iconv -f UTF-16 -t UTF-8")
                bare = line.removesuffix(b"\n").removesuffix(b"\r")
                try:
                    text = bare.decode("utf-8")
                except UnicodeDecodeError as error:
                    _report(error, where=f"{name}, line {number}", replace=replace)
                    text = bare.decode("utf-8", errors="replace")
                yield text.removeprefix("\ufeff") if number == 1 else text
    except compression.ERRORS as error:
        raise DataError(f"{name}: cannot be read after line {number} ({error})") from None


def _report(error: UnicodeDecodeError, *, where: str, replace: bool) -> None:
    """Warns about a line that is not UTF-8 with `replace`, and raises a DataError without."""
    mistake = f"{where}: not UTF-8 ({error.reason})"
    if not replace:
        raise DataError(f"{mistake}; convert the file with iconv") from None
    warnings.warn(f"{mistake}; U+FFFD stands for what cannot be decoded", stacklevel=3)


def opened(path: Path) -> BufferedIOBase:
    """Opens a file, a pipe or standard input for reading; what is compressed is decompressed."""
    if path == STDIN:
        # Not sys.stdin, whose lock a thread that waits for a line would hold when Python ends.
        return open(0, "rb", closefd=False)
    return compression.reader(path)


# All that str.splitlines and other programs take for the end of a line.
LINE_BREAKS = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
_SPACES = str.maketrans(LINE_BREAKS, " " * len(LINE_BREAKS))


def one_line(text: str) -> str:
    """Returns a text with spaces for its line breaks: a sentence is one line."""
    return text.translate(_SPACES)


def parallel(source: Path, target: Path, *, replace: bool = False) -> Iterator[tuple[str, str]]:
    """Returns pairs of lines from a source file and its translation.

    `replace` is that of `lines`, for the source.

    Raises:
        DataError: one file has more lines than the other.
    """
    return side_by_side(
        lines(source, replace=replace),
        lines(target),
        names=(named(source), named(target)),
        remedy=": line n of one must be the translation of line n of the other",
    )


def side_by_side(
    first: Iterable[_First],
    second: Iterable[_Second],
    *,
    names: tuple[Path | str, Path | str],
    unit: str = "line",
    remedy: str = "",
    rests: tuple[_First | None, _Second | None] = (None, None),
) -> Iterator[tuple[_First, _Second]]:
    """Yields pairs of what two files have for the same sentence.

    `rests` has, for a file that does not tell how many sentences it is about, what it has for those
    that only the other one has.

    Raises:
        DataError: one file has more lines than the other; the message has `names` and `remedy`, and
            counts in `unit`.
    """
    counts = [0, 0]
    for left, right in zip_longest(first, second):
        left = rests[0] if left is None else left
        right = rests[1] if right is None else right
        counts = [counts[0] + (left is not None), counts[1] + (right is not None)]
        if left is not None and right is not None:
            yield left, right
    if counts[0] != counts[1]:
        many = counted(counts[0], unit)
        remedy = remedy or f"; they must correspond {unit} for {unit}"
        raise DataError(f"{names[0]} has {many} and {names[1]} has {counts[1]:,}{remedy}")
