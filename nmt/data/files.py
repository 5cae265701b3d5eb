"""Text files of sentences: plain lines, tab-separated columns and JSON, each also gzipped."""

import gzip
import hashlib
import json
import sys
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

from nmt.errors import DataError

_First = TypeVar("_First")
_Second = TypeVar("_Second")


def find(path: str | Path) -> Path:
    """Returns the path itself or its gzipped sibling, whichever there is.

    Raises:
        DataError: there is neither.
    """
    path = Path(path)
    zipped = path.with_name(f"{path.name}.gz")
    for candidate in (path, zipped):
        if candidate.is_file():
            return candidate
    alternative = "" if path.suffix == ".gz" else f", nor {zipped.name} beside it"
    raise DataError(f"{path}: no such file{alternative}")


def suffix(path: str | Path) -> str:
    """Returns the suffix that tells the format: '.tsv' of both 'a.tsv' and 'a.tsv.gz'."""
    return Path(str(path).removesuffix(".gz")).suffix


def digest(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lines(path: Path | None, *, replace: bool = False) -> Iterator[str]:
    r"""Yields the lines of a UTF-8 file, or of standard input, without their end.

    Lines end with "\n" or "\r\n" and nothing else: U+2028, "\x0b" or "\x85" within a sentence
    would otherwise shift every line after it against the translation. A byte order mark is
    dropped. With `replace`, a line that is not UTF-8 gets U+FFFD for what cannot be decoded, and
    a warning with its number.

    Raises:
        DataError: the file cannot be read, or a line is not UTF-8 and `replace` is not given.
    """
    name, number = path or "standard input", 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                bare = line.removesuffix(b"\n").removesuffix(b"\r")
                try:
                    text = bare.decode("utf-8")
                except UnicodeDecodeError as error:
                    _report(error, where=f"{name}, line {number}", replace=replace)
                    text = bare.decode("utf-8", errors="replace")
                yield text.removeprefix("\ufeff") if number == 1 else text
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: cannot be read after line {number} ({error})") from None


def _report(error: UnicodeDecodeError, *, where: str, replace: bool) -> None:
    mistake = f"{where}: not UTF-8 ({error.reason})"
    if not replace:
        raise DataError(f"{mistake}; convert the file with iconv") from None
    warnings.warn(f"{mistake}; U+FFFD stands for what cannot be decoded", stacklevel=3)


def _open(path: Path | None) -> AbstractContextManager[Iterable[bytes]]:
    if path is None:
        return nullcontext(sys.stdin.buffer)
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def parallel(source: Path, target: Path) -> Iterator[tuple[str, str]]:
    """Returns the lines of two files side by side.

    Raises:
        DataError: one file has more lines than the other.
    """
    return side_by_side(
        lines(source),
        lines(target),
        names=(source, target),
        remedy=": line n of one must be the translation of line n of the other",
    )


def side_by_side(
    first: Iterable[_First],
    second: Iterable[_Second],
    *,
    names: tuple[Path | str, Path | str],
    remedy: str = "; they must correspond line for line",
) -> Iterator[tuple[_First, _Second]]:
    """Yields what two files say of the same sentence; `names` are the files'.

    Raises:
        DataError: one file has more lines than the other; the message ends with `remedy`.
    """
    counts = [0, 0]
    for left, right in zip_longest(first, second):
        counts = [counts[0] + (left is not None), counts[1] + (right is not None)]
        if left is not None and right is not None:
            yield left, right
    if counts[0] != counts[1]:
        raise DataError(f"{names[0]} has {counts[0]} lines and {names[1]} has {counts[1]}{remedy}")


def tab_separated(path: Path, *, columns: tuple[str, str] | None) -> Iterator[tuple[str, str]]:
    """Yields two columns of a TSV file; a quote is a character like any other.

    Without `columns` the file has exactly two and no header; otherwise its first line names them.

    Raises:
        DataError: a named column is missing, or a line has too few or too many columns.
    """
    rows = enumerate((line.split("\t") for line in lines(path)), start=1)
    names = ["source", "target"]
    if columns is not None:
        _, names = next(rows, (1, []))
    first, second = (position(name, names, where=path) for name in columns or names)
    for number, row in rows:
        if len(row) != len(names):
            raise DataError(
                f"{path}, line {number}: {len(row)} tab-separated columns, not {len(names)}; "
                "a file with a header or further columns needs `columns: [SOURCE, TARGET]`"
            )
        yield row[first], row[second]


def position(name: str, names: Sequence[str], *, where: object) -> int:
    """Returns the place of a column.

    Raises:
        DataError: there is no such column.
    """
    if name not in names:
        raise DataError(
            f"{where}: no column {name!r}; there are: {', '.join(names) or 'none'}; "
            "choose with `columns: [SOURCE, TARGET]`"
        )
    return list(names).index(name)


def json_objects(path: Path, *, columns: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """Yields two fields of each object, or of the `translation` object in it.

    The file holds an object a line, or one array of objects.

    Raises:
        DataError: a line is not JSON, or a field is missing or not text.
    """
    for where, row in _json_rows(path):
        if not isinstance(row, dict):
            raise DataError(f"{where}: not a JSON object")
        nested = row.get("translation")
        fields = nested if isinstance(nested, dict) and columns[0] not in row else row
        for name in columns:
            position(name, list(fields), where=where)
            _check_text(fields[name], where=f"{where}, {name!r}")
        yield fields[columns[0]], fields[columns[1]]


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    start = next((line for line in lines(path) if line.strip()), "")
    if start.lstrip().startswith("["):
        rows = _parse("\n".join(lines(path)), where=str(path))
        yield from ((f"{path}, object {number}", row) for number, row in enumerate(rows, start=1))
        return
    for number, line in enumerate(lines(path), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, _parse(line, where=where)


def _parse(text: str, *, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: not valid JSON ({error})") from None
    except (ValueError, RecursionError):
        raise DataError(
            f"{where}: not valid JSON (nested too deeply, or a number of too many digits)"
        ) from None


def _check_text(value: object, *, where: str) -> None:
    if not isinstance(value, str):
        raise DataError(f"{where}: {json.dumps(value)} where text was expected")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError(f"{where}: half of a surrogate pair, which is no character") from None
