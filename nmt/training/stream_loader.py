"""The batches of a stream: of pairs that are read as they are needed, and held for a while."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import datasets
import numpy as np

from nmt.checkpoints import TrainingProgress
from nmt.config import Config
from nmt.data import corpus, fingerprints
from nmt.data.batching import Bucket, PlannedBatch, plan_epoch
from nmt.data.lanes import Row
from nmt.data.streams import Stream
from nmt.data.tokenizers import Tokenizers
from nmt.errors import DataError
from nmt.processes import ALONE, ProcessGroup
from nmt.training import agreement
from nmt.training.loader import PART, buckets_of, prefetched, read_batch, with_longest
from nmt.training.step import shard


class Part(NamedTuple):
    """The pairs that are held together, and their batches."""

    progress: TrainingProgress  # at its start, or within it where training goes on
    pairs: datasets.Dataset
    plan: list[PlannedBatch]
    digest: str  # of the pairs and of their place; empty in a process alone


@dataclass(frozen=True)
class StreamLoader:
    """Batches of a stream; a stream, the seed and a progress decide on all that follow.

    An epoch is one pass over the stream. It has parts of `data.stream.buffer` pairs, each of which
    is encoded, filtered, shuffled and planned by itself while batches of the one before are trained
    on: three parts are held at most. A progress has the state of the stream before its part, so
    that going on reads this part again, and nothing before it.
    """

    stream: Stream
    sample: datasets.Dataset  # encoded, filtered
    tokenizers: Tokenizers
    config: Config
    processes: ProcessGroup = ALONE

    batches_per_epoch: None = None  # unknown

    @cached_property
    def buckets(self) -> list[Bucket]:
        """The buckets that batches come in; the lengths in the sample decide on them."""
        sample = self.sample
        if self.config.tokenizer.sampling is not None:  # its pieces are shorter, so more of them
            text = self.stream.training.text
            few = text.select(range(0, len(text), -(-len(text) // PART)))
            sample = self._encoded(few, seed=self._drawn(0))
        lengths = with_longest(corpus.lengths(sample), self.config.data.max_length)
        return buckets_of(lengths, self.config, self.processes)

    def epochs(self, progress: TrainingProgress) -> float:
        """Returns how many epochs have been read to their end at this progress."""
        return float(progress.epoch)

    def batches(
        self, start: TrainingProgress
    ) -> Generator[tuple[Any, TrainingProgress], None, None]:
        """Yields the rows of this process in each batch, sharded, and the progress after it.

        There is no end. Processes compare each part before they train on it: those with other pairs
        would have another number of batches, and would wait for each other for ever.

        Raises:
            DataError: the stream cannot be read, or a whole epoch has no pair to train on.
            ClusterError: another process has read other pairs.
        """
        with closing(prefetched(self._read(start))) as read:
            for batch, after, digest in read:
                if digest:  # here and not in the thread that reads, as devices tell it in order
                    agreement.compare(self.processes, {"stream of training pairs": digest})
                yield batch, after

    def sentences(self, progress: TrainingProgress) -> list[int]:
        """Returns the numbers, from 1, of the pairs of the epoch that the next batch holds."""
        part = next(self._parts(progress))
        return sorted(part.pairs[part.plan[progress.batch].pairs]["number"])

    def _read(self, start: TrainingProgress) -> Iterator[tuple[Any, TrainingProgress, str]]:
        """Yields batches, the progress after each, and the digest of a part that is new by then."""
        with closing(prefetched(self._parts(start), depth=1)) as parts:
            part = next(parts)
            digest = part.digest
            while True:
                for index in range(part.progress.batch, len(part.plan) - 1):
                    after = replace(part.progress, batch=index + 1)
                    yield self._batch(part, index), after, digest
                    digest = ""
                following = next(parts)  # only now is known whether the epoch goes on
                yield self._batch(part, -1), following.progress, digest + following.digest
                part, digest = following, ""

    def _batch(self, part: Part, index: int) -> Any:
        return shard(read_batch(part.pairs, part.plan[index], self.processes))

    def _parts(self, progress: TrainingProgress) -> Iterator[Part]:
        """Yields the parts that have a pair to train on, from a given one on; there is no end."""
        while True:
            found = progress.part > 0
            for state, rows in self._buffers(progress):
                progress = replace(progress, stream=state)
                part = self._planned(progress, rows, before=state["read"])
                if part.plan:
                    found = True
                    yield part
                progress = replace(progress, part=progress.part + 1, batch=0)
            if not found:
                raise DataError("data.stream: an epoch has no pair to train on; look at the corpus")
            progress = replace(progress, epoch=progress.epoch + 1, part=0, batch=0, stream=None)

    def _buffers(self, progress: TrainingProgress) -> Iterator[tuple[Any, list[Row]]]:
        assert self.config.data.stream is not None
        size = self.config.data.stream.buffer
        order = self._drawn(progress.epoch)
        return self.stream.buffers(size, order=order, state=progress.stream)

    def _planned(self, progress: TrainingProgress, rows: list[Row], *, before: int) -> Part:
        text, _ = self.stream.text(rows, before=before)
        pairs = self._encoded(text, seed=self._drawn(progress.epoch, progress.part))
        plan = plan_epoch(
            corpus.lengths(pairs),
            self.buckets,
            seed=self.config.seed,
            epoch=progress.epoch,
            part=progress.part,
        )
        digest = ""
        if self.processes.count > 1:
            place = f"{progress.epoch} {progress.part} {progress.batch}"
            digest = f"{place} {fingerprints.of_content(text)}"
        return Part(progress, pairs, plan, digest)

    def _encoded(self, text: datasets.Dataset, *, seed: int) -> datasets.Dataset:
        """Returns the pairs of a text in pieces, sampled if the tokenizer samples, that fit."""
        sampling = self.config.tokenizer.sampling
        encoded = corpus.encode(text, self.tokenizers, sampling=sampling, seed=seed)
        return corpus.fitting(encoded, self.config.data)[0]

    def _drawn(self, *of: int) -> int:
        return int(np.random.default_rng([self.config.seed, *of]).integers(2**31))
