"""The stream of training batches, from any progress on, prefetched by a thread."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import datasets
import numpy as np

from nmt import devices
from nmt.checkpoints import TrainingProgress
from nmt.config import Config, InputShape
from nmt.data import augmentation, corpus, mixing
from nmt.data.batching import (
    Batch,
    Bucket,
    PairLengths,
    PlannedBatch,
    choose_buckets,
    pad,
    plan_epoch,
)
from nmt.data.tokenizers import Tokenizers
from nmt.processes import ALONE, ProcessGroup
from nmt.training.step import shard

T = TypeVar("T")

PART = 2**15  # pairs that are segmented at a time: a few seconds of one core, some 20 MB


@dataclass(frozen=True)
class DataLoader:
    """Batches of a corpus; those of an epoch depend on corpus, seed and epoch alone.

    With subword sampling an epoch is divided into parts. Each is segmented, filtered and planned by
    itself, while batches of the previous part are trained on: memory does not grow with the
    corpus, no epoch waits for its segmentations, and a resumed run segments one part again. Without
    sampling the whole epoch is one part.
    """

    text: datasets.Dataset
    encoded: datasets.Dataset  # filtered
    tokenizers: Tokenizers
    config: Config
    processes: ProcessGroup = ALONE

    @cached_property
    def buckets(self) -> list[Bucket]:
        """The buckets that batches come in."""
        lengths = corpus.lengths(self._pairs(TrainingProgress()))
        if self.config.tokenizer.sampling is not None:
            lengths = with_longest(lengths, self.config.data.max_length)
        return buckets_of(lengths, self.config, self.processes)

    @cached_property
    def parts(self) -> int:
        """The number of parts of an epoch."""
        if self.config.tokenizer.sampling is None:
            return 1
        return -(-len(self._rows(self.text, 0)) // PART)

    @cached_property
    def batches_per_epoch(self) -> int:
        """The number of batches of the first epoch, if all its parts have as many as the first.

        Subword sampling, and weights of corpora that are no integers, make others differ a bit.
        """
        first = TrainingProgress()
        return self.parts * len(self._plan_of_part(self._pairs(first), first))

    def epochs(self, progress: TrainingProgress) -> float:
        """Returns how many epochs have been read at this progress.

        It never falls: a part with more batches than the first one is not over before the next.
        """
        batches = self.batches_per_epoch // self.parts
        within = min(progress.batch, batches - 1) / batches
        return progress.epoch + (progress.part + within) / self.parts

    def batches(
        self, start: TrainingProgress
    ) -> Generator[tuple[Any, TrainingProgress], None, None]:
        """Yields the rows of this process in each batch, sharded, and the progress after it.

        There is no end.
        """
        return prefetched(self._read(start))

    def sentences(self, progress: TrainingProgress) -> list[int]:
        """Returns the numbers, from 1, of the pairs of the corpus that the next batch holds."""
        numbers = self._members(progress) + 1
        pairs = self._kept(self._encoded(progress).add_column("number", numbers))
        planned = self._plan_of_part(pairs, progress)[progress.batch]
        return sorted(pairs[planned.pairs]["number"])

    def _read(self, start: TrainingProgress) -> Iterator[tuple[Any, TrainingProgress]]:
        for part, pairs, plan in prefetched(self._planned(start), depth=1):
            for index in range(part.batch, len(plan)):
                is_last = index + 1 == len(plan)
                after = self._next(part) if is_last else replace(part, batch=index + 1)
                yield shard(self._batch(pairs, plan[index], replace(part, batch=index))), after

    def _batch(
        self, pairs: datasets.Dataset, planned: PlannedBatch, progress: TrainingProgress
    ) -> Batch:
        """Returns the rows of this process in the batch at this progress, changed for training."""
        given = self.config.data.input
        batch = read_batch(pairs, planned, self.processes, given.shape)
        seed = [self.config.seed, progress.epoch, progress.part, progress.batch + 1]
        rows = self.processes.rows(planned.bucket.rows)
        return batch._replace(source=augmentation.changed(batch.source, given, rows, seed=seed))

    def _planned(
        self, part: TrainingProgress
    ) -> Iterator[tuple[TrainingProgress, datasets.Dataset, list[PlannedBatch]]]:
        """Yields parts from a given one on, with their pairs and batches; there is no end."""
        while True:
            pairs = self._pairs(part)
            yield part, pairs, self._plan_of_part(pairs, part)
            part = self._next(part)

    def _pairs(self, part: TrainingProgress) -> datasets.Dataset:
        """Returns the pairs of a part in pieces; without sampling, those of all epochs."""
        if self.config.tokenizer.sampling is None:
            return self.encoded
        if part.epoch == part.part == 0:
            return self._first
        return self._kept(self._encoded(part))

    @cached_property
    def _first(self) -> datasets.Dataset:
        """The sampled pairs of the first part, which decide on buckets and the count of batches.

        Sampled pieces are shorter, so that sentences have more of them than in `encoded`.
        """
        return self._kept(self._encoded(TrainingProgress()))

    def _next(self, part: TrainingProgress) -> TrainingProgress:
        """Returns the progress at the start of the next part."""
        if part.part + 1 < self.parts:
            return replace(part, part=part.part + 1, batch=0)
        return replace(part, epoch=part.epoch + 1, part=0, batch=0)

    def _encoded(self, part: TrainingProgress) -> datasets.Dataset:
        """Returns all pairs of a part in pieces, before filtering."""
        sampling = self.config.tokenizer.sampling
        if sampling is None:
            return corpus.encode(self.text, self.tokenizers, input=self.config.data.input)
        text = self.text.select(self._members(part))
        random = np.random.default_rng([self.config.seed, part.epoch, part.part])
        seed = int(random.integers(2**31))
        return corpus.encode(text, self.tokenizers, sampling=sampling, seed=seed)

    def _members(self, part: TrainingProgress) -> mixing.Rows:
        """Returns the indices of the pairs that a part encodes, in the order of the corpus."""
        if self.config.tokenizer.sampling is None:
            return np.arange(len(self.text))
        rows = self._rows(self.text, part.epoch)
        random = np.random.default_rng([self.config.seed, part.epoch, self.parts])
        chosen = np.array_split(random.permutation(len(rows)), self.parts)[part.part]
        return rows[np.sort(chosen)]

    def _rows(self, pairs: datasets.Dataset, epoch: int) -> mixing.Rows:
        """Returns the indices of the pairs that an epoch reads, by the weights of their corpora."""
        sizes = mixing.sizes(pairs, len(self._weights))
        return mixing.rows(sizes, self._weights, seed=self.config.seed, epoch=epoch)

    @cached_property
    def _weights(self) -> list[float]:
        data = self.config.data
        return mixing.weights(mixing.sizes(self.encoded, len(data.corpora)), data)

    def _kept(self, encoded: datasets.Dataset) -> datasets.Dataset:
        return corpus.filter_pairs(encoded, self.config.data)[0]

    def _plan_of_part(self, pairs: datasets.Dataset, part: TrainingProgress) -> list[PlannedBatch]:
        """Returns the batches of a part; with subword sampling, `pairs` are those it reads."""
        sampled = self.config.tokenizer.sampling is not None
        return self._plan(pairs, part, None if sampled else self._rows(pairs, part.epoch))

    def _plan(
        self, pairs: datasets.Dataset, part: TrainingProgress, rows: mixing.Rows | None
    ) -> list[PlannedBatch]:
        of = {"seed": self.config.seed, "epoch": part.epoch, "part": part.part}
        return plan_epoch(corpus.lengths(pairs), self.buckets, rows=rows, **of)


def read_batch(
    pairs: datasets.Dataset,
    planned: PlannedBatch,
    processes: ProcessGroup,
    shape: InputShape | None = None,
) -> Batch:
    """Returns the rows of this process in a planned batch, padded; `shape` is that of `pad`."""
    rows, bucket = own_rows(planned.bucket, processes)
    own = planned.pairs[rows]
    return pad(corpus.rows(pairs, own), bucket, links=corpus.linked(pairs, own), shape=shape)


def own_rows(bucket: Bucket, processes: ProcessGroup) -> tuple[slice, Bucket]:
    """Returns the rows of a bucket that this process has, and a bucket of so many rows."""
    rows = processes.rows(bucket.rows)
    return rows, replace(bucket, rows=rows.stop - rows.start)


def buckets_of(lengths: PairLengths, config: Config, processes: ProcessGroup) -> list[Bucket]:
    """Returns the buckets for pairs of these lengths, on all devices of all processes."""
    return choose_buckets(lengths, config.data.batch, devices=devices.count() * processes.count)


def with_longest(lengths: PairLengths, longest: int) -> PairLengths:
    """Adds a pair of the maximum length, so that a bucket holds whatever is not left out."""
    return np.vstack([lengths, np.array([[longest, longest]], lengths.dtype)])


def prefetched(items: Iterator[T], *, depth: int = 2) -> Generator[T, None, None]:
    """Yields the items of an iterator, which a thread reads `depth` items ahead."""
    end: Any = object()
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")
    try:
        waiting = deque(worker.submit(next, items, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(worker.submit(next, items, end))
            yield item
    finally:
        worker.shutdown(cancel_futures=True)
