"""Parallel corpora as memory-mapped tables: reading them, encoding them, filtering pairs."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, Features, List, Value

from nmt.config import CorpusConfig, DataConfig, InputConfig, SamplingConfig, TextInputConfig
from nmt.config.corpora import EFLOMAL
from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.data import eflomal_links, embedded, files, fingerprints, given, links, tables, texts
from nmt.data.report import FilterReport
from nmt.data.tables import SIDES
from nmt.data.tokenizers import Tokenizers
from nmt.errors import DataError

TEXT = Features({side: Value("string") for side in SIDES})
IDS = Features({side: List(Value("int32")) for side in SIDES})
TEXT_INPUT = TextInputConfig()

Indices = Sequence[int] | npt.NDArray[np.integer[Any]]


def load(
    corpus: CorpusConfig,
    *,
    source: str,
    target: str,
    word_boundaries: WordBoundaries = WORD_BOUNDARIES,
    input: InputConfig = TEXT_INPUT,
) -> Dataset:
    """Returns the pairs of a corpus: the columns `source` and `target`, of type string.

    Sources that are not text are as `nmt.data.given` says. With `alignments` there is a third
    column, `links`; see `nmt.data.links`. The text is in a memory-mapped file, so it may be larger
    than memory. The file stays in `caches.corpora` and is used again as long as the text is the
    same; that of a Parquet file, as long as its path, size and time of change are the same.

    Args:
        corpus: Paths, or the name of a dataset.
        source: The code of the source language: a file suffix, or the name of a column.
        target: The code of the target language.
        word_boundaries: What divides the words that `alignments` count.
        input: What a source is.

    Raises:
        DataError: the corpus is missing, damaged or empty.
    """
    if not isinstance(input, TextInputConfig):
        return given.load(corpus, input.build(), languages=(source, target))
    text = _text(corpus, languages=(source, target))
    if corpus.alignments is None:
        return text
    if corpus.alignments == EFLOMAL:
        return links.attach(
            text, eflomal_links.links_file(text), word_boundaries="unicode", certain=True
        )
    path = files.find_stored(corpus.alignments)
    return links.attach(text, path, word_boundaries=word_boundaries)


def _text(corpus: CorpusConfig, *, languages: tuple[str, str]) -> Dataset:
    if tables.is_stored(corpus):
        return _in_lines(tables.read(corpus, languages=languages)[0])
    if corpus.path == "embedded":
        pairs = embedded.pairs(corpus.split)
        columns = {side: [getattr(pair, side) for pair in pairs] for side in SIDES}
        return Dataset.from_dict(columns, features=TEXT)
    return _from_files(corpus, languages=languages)


def encode(
    text: Dataset,
    tokenizers: Tokenizers,
    *,
    input: InputConfig = TEXT_INPUT,
    sampling: SamplingConfig | None = None,
    seed: int = 0,
) -> Dataset:
    """Returns the pairs as int32 ids, each with `eos` at its end, in the order of the model.

    A source that is not text is an array, (positions, size) and without an end.

    With `sampling`, segmentations are sampled: the same seed gives the same ones. They are kept in
    memory and not in the cache, since each epoch has its own. So are the ids of a text in memory.
    """
    reader = None if isinstance(input, TextInputConfig) else input.build()

    def encode_rows(rows: Mapping[str, list[Any]], numbers: list[int]) -> dict[str, Any]:
        encoded = {}
        if reader is not None:
            encoded["source"] = reader.arrays(rows["source"], before=numbers[0])
        for place, side in enumerate(SIDES):
            if side in encoded:
                continue
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

    made_of: list[object] = [tokenizers.fingerprint, sampling, seed]
    features = Features({**text.features, **IDS})
    if reader is not None:
        made_of += [input.reading, reader.state(text)]
        features["source"] = reader.feature
    return text.map(
        encode_rows,
        batched=True,
        with_indices=True,
        features=features,
        keep_in_memory=sampling is not None or not text.cache_files,
        new_fingerprint=fingerprints.of_result(text, *made_of),
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
        limits: `max_length` counts `eos`, and `max_length_ratio` does not. That is for text alone.
    """
    sizes, is_text = lengths(encoded), isinstance(limits.input, TextInputConfig)
    words = sizes - (is_text, True)  # without `eos`
    longer, shorter = words.max(axis=1), words.min(axis=1)
    broken = {
        "empty": shorter < 1,
        "too long": (sizes > limits.longest).any(axis=1),
        "of too uneven length": is_text & (longer > limits.max_length_ratio * shorter),
    }
    reasons = np.select(list(broken.values()), range(1, len(broken) + 1))  # the first that is true
    report = FilterReport.of(list(broken), reasons)
    return encoded.select(np.flatnonzero(reasons == 0)), report


def lengths(encoded: Dataset) -> npt.NDArray[np.int32]:
    """Returns the numbers of positions, of shape (pairs, 2): source and target."""
    batches = encoded.with_format("arrow").iter(batch_size=2_000)
    counts = [
        np.stack([pc.list_value_length(table[side]).to_numpy() for side in SIDES], axis=1)
        for table in batches
    ]
    return np.concatenate([np.empty((0, 2)), *counts]).astype(np.int32)


def rows(
    encoded: Dataset, indices: Indices
) -> list[tuple[npt.NDArray[Any], npt.NDArray[np.int32]]]:
    """Returns source and target of the encoded pairs with the given indices, in their order."""
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


def _lists(column: pa.ChunkedArray) -> list[npt.NDArray[Any]]:
    """Returns the lists of a column as arrays, in which lists of one size are rows."""
    lists = column.combine_chunks()
    items = lists.values
    if pa.types.is_fixed_size_list(items.type):
        values = items.flatten().to_numpy().reshape(-1, items.type.list_size)
    else:
        values = items.to_numpy()
    return [values[start:end] for start, end in pairwise(lists.offsets.tolist())]


def _from_files(corpus: CorpusConfig, *, languages: tuple[str, str]) -> Dataset:
    return tables.generated(_pairs, TEXT, given.listed(corpus, languages=languages))


def _pairs(
    paths: tuple[str, ...],
    languages: tuple[str, str],
    columns: tuple[str, str] | None,
    digest: str,  # not used here: it is part of the key of the pairs in the cache
) -> Iterator[dict[str, str]]:
    found = texts.pairs(*map(Path, paths), languages=languages, columns=columns)
    return ({"source": source, "target": target} for source, target in found)


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
