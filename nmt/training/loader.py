"""The stream of training batches, from any progress on, prefetched by a thread."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import datasets
import numpy as np
import numpy.typing as npt

from nmt.config import Config
from nmt.data import corpus
from nmt.data.batching import Batch, Bucket, PlannedBatch, choose_buckets, pad, plan_epoch
from nmt.data.tokenizer import Tokenizers
from nmt.inference import devices
from nmt.processes import ALONE, ProcessGroup
from nmt.run import TrainingProgress
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
        lengths = corpus.lengths(self.encoded)
        if self.config.tokenizer.sampling is not None:
            longest = self.config.data.max_length  # a sampled segmentation may be this long
            lengths = np.vstack([lengths, np.array([[longest, longest]], lengths.dtype)])
        return choose_buckets(lengths, self.config.data.batch, devices=devices.count())

    @cached_property
    def parts(self) -> int:
        """The number of parts of an epoch."""
        return 1 if self.config.tokenizer.sampling is None else -(-len(self.text) // PART)

    @cached_property
    def batches_per_epoch(self) -> int:
        """The number of batches of the first epoch; subword sampling makes others differ a bit."""
        return len(self._plan(self.encoded, TrainingProgress()))

    def epochs(self, progress: TrainingProgress) -> float:
        """Returns how many epochs have been read at this progress."""
        within = progress.part / self.parts + progress.batch / self.batches_per_epoch
        return progress.epoch + within

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
        planned = self._plan(pairs, progress)[progress.batch]
        return sorted(pairs[planned.pairs]["number"])

    def _read(self, start: TrainingProgress) -> Iterator[tuple[Any, TrainingProgress]]:
        for part, pairs, plan in prefetched(self._planned(start), depth=1):
            for index in range(part.batch, len(plan)):
                is_last = index + 1 == len(plan)
                after = self._next(part) if is_last else replace(part, batch=index + 1)
                yield shard(self._read_batch(pairs, plan[index])), after

    def _read_batch(self, pairs: datasets.Dataset, planned: PlannedBatch) -> Batch:
        """Returns the rows of this process in a planned batch, padded."""
        rows = self.processes.rows(planned.bucket.rows)
        own = planned.pairs[rows]
        bucket = replace(planned.bucket, rows=rows.stop - rows.start)
        return pad(corpus.rows(pairs, own), bucket, links=corpus.linked(pairs, own))

    def _planned(
        self, part: TrainingProgress
    ) -> Iterator[tuple[TrainingProgress, datasets.Dataset, list[PlannedBatch]]]:
        """Yields parts from a given one on, with their pairs and batches; there is no end."""
        while True:
            pairs = self.encoded  # the same in each epoch, if not sampled
            if self.config.tokenizer.sampling is not None:
                pairs = self._kept(self._encoded(part))
            yield part, pairs, self._plan(pairs, part)
            part = self._next(part)

    def _next(self, part: TrainingProgress) -> TrainingProgress:
        """Returns the progress at the start of the next part."""
        if part.part + 1 < self.parts:
            return replace(part, part=part.part + 1, batch=0)
        return replace(part, epoch=part.epoch + 1, part=0, batch=0)

    def _encoded(self, part: TrainingProgress) -> datasets.Dataset:
        """Returns all pairs of a part in pieces, before filtering."""
        sampling = self.config.tokenizer.sampling
        if sampling is None:
            return corpus.encode(self.text, self.tokenizers)
        text = self.text.select(self._members(part))
        random = np.random.default_rng([self.config.seed, part.epoch, part.part])
        seed = int(random.integers(2**31))
        return corpus.encode(text, self.tokenizers, sampling=sampling, seed=seed)

    def _members(self, part: TrainingProgress) -> npt.NDArray[np.int64]:
        """Returns the indices of the pairs in a part, in the order of the corpus."""
        random = np.random.default_rng([self.config.seed, part.epoch, self.parts])
        return np.sort(np.array_split(random.permutation(len(self.text)), self.parts)[part.part])

    def _kept(self, encoded: datasets.Dataset) -> datasets.Dataset:
        return corpus.filter_pairs(encoded, self.config.data)[0]

    def _plan(self, pairs: datasets.Dataset, part: TrainingProgress) -> list[PlannedBatch]:
        seed, lengths = self.config.seed, corpus.lengths(pairs)
        return plan_epoch(lengths, self.buckets, seed=seed, epoch=part.epoch, part=part.part)


def prefetched(items: Iterator[T], *, depth: int = 2) -> Generator[T, None, None]:
    """Yields the items of an iterator, which a thread reads `depth` items ahead."""
    end: Any = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader") as worker:
        waiting = deque(worker.submit(next, items, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(worker.submit(next, items, end))
            yield item
