"""Bucketing: sentence pairs are padded to one of a few fixed sizes and grouped into batches.

The plan of an epoch is a pure function of (lengths, buckets, seed, epoch). An epoch and an index
identify a batch, so a resumed run does not repeat earlier batches to find its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nmt.config import BatchConfig, InputShape, SentenceBatchConfig
from nmt.errors import ConfigError

PairLengths = npt.NDArray[np.int32]  # (pairs, 2): source and target pieces, with their ends
Sentence = npt.NDArray[Any] | Sequence[int]  # ids of pieces, or the vectors of a given source
GRID = 64  # candidate bucket lengths on each side; more take time and save no padding


class Batch(NamedTuple):
    """Padded ids with the lengths of the sentences; rows of length zero are padding too."""

    source: npt.NDArray[Any]  # (batch, src), or of given vectors (batch, src, size)
    source_lengths: npt.NDArray[np.int32]  # (batch,)
    target: npt.NDArray[np.int32]  # (batch, tgt)
    target_lengths: npt.NDArray[np.int32]  # (batch,)
    links: npt.NDArray[np.bool_] | None = (
        None  # (batch, tgt, src): linked pieces, which guide attention
    )


@dataclass(frozen=True)
class Bucket:
    """The size of a batch: number of sentence pairs, source and target length in pieces."""

    rows: int
    source: int
    target: int


@dataclass(frozen=True)
class PlannedBatch:
    """A batch that is not read yet: its bucket and the indices of its pairs in the corpus."""

    bucket: Bucket
    pairs: npt.NDArray[np.int64]


def choose_buckets(lengths: PairLengths, config: BatchConfig, *, devices: int = 1) -> list[Bucket]:
    """Chooses at most `config.buckets` buckets, smallest first, with little padding.

    A pair goes into the smallest bucket that holds both its sides; the largest one holds every
    pair. The search is greedy: it adds the bucket that saves most padding, one after the other;
    then it replaces each in turn by the best one beside the others, until nothing changes.

    Raises:
        ConfigError: a pair has more tokens than a batch may have.
    """
    sides, counts = np.unique(_coarse(lengths), axis=0, return_counts=True)
    source, target = np.unique(sides[:, 0]), np.unique(sides[:, 1])
    buckets = np.stack(np.meshgrid(source, target, indexing="ij"), axis=-1).reshape(-1, 2)
    holds = (sides <= buckets[:, None, :]).all(axis=-1)  # (buckets, distinct lengths)
    padded = np.where(holds, buckets.sum(axis=1, keepdims=True), np.iinfo(np.int64).max)

    def best_beside(chosen: list[int]) -> int:
        now = padded[chosen].min(axis=0)
        return int((counts * np.maximum(now - padded, 0)).sum(axis=1).argmax())

    chosen = [len(buckets) - 1]
    while len(chosen) < min(config.buckets, len(buckets)):
        chosen.append(best_beside(chosen))
    while True:
        before = list(chosen)
        for index in range(1, len(chosen)):
            chosen[index] = best_beside(chosen[:index] + chosen[index + 1 :])
        if chosen == before:
            break
    ordered = sorted(
        {tuple(map(int, buckets[index])) for index in chosen},
        key=lambda bucket: (sum(bucket), bucket),
    )
    return [Bucket(_rows(max(bucket), config, devices), *bucket) for bucket in ordered]


def tokens_needed(lengths: PairLengths, *, devices: int) -> int:
    """Returns how many tokens a batch must have for a pair of the longest on each device."""
    return int(_coarse(lengths).max()) * devices


def plan_epoch(
    lengths: PairLengths,
    buckets: Sequence[Bucket],
    *,
    seed: int,
    epoch: int,
    part: int = 0,
    rows: npt.NDArray[np.int64] | None = None,
) -> list[PlannedBatch]:
    """Puts every pair into one batch, and shuffles the pairs and the batches.

    The pairs are those of a whole epoch, or of a part of it that is planned separately. With
    `rows`, they are those rows of `lengths` only, in a batch each time that they occur. Pairs that
    do not fill a batch of their own bucket move to the next larger one, so that few batches have
    empty rows.
    """
    random = np.random.default_rng([seed, epoch, part])
    fits = _fits(lengths, buckets)
    rows = np.arange(len(lengths)) if rows is None else rows
    home = fits.argmax(axis=0)[rows]
    batches: list[PlannedBatch] = []
    left = np.empty(0, np.int64)
    for index, bucket in enumerate(buckets):
        own = random.permutation(rows[home == index])
        movable = left[fits[index, left]]
        pairs, waiting = np.concatenate([movable, own]), left[~fits[index, left]]
        full = len(pairs) // bucket.rows * bucket.rows
        batches += _batches(bucket, pairs[:full])
        left = np.concatenate([waiting, pairs[full:]])
    batches += _batches(buckets[-1], left)
    return [batches[index] for index in random.permutation(len(batches))]


def in_order(lengths: PairLengths, buckets: Sequence[Bucket]) -> list[PlannedBatch]:
    """Puts every pair into one batch, in order and not shuffled: for validation."""
    home = _fits(lengths, buckets).argmax(axis=0)
    return [
        batch
        for index, bucket in enumerate(buckets)
        for batch in _batches(bucket, np.flatnonzero(home == index))
    ]


def _batches(bucket: Bucket, pairs: npt.NDArray[np.int64]) -> list[PlannedBatch]:
    """Cuts pairs into batches of one bucket, of which the last one may have empty rows."""
    starts = range(0, len(pairs), bucket.rows)
    return [PlannedBatch(bucket, pairs[start : start + bucket.rows]) for start in starts]


def pad(
    pairs: Sequence[tuple[Sentence, Sentence]],
    bucket: Bucket,
    *,
    links: Sequence[npt.NDArray[np.int32]] | None = None,
    shape: InputShape | None = None,
) -> Batch:
    """Returns a batch of (source, target) ids, padded with zeros to the size of the bucket.

    Missing rows have length zero. `links` has an array for each pair, if given: the (links, 2)
    source and target positions of linked pieces. Sources that are not ids have a `shape`.
    """
    sources = [pair[0] for pair in pairs]
    source, source_lengths = pad_side(sources, bucket.rows, bucket.source, shape)
    target, target_lengths = pad_side([pair[1] for pair in pairs], bucket.rows, bucket.target)
    linked = None
    if links is not None:
        linked = np.zeros((bucket.rows, bucket.target, bucket.source), np.bool_)
        for row, places in enumerate(links):
            linked[row, places[:, 1], places[:, 0]] = True
    return Batch(source, source_lengths, target, target_lengths, linked)


def pad_side(
    sentences: Sequence[Sentence], rows: int, length: int, shape: InputShape | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32]]:
    """Returns (rows, length) ids, padded with zeros, and the (rows,) lengths.

    Vectors in place of ids, which have a `shape`, have a third axis and their own type.
    """
    if shape is None:
        tokens = np.zeros((rows, length), np.int32)
    else:
        tokens = np.zeros((rows, length, shape.size), shape.dtype)
    lengths = np.zeros(rows, np.int32)
    for row, sentence in enumerate(sentences):
        tokens[row, : len(sentence)] = sentence
        lengths[row] = len(sentence)
    return tokens, lengths


def _fits(lengths: PairLengths, buckets: Sequence[Bucket]) -> npt.NDArray[np.bool_]:
    """Returns whether both sides of a pair fit into a bucket, of shape (buckets, pairs)."""
    return np.stack([(lengths <= (bucket.source, bucket.target)).all(axis=1) for bucket in buckets])


def _coarse(lengths: PairLengths) -> npt.NDArray[np.int64]:
    """Rounds lengths up to a grid of at most GRID values on each side."""
    step = np.maximum(1, -(-lengths.max(axis=0).astype(np.int64) // GRID))
    return -(-lengths.astype(np.int64) // step) * step


def _rows(longest: int, config: BatchConfig, devices: int) -> int:
    """Returns how many pairs a batch may have, a multiple of the number of devices."""
    if isinstance(config, SentenceBatchConfig):
        return max(1, config.sentences // devices) * devices
    if config.tokens < longest * devices:
        raise ConfigError(
            f"data.batch.tokens is {config.tokens}, but a batch of the longest sentences has "
            f"{longest * devices}: one of {longest} pieces on each of the devices; "
            "raise data.batch.tokens to that or more, or lower data.max_length"
        )
    return config.tokens // longest // devices * devices
