"""Windows of rows, through a pool of processes by Ray Data, and back in order."""

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import Any

from nmt.cluster.corpus import Shard
from nmt.cluster.job import Job
from nmt.cluster.pool import Opened
from nmt.errors import DataError, UserError

TRIES = 3  # more of a window whose process dies, as it may for want of memory


@dataclass(frozen=True)
class Window:
    """Rows of a shard, which come behind others, or the error that ends its reading.

    `last` is whether the shard has no more windows.
    """

    shard: Shard
    before: int
    rows: Sequence[Any]
    last: bool
    warnings: Sequence[str]
    error: UserError | None


@dataclass(frozen=True)
class Result:
    """What became of a window: a text for each file of results, or an error of the user."""

    shard: Shard
    lines: int
    last: bool
    texts: Sequence[str]
    warnings: Sequence[str]
    error: UserError | None


def through(pool: Opened, shards: Sequence[Shard], job: Job) -> Iterator[Result]:
    """Yields what becomes of each window of each shard, in order.

    A process that dies is replaced, and does its window again.
    """
    data, folder = pool.ray.data, os.getcwd()
    context = data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.target_max_block_size = 1  # byte: each window is a block, which any process can take
    windows = data.from_items(list(shards), override_num_blocks=len(shards)).flat_map(
        partial(_read, job=job, folder=folder)
    )
    results = windows.map(
        Worker,
        fn_constructor_args=(job, folder, pool.cores),
        compute=data.ActorPoolStrategy(size=pool.actors),
        num_cpus=pool.cores,
        num_gpus=pool.gpus,
        max_task_retries=TRIES,  # no other argument has it; the extra excludes Ray 2.64
    )
    return (row["result"] for row in results.iter_rows())


class Worker:
    """A process of the pool, which loads once what the job needs.

    It works in the folder where the command was given, so that paths mean the same.
    """

    def __init__(self, job: Job, folder: str, cores: int) -> None:
        os.chdir(folder)
        os.environ["NPROC"] = str(cores)  # by which XLA chooses the number of its threads
        self.job = job

    @cached_property
    def loaded(self) -> Any:
        """What the job needs."""
        return self.job.load()

    def __call__(self, row: dict[str, Window]) -> dict[str, Result]:
        """Returns what becomes of a window."""
        window, texts = row["window"], list[str]()
        error = window.error
        with warnings.catch_warnings(record=True) as caught:
            try:
                if window.rows:
                    texts = list(self.job.write(self.loaded, window.rows, window.before))
            except UserError as mistake:
                error = mistake
            except MemoryError:
                error = _too_large(window)
        said = [*window.warnings, *(f"{window.shard}: {each.message}" for each in caught)]
        lines = len(window.rows)
        return {"result": Result(window.shard, lines, window.last, texts, said, error)}


def _too_large(window: Window) -> DataError:
    """Returns the error of a window for which there is not enough memory."""
    sizes = [len(str(row)) for row in window.rows]
    longest = window.before + sizes.index(max(sizes)) + 1
    return DataError(
        f"{window.shard}: not enough memory for lines {window.before + 1} to "
        f"{window.before + len(sizes)}; line {longest} is the longest: make it shorter, or give "
        "the processes more memory"
    )


def _read(row: dict[str, Shard], *, job: Job, folder: str) -> Iterator[dict[str, Window]]:
    """Yields the windows of a shard; one with fewer rows than others is the last."""
    os.chdir(folder)
    shard, before = row["item"], 0
    rows = job.read(shard.sources)
    while True:
        window, error = list[Any](), None
        with warnings.catch_warnings(record=True) as caught:
            try:
                window = list(islice(rows, job.window))
            except UserError as mistake:
                error = mistake
        said = [str(each.message) for each in caught]
        last = len(window) < job.window
        yield {"window": Window(shard, before, window, last, said, error)}
        if last:
            return
        before += len(window)
