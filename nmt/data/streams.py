"""Streams: training corpora that are read as they are needed, some pairs of all lanes at a time."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from datasets import Dataset, Features, Value

from nmt.config import DataConfig
from nmt.data import cleaning, corpora, corpus, lanes
from nmt.data.lanes import Lane, Row
from nmt.data.report import FilterReport
from nmt.data.texts import Pair
from nmt.errors import DataError

READ = 256  # pairs of a lane that are read at a time

# `read`: pairs of the epoch so far; `lanes`: the state of each; `files`: those of `Stream`; JSON
StreamState = dict[str, Any]
NUMBERED = Features({**corpus.TEXT, "number": Value("int64")})


@dataclass(frozen=True)
class Stream:
    """The training corpora of a configuration, some pairs at a time."""

    data: DataConfig
    lanes: Sequence[Lane]

    @classmethod
    def of(cls, data: DataConfig) -> "Stream":
        """Opens the training corpora.

        Raises:
            DataError: one of them is missing, or cannot be opened.
        """
        return cls(
            data, [lane for n in range(len(data.corpora)) for lane in lanes.of_corpus(data, n)]
        )

    def buffers(
        self, size: int, *, order: int = 0, state: StreamState | None = None
    ) -> Iterator[tuple[StreamState, list[Row]]]:
        """Yields all pairs of an epoch, at least `size` at a time, and the state before them.

        All lanes give as many, and one that has ended leaves its place to the others. There are
        no more than READ pairs of each lane above `size`.

        Args:
            size: Pairs to hold.
            order: Decides on the order of the files.
            state: What was yielded before some pairs, to begin with these.

        Raises:
            DataError: a corpus cannot be read, or the state is of other files.
        """
        share = min(READ, -(-size // len(self.lanes)))
        before = self._begun(state or {})
        live = {
            index: lane.read(share, order=order, state=before["lanes"][index])
            for index, lane in enumerate(self.lanes)
        }
        while True:
            rows, states = list[Row](), list(before["lanes"])
            while live and len(rows) < size:
                for index, batches in list(live.items()):
                    if (found := next(batches, None)) is None:
                        del live[index]
                    else:
                        rows += found[0]
                        states[index] = found[1]
            if not rows:
                return
            yield before, rows
            before = {**before, "read": before["read"] + len(rows), "lanes": states}

    def _begun(self, state: StreamState) -> StreamState:
        """Returns the state to begin with, which is that of the start unless there is another."""
        start = {"read": 0, "lanes": [None] * len(self.lanes), "files": self.files}
        before = {**start, **state}  # that of an earlier version does not tell of files
        if before["files"] != self.files or len(before["lanes"]) != len(self.lanes):
            raise DataError(
                "data.train: the files are not those that training began with, by their number, "
                "names or sizes; put those back, or begin anew with another run=..."
            )
        return before

    def text(self, rows: Sequence[Row], *, before: int = 0) -> tuple[Dataset, FilterReport]:
        """Returns the rows that cleaning keeps, with their tags, and what it left out.

        They are in memory. The column `number` counts all rows of an epoch from 1, those that are
        left out too; `before` were in front of these.
        """
        reasons = np.array([self._reason(row) for row in rows], np.int8)
        kept = np.flatnonzero(reasons == 0)
        tags = [each.source_tag for each in self.data.corpora]
        pairs = [rows[place] for place in kept.tolist()]
        columns = {
            "source": [corpora.with_tag(row.pair[0], tags[row.corpus]) for row in pairs],
            "target": [row.pair[1] for row in pairs],
            "number": before + 1 + kept,
        }
        report = FilterReport.of(cleaning.REASONS, reasons)
        return Dataset.from_dict(columns, features=NUMBERED), report

    @cached_property
    def files(self) -> str:
        """A digest of the names and sizes of local files, and of the number of all files."""
        numbers = {lane.corpus: lane.whole.num_shards for lane in self.lanes}
        told = json.dumps([lanes.sizes(self.data), list(numbers.values())])
        return hashlib.sha256(told.encode()).hexdigest()

    @cached_property
    def training(self) -> corpora.TrainingText:
        """The sample as a text to train a tokenizer from, and what cleaning left out of it.

        Raises:
            DataError: no pair is left.
        """
        text, report = self.text(self._sample)
        if report.kept == 0:
            raise DataError(f"data.clean: no pair of data.stream.sample is left: {report}")
        return corpora.TrainingText(text, None if self.data.clean is None else report, [])

    @cached_property
    def _sample(self) -> list[Row]:
        assert self.data.stream is not None
        _, rows = next(self.buffers(self.data.stream.sample), (None, []))
        found = {row.corpus for row in rows}
        for lane in self.lanes:
            if lane.corpus not in found:
                raise DataError(f"{lane.where}: the corpus is empty")
        return rows

    @cached_property
    def _judges(self) -> list[cleaning.Judge]:
        """The rules of cleaning for each corpus; its pairs in the sample tell what is usual."""
        clean = self.data.clean
        if clean is None:
            return []
        known = cleaning.known_keys(corpora.compared(self.data), clean)
        sampled: list[list[Pair]] = [[] for _ in self.data.corpora]
        for row in self._sample:
            sampled[row.corpus].append(row.pair)
        usual = [
            cleaning.Usual.of([pairs[place] for place in cleaning.spread(len(pairs))])
            for pairs in sampled
        ]
        return [cleaning.Judge(clean, each, known) for each in usual]

    def _reason(self, row: Row) -> int:
        return self._judges[row.corpus].reason(row.pair) if self._judges else 0
