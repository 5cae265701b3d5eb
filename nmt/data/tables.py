"""Tables of Parquet files and of the hub: reading them, and choosing the columns of a corpus."""

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import Dataset, Features, Value

from nmt import caches
from nmt.config import CorpusConfig
from nmt.config.endings import suffix
from nmt.data import files, tabular
from nmt.errors import DataError

SIDES = ("source", "target")
UNREADABLE = (OSError, ValueError, datasets.exceptions.DatasetsError)


def generated(generator: Any, features: Features, made_of: dict[str, Any]) -> Dataset:
    """Returns the rows that a function yields from these arguments, kept in the cache.

    They are known again by the arguments, among which is a digest of what is read.
    """
    cache = str(caches.corpora())
    try:
        return Dataset.from_generator(
            generator, features=features, gen_kwargs=made_of, cache_dir=cache
        )
    except datasets.exceptions.DatasetGenerationError as error:
        raise error.__cause__ or error from None


def is_stored(corpus: CorpusConfig) -> bool:
    """Returns whether a corpus is such a table, and not files of text or JSON."""
    return corpus.hub is not None or suffix(corpus.path or "") == ".parquet"


def read(
    corpus: CorpusConfig, *, languages: tuple[str, str], text: Sequence[str] = SIDES
) -> tuple[Dataset, str]:
    """Returns the chosen columns of a table as `source` and `target`, and its name in messages.

    Raises:
        DataError: the table is missing, damaged or empty, or has no such column, or a side that
            should be `text` is something else.
    """
    columns = corpus.columns or languages
    if corpus.hub is not None:
        where, dataset = f"dataset {corpus.hub}", _from_hub(corpus, columns=columns)
    else:
        assert corpus.path is not None  # the caller makes sure of it
        path = files.find_stored(corpus.path)
        where, dataset = str(path), from_parquet(path)
    return _chosen(dataset, columns, where=where, text=text), where


def from_parquet(path: Path) -> Dataset:
    """Returns the rows of a Parquet file, kept in the cache.

    They are known again by the path of the file, its size and the time of its last change.

    Raises:
        DataError: it is damaged or empty.
    """
    with readable(path):
        if pq.read_metadata(path).num_rows == 0:  # from_parquet would report another error
            raise DataError(f"{path}: the corpus is empty")
        # By itself, `datasets` compares the path and the time. A name of its own tells the size.
        name, cache = f"parquet_{path.stat().st_size}", str(caches.corpora())
        pattern = glob.escape(str(path))  # for a name may have brackets
        return Dataset.from_parquet(pattern, cache_dir=cache, dataset_name=name)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what libraries raise of a damaged Parquet file into a DataError that names it."""
    try:
        yield
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as Parquet ({reason(error)})") from None


def column(path: Path, name: str) -> Dataset:
    """Returns a column of a Parquet file as `source`.

    Raises:
        DataError: the file is damaged or empty, or has no such column.
    """
    table = from_parquet(path)
    tabular.position(name, table.column_names, where=path, remedy=tabular.RENAME)
    return table.select_columns([name]).rename_columns({name: "source"})


def unreachable(where: str, columns: tuple[str, str]) -> DataError:
    """Returns the error that the hub cannot be reached."""
    return DataError(
        f"{where}: the Hugging Face hub cannot be reached; give local files instead: the path "
        f"PREFIX, as in data.train=PREFIX, reads PREFIX.{columns[0]} and PREFIX.{columns[1]}"
    )


def reason(error: Exception) -> str:
    """Returns in one line why a library could not read a corpus."""
    return str(error.__cause__ or error).partition("\n")[0]


def _from_hub(corpus: CorpusConfig, *, columns: tuple[str, str]) -> Dataset:
    where = f"dataset {corpus.hub}"
    own = Path(datasets.config.HF_DATASETS_CACHE)  # what other programs have loaded is there too
    cache = str(own if caches.can_be_written(own) else caches.corpora())
    try:
        return datasets.load_dataset(corpus.hub, corpus.subset, split=corpus.split, cache_dir=cache)
    except ConnectionError:
        raise unreachable(where, columns) from None
    except UNREADABLE as error:
        raise DataError(f"{where}: {reason(error)}") from None


def _chosen(
    dataset: Dataset, columns: Sequence[str], *, where: str, text: Sequence[str]
) -> Dataset:
    """Returns two columns, or fields of the column `translation`, as `source` and `target`.

    Text is of the type `string`, so that it can be joined to other corpora.
    """
    flat = dataset if set(columns) <= set(dataset.column_names) else dataset.flatten()
    if columns[0] not in flat.column_names:
        nested = [f"translation.{column}" for column in columns]
        columns = nested if nested[0] in flat.column_names else columns
    for name, side in zip(columns, SIDES, strict=True):
        tabular.position(name, flat.column_names, where=where)
        if side in text:
            _check_text(flat.data.column(name), name, where=where)
    names: dict[str, Any] = dict(zip(columns, SIDES, strict=True))
    chosen = flat.select_columns(list(columns)).rename_columns(names)
    features = Features({**chosen.features, **dict.fromkeys(text, Value("string"))})
    return chosen if features == chosen.features else chosen.cast(features)


def _check_text(values: pa.ChunkedArray, name: str, *, where: str) -> None:
    kinds = pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view
    if not any(is_kind(values.type) for is_kind in kinds):
        raise DataError(f"{where}: the column {name!r} holds {values.type}, not text")
    if values.null_count:
        number = pc.index(pc.is_null(values), True).as_py() + 1
        raise DataError(f"{where}: row {number} of the column {name!r} is null, not text")
