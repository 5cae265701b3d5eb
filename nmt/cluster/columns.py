"""The sentences of a file: lines of text, or a column of Parquet or JSON lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nmt.config.endings import suffix
from nmt.data import files, tabular
from nmt.errors import DataError

TABLES = (".jsonl", ".parquet")
REMEDY = "choose with --column NAME"


def has_columns(path: Path) -> bool:
    """Returns whether a file has columns with names, and is not lines of text."""
    return suffix(path) in TABLES


def texts(path: Path, column: str, *, replace: bool = False) -> Iterator[str]:
    """Yields the sentence of each line, or of each row of a table, where it is in a column.

    A sentence is one line: line breaks in a table become spaces. For `replace` see `files.lines`.

    Raises:
        DataError: the file cannot be read, or a row has no text in the column.
    """
    lines = files.lines(path, replace=replace)
    if not has_columns(path):
        return lines
    rows = _parquet(path, column) if suffix(path) == ".parquet" else _json(lines, path, column)
    return (_text(value, where=f"{where}, {column!r}") for where, value in rows)


def pairs(paths: Sequence[Path], columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the sentences of two files, or of two columns of one, side by side.

    Raises:
        DataError: see `texts`; or one of them has more lines than the other.
    """
    source, target = (texts(*each) for each in zip(paths, columns, strict=True))
    return files.side_by_side(source, target, names=(paths[0], paths[1]))


def _json(lines: Iterator[str], path: Path, column: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number}"
        if line.strip():
            row = tabular.json_object(line, where=where)
            tabular.position(column, list(row), where=where, remedy=REMEDY)
            yield where, row[column]
        else:
            yield where, ""


def _parquet(path: Path, column: str) -> Iterator[tuple[str, Any]]:
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            tabular.position(column, table.schema_arrow.names, where=path, remedy=REMEDY)
            for batch in table.iter_batches(columns=[column]):
                for value in batch.column(0).to_pylist():
                    number += 1
                    yield f"{path}, row {number}", value
    except (OSError, ValueError) as error:  # pyarrow.ArrowInvalid is a ValueError
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read after row {number} ({reason})") from None


def _text(value: object, *, where: str) -> str:
    tabular.check_text(value, where=where)
    return files.one_line(str(value))
