"""The stream of training batches, from any position on, read and padded ahead by a thread."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import datasets
import numpy as np

from nmt.config import Config
from nmt.data import corpus
from nmt.data.batching import Batch, PlannedBatch, Shape, choose_shapes, pad, plan_epoch
from nmt.data.tokenizer import Tokenizers
from nmt.run import Position
from nmt.training.step import device_count, shard

T = TypeVar("T")


@dataclass(frozen=True)
class Feed:
    """Batches of a corpus; which ones an epoch has is a pure function of (corpus, seed, epoch)."""

    text: datasets.Dataset
    encoded: datasets.Dataset  # filtered
    tokenizers: Tokenizers
    config: Config

    @cached_property
    def shapes(self) -> list[Shape]:
        """The frames that batches come in."""
        lengths = corpus.lengths(self.encoded)
        if self.config.tokenizer.sampling is not None:
            longest = self.config.data.max_length  # a sampled segmentation may be this long
            lengths = np.vstack([lengths, np.array([[longest, longest]], lengths.dtype)])
        return choose_shapes(lengths, self.config.data.batch, devices=device_count())

    @cached_property
    def batches_per_epoch(self) -> int:
        """The number of batches of the first epoch; subword sampling makes others differ a bit."""
        return len(self._plan(self.encoded, epoch=0))

    def batches(self, start: Position) -> Iterator[tuple[Any, Position]]:
        """Yields sharded batches without end, each with the position after it is consumed."""
        return prefetched(self._read(start))

    def sentences(self, position: Position) -> list[int]:
        """Returns the numbers, from 1, of the pairs of the corpus that the next batch holds."""
        encoded = self._encoded(position.epoch)
        pairs = self._kept(encoded.add_column("number", np.arange(1, len(encoded) + 1)))
        planned = self._plan(pairs, epoch=position.epoch)[position.batch]
        return sorted(pairs[planned.pairs]["number"])

    def _read(self, start: Position) -> Iterator[tuple[Any, Position]]:
        epoch, first = start.epoch, start.batch
        while True:
            pairs = self._segment(epoch)
            plan = self._plan(pairs, epoch=epoch)
            for index in range(first, len(plan)):
                last = index + 1 == len(plan)
                after = (epoch + 1, 0) if last else (epoch, index + 1)
                batch = shard(_read_batch(pairs, plan[index]))
                yield batch, replace(start, epoch=after[0], batch=after[1])
            epoch, first = epoch + 1, 0

    def _segment(self, epoch: int) -> datasets.Dataset:
        """Returns the pieces of an epoch: always the same, or sampled anew."""
        if self.config.tokenizer.sampling is None:
            return self.encoded
        return self._kept(self._encoded(epoch))

    def _encoded(self, epoch: int) -> datasets.Dataset:
        """Returns the pieces of all pairs, also of those that are not trained on."""
        sampling = self.config.tokenizer.sampling
        if sampling is None:
            return corpus.encode(self.text, self.tokenizers)
        seed = int(np.random.default_rng([self.config.seed, epoch]).integers(2**31))
        return corpus.encode(self.text, self.tokenizers, sampling=sampling, seed=seed)

    def _kept(self, encoded: datasets.Dataset) -> datasets.Dataset:
        data = self.config.data
        kept, _ = corpus.filter_pairs(encoded, max_length=data.max_length, max_ratio=data.max_ratio)
        return kept

    def _plan(self, pairs: datasets.Dataset, *, epoch: int) -> list[PlannedBatch]:
        seed = self.config.seed
        return plan_epoch(corpus.lengths(pairs), self.shapes, seed=seed, epoch=epoch)


def prefetched(items: Iterator[T], *, depth: int = 2) -> Iterator[T]:
    """Yields the items of an iterator that a thread of its own keeps `depth` items ahead."""
    end: Any = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed") as worker:
        waiting = deque(worker.submit(next, items, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(worker.submit(next, items, end))
            yield item


def _read_batch(pairs: datasets.Dataset, planned: PlannedBatch) -> Batch:
    links = corpus.linked(pairs, planned.pairs)
    return pad(corpus.rows(pairs, planned.pairs), planned.shape, links=links)
