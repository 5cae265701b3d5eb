"""A corpus from end to end: what is not finished is worked on, and written shard for shard."""

import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path

from nmt import lock
from nmt.cluster import records, stream
from nmt.cluster.corpus import Shard
from nmt.cluster.job import Job
from nmt.cluster.pool import Opened
from nmt.cluster.records import Record
from nmt.cluster.stream import Result
from nmt.counting import counted
from nmt.data import writing
from nmt.errors import DataError


def process(shards: Sequence[Shard], job: Job, pool: Opened, *, how: Record) -> None:
    """Does a job with each shard that is not finished, and writes its results.

    `how` is all that the results depend on besides the shards. A shard that cannot be read does not
    hold up the others.

    Raises:
        UserError: results of something else are in the way, another command works on a folder of
            results, or shards could not be read: a line for each.
    """
    with ExitStack() as stack:
        for folder in {path.parent for shard in shards for path in shard.results}:
            stack.enter_context(_alone_in(folder))
        failed = dict[str, None]()
        waiting = _unfinished(shards, how, failed)
        results = stream.through(pool, [shard for shard, _ in waiting], job) if waiting else ()
        groups = groupby(results, key=lambda result: result.shard)
        for (shard, record), (_, parts) in zip(waiting, groups, strict=True):
            try:
                _write(shard, record, parts)
            except DataError as error:
                failed[str(error)] = None
    if failed:
        raise DataError("\n".join(failed))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Makes a folder of results, and keeps other commands from it."""
    with writing.reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
    busy = DataError(f"{folder}: another command works on this folder; wait for it, or stop it")
    with lock.alone(folder / ".nmt.lock", "command", busy=busy):
        yield


def _unfinished(
    shards: Sequence[Shard], how: Record, failed: dict[str, None]
) -> list[tuple[Shard, Record]]:
    """Returns the shards that are to be done, with their records; adds to what has failed."""
    done, waiting = 0, list[tuple[Shard, Record]]()
    for shard in shards:
        try:
            record = records.of(shard, how)
        except DataError as error:
            failed[str(error)] = None
            continue
        if records.is_finished(shard, record):
            done += 1
        else:
            waiting.append((shard, record))
    if done:
        print(f"{done} of {len(shards)} shards are finished", file=sys.stderr)
    return waiting


def _write(shard: Shard, record: Record, parts: Iterable[Result]) -> None:
    """Writes the results of a shard, which have their names when all of them are complete."""
    lines = 0
    with ExitStack() as stack:
        outputs = [stack.enter_context(writing.text(path, hidden=True)) for path in shard.results]
        for part in parts:
            for each in part.warnings:
                warnings.warn(each, stacklevel=2)
            if part.error is not None:
                raise part.error
            if part.lines:
                for out, text in zip(outputs, part.texts, strict=True):
                    out.write(text)
            lines += part.lines
            if part.last:  # the name need not wait for the next shard
                break
        records.save(shard, record)
    print(f"{shard.results[0]}: {counted(lines, 'line')}", file=sys.stderr)
