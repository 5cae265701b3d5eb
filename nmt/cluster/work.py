"""A corpus from end to end: what is not finished is worked on, and written shard for shard."""

import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import groupby

from nmt.cluster import records, stream
from nmt.cluster.corpus import Shard
from nmt.cluster.job import Job
from nmt.cluster.pool import Opened
from nmt.cluster.records import Record
from nmt.cluster.stream import Result
from nmt.data import writing
from nmt.errors import DataError


def process(shards: Sequence[Shard], job: Job, pool: Opened, *, how: Record) -> None:
    """Does a job with each shard that is not finished, and writes its results.

    `how` is all that the results depend on besides the shards. A shard that cannot be read does not
    hold up the others.

    Raises:
        UserError: results of something else are in the way, or shards could not be read: a line
            for each.
    """
    waiting = list(records.unfinished(shards, how))
    if done := len(shards) - len(waiting):
        print(f"{done} of {len(shards)} shards are finished", file=sys.stderr)
    if not waiting:
        return
    for folder in {path.parent for shard, _ in waiting for path in shard.results}:
        with writing.reported(folder):
            folder.mkdir(parents=True, exist_ok=True)
    failed = dict[str, None]()
    results = stream.through(pool, [shard for shard, _ in waiting], job)
    groups = groupby(results, key=lambda result: result.shard)
    for (shard, record), (_, parts) in zip(waiting, groups, strict=True):
        try:
            _write(shard, record, parts)
        except DataError as error:
            failed[str(error)] = None
    if failed:
        raise DataError("\n".join(failed))


def _write(shard: Shard, record: Record, parts: Iterable[Result]) -> None:
    """Writes the results of a shard, which have their names when all of them are complete."""
    lines = 0
    with ExitStack() as stack:
        outputs = [stack.enter_context(writing.text(path)) for path in shard.results]
        for part in parts:
            for each in part.warnings:
                warnings.warn(each, stacklevel=2)
            if part.error is not None:
                raise part.error
            if part.lines:
                for out, text in zip(outputs, part.texts, strict=True):
                    out.write(text)
            lines += part.lines
        records.save(shard, record)
    print(f"{shard.results[0]}: {lines:,} lines", file=sys.stderr)
