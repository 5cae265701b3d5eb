"""Rows of TSV and JSON: the columns of a corpus in them, and what is refused.

A blank line of JSON is nothing in a corpus. Where each line has a result, it is an empty sentence.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt.arguments import check_whole
from nmt.counting import counted
from nmt.data.files import lines
from nmt.errors import DataError

_COLUMNS = "`columns: [SOURCE, TARGET]` in a configuration, or --columns SOURCE,TARGET without one"
CHOOSE = f"choose with {_COLUMNS}"
RENAME = "name the one to read so; in TSV, the first line has the names"


def tab_separated(
    path: Path,
    *,
    columns: tuple[str, str] | None,
    languages: tuple[str, str] | None = None,
    remedy: str = CHOOSE,
) -> Iterator[tuple[str, str]]:
    """Yields two columns of a TSV file; quotes have no special meaning.

    Without `columns`, the file has two columns and no header; otherwise the first line is a header,
    and `remedy` is that of `position`.

    Raises:
        DataError: a named column is missing, a line has too few or too many columns, or without
            `columns` the first line has nothing but the codes of the two languages.
    """
    rows = enumerate((line.split("\t") for line in lines(path)), start=1)
    names = ["source", "target"]
    if columns is not None:
        _, names = next(rows, (1, list(columns)))
    chosen = columns or names
    first, second = (position(name, names, where=path, remedy=remedy) for name in chosen)
    for number, row in rows:
        if columns is None and number == 1 and languages and sorted(row) == sorted(languages):
            raise DataError(f"{path}, line 1: a header, {' and '.join(row)}; {CHOOSE}")
        if len(row) != len(names):
            mistake = _of_other_columns(row, len(names), headed=columns is not None)
            raise DataError(f"{path}, line {number}: {mistake}")
        yield row[first], row[second]


def _of_other_columns(row: Sequence[str], number: int, *, headed: bool) -> str:
    """Returns what is wrong with a row that has not this number of columns, and the remedy."""
    if not "".join(row).strip():
        return "blank; remove the line"
    found = f"{counted(len(row), 'column')} between tabs, not {number}"
    if headed:
        return f"{found} as in the header; put the tabs right"
    return f"{found}; a file with a header or further columns needs {_COLUMNS}"


def position(name: str, names: Sequence[str], *, where: object, remedy: str = CHOOSE) -> int:
    """Returns the index of a column among the names of all columns.

    Raises:
        DataError: there is no such column; the message ends with the remedy.
    """
    if name not in names:
        others = ", ".join(names) or "none"
        raise DataError(f"{where}: no column {name!r}; there are: {others}; {remedy}")
    return list(names).index(name)


def json_objects(
    path: Path, *, columns: tuple[str, str], remedy: str = CHOOSE
) -> Iterator[tuple[str, str]]:
    """Yields two fields of each object in a file, or of the object `translation` in it.

    The file has one object per line, or is an array of objects. `remedy` is that of `position`.

    Raises:
        DataError: the file is not JSON, or a field is missing or not text.
    """
    for where, row in json_rows(path):
        yield pair_in(row, columns=columns, where=where, remedy=remedy)


def pair_in(
    row: Mapping[str, Any], *, columns: tuple[str, str], where: str, remedy: str = CHOOSE
) -> tuple[str, str]:
    """Returns two fields of a mapping, or of the mapping `translation` in it.

    Raises:
        DataError: a field is missing or not text; `where` begins the message.
    """
    nested = row.get("translation")
    fields = nested if isinstance(nested, dict) and columns[0] not in row else row
    for name in columns:
        position(name, list(fields), where=where, remedy=remedy)
        check_text(fields[name], where=f"{where}, {name!r}")
    return fields[columns[0]], fields[columns[1]]


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the objects in a file of JSON, each after its position for messages.

    Raises:
        DataError: the file is not JSON, or has something else than objects.
    """
    start = next((line for line in lines(path) if line.strip()), "")
    if start.lstrip().startswith("["):
        for number, row in enumerate(_parsed("\n".join(lines(path)), where=str(path)), start=1):
            where = f"{path}, object {number}"
            yield where, _checked(row, where=where)
        return
    for number, line in enumerate(lines(path), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, json_object(line, where=where)


def json_object(text: str, *, where: str) -> dict[str, Any]:
    """Returns the object that a text in JSON stands for.

    Raises:
        DataError: it is not JSON, or no object; `where` begins the message.
    """
    return _checked(_parsed(text, where=where), where=where)


def _checked(row: object, *, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise DataError(f"{where}: not a JSON object")
    return row


def _parsed(text: str, *, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text else ""
        mistake = f"{error.msg} at {line}column {error.colno}"
        raise DataError(f"{where}: not valid JSON ({mistake})") from None
    except (ValueError, RecursionError):
        raise DataError(
            f"{where}: not valid JSON (nested too deeply, or a number of too many digits)"
        ) from None


def check_text(value: object, *, where: str) -> None:
    """Checks that a value from a file is text, of whole characters.

    Raises:
        DataError: it is not; `where` begins the message.
    """
    if not isinstance(value, str):
        raise DataError(f"{where}: {json.dumps(value, default=str)} where text was expected")
    check_whole(value, name=where)
