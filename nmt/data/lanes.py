"""Lanes: a corpus whose files are read side by side, through Hugging Face datasets.

The files are dealt out to the lanes, so that what is held at a time has pairs of several files.
Each lane is a data set that tells where it is and goes on there.
"""

import glob
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import pyarrow.parquet as pq
from datasets import IterableDataset

from nmt.config import CorpusConfig, DataConfig
from nmt.config.endings import COMPRESSED, STREAMED, is_table, is_url, suffix
from nmt.data import files, tables, tabular, texts
from nmt.errors import DataError, UserError

LANES = 8  # of a corpus at most: each has a file open
State = dict[str, Any]  # what datasets say of where they are; JSON


class Row(NamedTuple):
    """A pair as it was read, and the number of its corpus."""

    corpus: int
    pair: texts.Pair


@dataclass(frozen=True)
class Lane:
    """Some files of a corpus, one after the other: every `of`-th one, from number `first` on."""

    corpus: int
    whole: IterableDataset
    first: int
    of: int
    columns: tuple[str, str]
    where: str  # for messages
    far: bool  # whether it comes from the hub or a URL

    def read(
        self, size: int, *, order: int, state: State | None
    ) -> Iterator[tuple[list[Row], State]]:
        """Yields `size` rows at a time, and the state after them, from a state on."""
        pairs = self.whole.shard(self.of, self.first, contiguous=False)
        pairs.set_epoch(order)
        if state is not None:
            pairs.load_state_dict(state)
        with _readable(self.where, self.columns, far=self.far):
            for batch in pairs.iter(size):
                values = zip(*batch.values(), strict=True)
                rows = [self._row(dict(zip(batch, row, strict=True))) for row in values]
                yield rows, pairs.state_dict()

    def _row(self, row: Mapping[str, Any]) -> Row:
        source, target = tabular.pair_in(row, columns=self.columns, where=self.where)
        return Row(self.corpus, (files.one_line(source), files.one_line(target)))


def sizes(data: DataConfig) -> list[tuple[str, int]]:
    """Returns the names, without folders, and sizes in bytes of the local files of a stream.

    Raises:
        DataError: a file is missing.
    """
    local = [each for each in data.corpora if not _is_far(each)]
    parts = [part for each in local for part in _parts(each, each.languages or data.languages)]
    return [(path.name, path.stat().st_size) for part in parts for path in part]


def _is_far(chosen: CorpusConfig) -> bool:
    return chosen.hub is not None or is_url(chosen.path or "")


def of_corpus(data: DataConfig, number: int) -> list[Lane]:
    """Opens the corpus of this number.

    Raises:
        DataError: it is missing, or cannot be opened.
    """
    chosen = data.corpora[number]
    languages = chosen.languages or data.languages
    columns = chosen.columns or languages
    where = f"dataset {chosen.hub}" if chosen.hub is not None else str(chosen.path or chosen.source)
    far = _is_far(chosen)
    with _readable(where, columns, far=far):
        opened, of_rows = _opened(chosen, languages)
    lanes = min(LANES, opened.num_shards)
    names = columns if of_rows else tables.SIDES
    return [Lane(number, opened, lane, lanes, names, where, far) for lane in range(lanes)]


def _opened(chosen: CorpusConfig, languages: tuple[str, str]) -> tuple[IterableDataset, bool]:
    """Returns a data set, and whether it has the columns of the corpus, not source and target."""
    path = chosen.path or ""
    if chosen.hub is not None:
        found = datasets.load_dataset(chosen.hub, chosen.subset, split=chosen.split, streaming=True)
        return found, True
    if is_url(path):
        return _builder(path, path), True
    parts = _parts(chosen, languages)
    if suffix(path) == ".parquet":
        found = {name: _columns(name, chosen.columns or languages) for [name] in parts}
        if not (names := [name for name, columns in found.items() if columns]):
            raise DataError(f"{path}: the corpus is empty")
        escaped = [glob.escape(str(name)) for name in names]
        return _builder(path, escaped, columns=found[names[0]]), True
    settings = {
        "parts": [tuple(map(str, part)) for part in parts],
        "languages": languages,
        "columns": chosen.columns,
    }
    return IterableDataset.from_generator(_rows, gen_kwargs=settings), False


def _builder(path: str, found: str | list[str], **settings: Any) -> IterableDataset:
    builder = STREAMED[suffix(path)]
    return datasets.load_dataset(
        builder, data_files=found, split="train", streaming=True, **settings
    )


def _columns(path: Path, columns: tuple[str, str]) -> list[str]:
    """Returns the columns that have the pairs of a Parquet file: both, or `translation`.

    Files of other columns besides can be read together. If there are no rows, which datasets
    cannot read, there are none.

    Raises:
        DataError: it cannot be read, or has no such columns.
    """
    with tables.readable(path):
        metadata = pq.read_metadata(path)
    names = metadata.schema.to_arrow_schema().names
    chosen = list(columns)
    if columns[0] not in names and "translation" in names:
        chosen = ["translation"]
    for name in chosen:
        tabular.position(name, names, where=path)
    return chosen if metadata.num_rows else []


def _parts(chosen: CorpusConfig, languages: tuple[str, str]) -> list[list[Path]]:
    """Returns the files of each part of a corpus: of both texts, or of one table.

    Raises:
        DataError: there are none, or the translation of a text is missing.
    """
    path = chosen.path
    try:
        return [texts.find(chosen, languages)]  # first of all, for a name may have brackets
    except DataError:
        if path is None or not glob.has_magic(path):
            raise
    if is_table(path):
        names = set(files.matching(path))
    else:
        ends = [f".{languages[0]}{zipped}" for zipped in ("", *COMPRESSED)]
        names = {name.removesuffix(end) for end in ends for name in files.matching(path + end)}
    if not names:
        raise DataError(f"{path}: no such files")
    return [texts.find(CorpusConfig(path=name), languages) for name in sorted(names)]


def _rows(
    parts: Sequence[tuple[str, ...]],
    languages: tuple[str, str],
    columns: tuple[str, str] | None,
) -> Iterator[dict[str, str]]:
    for part in parts:
        paths = map(Path, part)
        for source, target in texts.pairs(
            *paths, languages=languages, columns=columns, may_be_empty=True
        ):
            yield {"source": source, "target": target}


@contextmanager
def _readable(where: str, columns: tuple[str, str], *, far: bool) -> Iterator[None]:
    """Reports what libraries raise as one line that names the corpus.

    Those that read from `far` away have exceptions of their own, each of them others.
    """
    try:
        yield
    except UserError:
        raise
    except ConnectionError:
        raise tables.unreachable(where, columns) from None
    except ImportError as error:
        raise DataError(f"{where}: {tables.reason(error)}: install it to read this") from None
    except StopIteration:  # of an empty file of JSON lines
        raise DataError(f"{where}: the corpus is empty") from None
    except Exception as error:
        if not far and not isinstance(error, tables.UNREADABLE):
            raise
        raise DataError(f"{where}: {tables.reason(error)}") from None
