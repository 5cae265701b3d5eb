"""Parallel corpora as memory-mapped tables: reading text, encoding it, filtering pairs."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import Dataset, Features, List, Value

from nmt import caches
from nmt.config import CorpusConfig, DataConfig, SamplingConfig
from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.config.endings import suffix
from nmt.data import embedded, files, fingerprints, links, texts
from nmt.data.report import FilterReport
from nmt.data.tokenizer import Tokenizers
from nmt.errors import DataError

SIDES = ("source", "target")
TEXT = Features({side: Value("string") for side in SIDES})
IDS = Features({side: List(Value("int32")) for side in SIDES})
UNREADABLE = (OSError, ValueError, datasets.exceptions.DatasetsError)

Indices = Sequence[int] | npt.NDArray[np.integer[Any]]


def load(
    corpus: CorpusConfig,
    *,
    source: str,
    target: str,
    word_boundaries: WordBoundaries = WORD_BOUNDARIES,
) -> Dataset:
    """Returns the pairs of a corpus: the columns `source` and `target`, of type string.

    With `alignments` there is a third column, `links`; see `nmt.data.links`. The text is in a
    memory-mapped file, so it may be larger than memory. The file stays in `caches.corpora` and is
    used again as long as the text is the same.

    Args:
        corpus: Paths, or the name of a dataset.
        source: The code of the source language: a file suffix, or the name of a column.
        target: The code of the target language.
        word_boundaries: What divides the words that `alignments` count.

    Raises:
        DataError: the corpus is missing, damaged or empty.
    """
    text = _text(corpus, languages=(source, target))
    if corpus.alignments is None:
        return text
    path = files.find_stored(corpus.alignments)
    return links.attach(text, path, word_boundaries=word_boundaries)


def _text(corpus: CorpusConfig, *, languages: tuple[str, str]) -> Dataset:
    if corpus.hub is not None:
        return _from_hub(corpus, columns=corpus.columns or languages)
    if corpus.path == "embedded":
        pairs = embedded.pairs(corpus.split)
        columns = {side: [getattr(pair, side) for pair in pairs] for side in SIDES}
        return Dataset.from_dict(columns, features=TEXT)
    if corpus.path is not None and suffix(corpus.path) == ".parquet":
        return _from_parquet(files.find_stored(corpus.path), columns=corpus.columns or languages)
    return _from_files(corpus, languages=languages)


def encode(
    text: Dataset, tokenizers: Tokenizers, *, sampling: SamplingConfig | None = None, seed: int = 0
) -> Dataset:
    """Returns the pairs as int32 ids, each with `eos` at its end, in the order of the model.

    With `sampling`, segmentations are sampled: the same seed gives the same ones. They are kept in
    memory and not in the cache, since each epoch has its own. So are the ids of a text in memory.
    """

    def encode_rows(rows: Mapping[str, list[str]], numbers: list[int]) -> dict[str, Any]:
        encoded = {}
        for place, side in enumerate(SIDES):
            tokenizer = getattr(tokenizers, side)
            if sampling is None:
                ids = tokenizer.encode_batch(rows[side])
            else:
                own = int(np.random.SeedSequence([seed, numbers[0], place]).generate_state(1)[0])
                ids = tokenizer.sample_batch(rows[side], sampling=sampling, seed=own)
            encoded[side] = [[*sentence, tokenizer.eos] for sentence in ids]
        if "links" in rows:
            encoded["links"] = links.of_pieces(rows, encoded, tokenizers)
        encoded["target"] = list(map(tokenizers.turned, encoded["target"]))
        return encoded

    return text.map(
        encode_rows,
        batched=True,
        with_indices=True,
        features=Features({**text.features, **IDS}),
        keep_in_memory=sampling is not None or not text.cache_files,
        new_fingerprint=fingerprints.of_result(text, tokenizers.fingerprint, sampling, seed),
    )


def filter_pairs(encoded: Dataset, limits: DataConfig) -> tuple[Dataset, FilterReport]:
    """Leaves out pairs that training cannot use, as `fitting` does.

    Raises:
        DataError: no pair is left.
    """
    pairs, report = fitting(encoded, limits)
    if report.kept == 0:
        raise DataError(
            f"no pair is left to train on: {report}; look at the corpus, or raise "
            f"data.max_length ({limits.max_length}) and "
            f"data.max_length_ratio ({limits.max_length_ratio})"
        )
    return pairs, report


def fitting(encoded: Dataset, limits: DataConfig) -> tuple[Dataset, FilterReport]:
    """Returns the pairs within the limits, perhaps none.

    Args:
        encoded: The pairs as ids.
        limits: `max_length` counts `eos`, and `max_length_ratio` does not.
    """
    sizes = lengths(encoded)
    longer, shorter = sizes.max(axis=1), sizes.min(axis=1)
    broken = {
        "empty": shorter <= 1,
        "too long": longer > limits.max_length,
        "of too uneven length": longer - 1 > limits.max_length_ratio * (shorter - 1),
    }
    reasons = np.select(list(broken.values()), range(1, len(broken) + 1))  # the first that is true
    report = FilterReport.of(list(broken), reasons)
    return encoded.select(np.flatnonzero(reasons == 0)), report


def lengths(encoded: Dataset) -> npt.NDArray[np.int32]:
    """Returns the numbers of ids, of shape (pairs, 2): source and target."""
    tables = encoded.with_format("arrow").iter(batch_size=10_000)
    counts = [
        np.stack([pc.list_value_length(table[side]).to_numpy() for side in SIDES], axis=1)
        for table in tables
    ]
    return np.concatenate([np.empty((0, 2)), *counts]).astype(np.int32)


def rows(
    encoded: Dataset, indices: Indices
) -> list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
    """Returns source ids and target ids of the pairs with the given indices, in their order."""
    table = encoded.with_format("arrow")[indices]
    return list(zip(*(_lists(table[side]) for side in SIDES), strict=True))


def linked(encoded: Dataset, indices: Indices) -> list[npt.NDArray[np.int32]] | None:
    """Returns (links, 2) source and target positions of the linked pieces of each of the pairs.

    The result is None for a corpus without alignments.
    """
    if "links" not in encoded.column_names:
        return None
    table = encoded.with_format("arrow", columns=["links"])[indices]
    return [places.reshape(-1, 2) for places in _lists(table["links"])]


def _lists(column: pa.ChunkedArray) -> list[npt.NDArray[np.int32]]:
    """Returns the lists of a column as arrays."""
    lists = column.combine_chunks()
    values = lists.values.to_numpy()
    return [values[start:end] for start, end in pairwise(lists.offsets.tolist())]


def _from_files(corpus: CorpusConfig, *, languages: tuple[str, str]) -> Dataset:
    paths = texts.find(corpus, languages)
    where = {
        "paths": tuple(str(path) for path in paths),
        "languages": languages,
        "columns": corpus.columns,
        "digest": " ".join(map(files.digest, paths)),
    }
    try:
        cache = str(caches.corpora())
        return Dataset.from_generator(_pairs, features=TEXT, gen_kwargs=where, cache_dir=cache)
    except datasets.exceptions.DatasetGenerationError as error:
        raise error.__cause__ or error from None


def _pairs(
    paths: tuple[str, ...],
    languages: tuple[str, str],
    columns: tuple[str, str] | None,
    digest: str,  # not used here: it is part of the key of the pairs in the cache
) -> Iterator[dict[str, str]]:
    found = texts.pairs(*map(Path, paths), languages=languages, columns=columns)
    return ({"source": source, "target": target} for source, target in found)


def _from_parquet(path: Path, *, columns: tuple[str, str]) -> Dataset:
    try:
        if pq.read_metadata(path).num_rows == 0:  # from_parquet would report another error
            raise DataError(f"{path}: the corpus is empty")
        dataset = Dataset.from_parquet(str(path), cache_dir=str(caches.corpora()))
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as Parquet ({reason(error)})") from None
    return _choose(dataset, columns, where=str(path))


def _from_hub(corpus: CorpusConfig, *, columns: tuple[str, str]) -> Dataset:
    where = f"dataset {corpus.hub}"
    own = Path(datasets.config.HF_DATASETS_CACHE)  # what other programs have loaded is there too
    cache = str(own if caches.can_be_written(own) else caches.corpora())
    try:
        dataset = datasets.load_dataset(
            corpus.hub, corpus.subset, split=corpus.split, cache_dir=cache
        )
    except ConnectionError:
        raise unreachable(where, columns) from None
    except UNREADABLE as error:
        raise DataError(f"{where}: {reason(error)}") from None
    return _choose(dataset, columns, where=where)


def unreachable(where: str, columns: tuple[str, str]) -> DataError:
    """Returns the error that the hub cannot be reached."""
    return DataError(
        f"{where}: the Hugging Face hub cannot be reached; give local files instead: the path "
        f"PREFIX, as in data.train=PREFIX, reads PREFIX.{columns[0]} and PREFIX.{columns[1]}"
    )


def reason(error: Exception) -> str:
    """Returns in one line why a library could not read a corpus."""
    return str(error.__cause__ or error).partition("\n")[0]


def _choose(dataset: Dataset, columns: tuple[str, str], *, where: str) -> Dataset:
    """Returns two columns, or fields of the column `translation`, as `source` and `target`."""
    flat = dataset.flatten()
    if columns[0] not in flat.column_names:
        nested = (f"translation.{columns[0]}", f"translation.{columns[1]}")
        columns = nested if nested[0] in flat.column_names else columns
    for name in columns:
        files.position(name, flat.column_names, where=where)
        column = flat.data.column(name)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise DataError(f"{where}: the column {name!r} holds {column.type}, not text")
        if column.null_count:
            number = pc.index(pc.is_null(column), True).as_py() + 1
            raise DataError(f"{where}: row {number} of the column {name!r} is null, not text")
    chosen = flat.select_columns(list(columns))
    return _in_lines(chosen.rename_columns(dict(zip(columns, SIDES, strict=True))))


def _in_lines(text: Dataset) -> Dataset:
    """Returns the pairs with spaces for line breaks."""
    breaks = f"[{files.LINE_BREAKS}]"
    if not any(
        pc.any(pc.match_substring_regex(text.data.column(side), breaks)).as_py() for side in SIDES
    ):
        return text
    return text.map(
        lambda rows: {side: list(map(files.one_line, rows[side])) for side in SIDES},
        batched=True,
        features=TEXT,
        new_fingerprint=fingerprints.of_result(text, "lines"),
    )
