"""An engine: it takes what all clients wait for, and does what is alike together, in threads."""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

PAUSE = 0.002  # seconds without a new job that end the wait for more
LONGEST = 0.02  # seconds after which this wait ends in any case
RATIO = 2.0  # a window has no size of more than so many times that of its first job, or less
LARGEST = 250  # of a job, on average, in a full window


# What is done with the items of several jobs at once; equal tasks can be joined.
Task = Callable[[Sequence[Any]], Sequence[Any]]


@dataclass(eq=False)
class Submission:
    """Jobs that were submitted together; its turn grows by one with each full window of them."""

    turn: float = 0.0


@dataclass(eq=False)
class Job:
    """An item for a task; jobs of submissions with a smaller turn come first."""

    task: Task
    item: Any
    size: int = 1  # as it takes time: the characters of a line
    submission: Submission = field(default_factory=Submission)
    future: "Future[Any]" = field(default_factory=Future)


def window(waiting: Sequence[Job], most: int) -> list[Job]:
    """Returns the jobs that are done next: the one whose turn it is, and those most like it.

    A search takes as long as its longest line needs, so lines of similar length go together.
    """
    first = min(waiting, key=lambda job: job.submission.turn)

    def difference(job: Job) -> float:
        return abs(math.log(job.size / first.size))

    alike = [each for each in waiting if each is not first and each.task == first.task]
    alike = sorted((each for each in alike if difference(each) <= math.log(RATIO)), key=difference)
    chosen, room = [first], most * LARGEST - first.size
    for each in alike[: most - 1]:
        room -= each.size
        if room < 0:
            break
        chosen.append(each)
    return chosen


class Engine:
    """A queue of jobs, and the threads that do them in windows of at most so many.

    Whoever comes first is served first, but for the lines of a long text, which let those of others
    come between. A job whose future is cancelled is not done. `observe` is told the number of jobs
    in each window, and the seconds that it took.
    """

    def __init__(
        self, name: str, *, most: int, threads: int, observe: Callable[[int, float], object]
    ) -> None:
        self.most = most
        self._observe = observe
        self._waiting: list[Job] = []
        self._turn = 0.0
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task, items: Sequence[Any], sizes: Sequence[int]) -> "list[Future[Any]]":
        """Returns the futures of the results."""
        with self._changed:
            submission = Submission(self._turn)
            jobs = [
                Job(task, item, max(1, size), submission)
                for item, size in zip(items, sizes, strict=True)
            ]
            self._waiting += jobs
            self._changed.notify_all()
        return [job.future for job in jobs]

    def close(self, timeout: float) -> None:
        """Waits until all is done, for so many seconds at most."""
        close([self], timeout)

    def end(self) -> None:
        """Has the threads end when all is done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self, deadline: float) -> None:
        """Waits for the threads to end, until a time of `monotonic` at most."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _work(self) -> None:
        while jobs := self._take():
            begin = monotonic()
            _answer([job for job in jobs if job.future.set_running_or_notify_cancel()])
            self._observe(len(jobs), monotonic() - begin)

    def _take(self) -> list[Job]:
        """Returns the jobs of the next window, when there are some; none when there is an end."""
        with self._changed:
            while True:
                self._drop_cancelled()
                if self._waiting:
                    self._wait_for_more()
                    self._drop_cancelled()
                if self._waiting:  # no other thread has taken them
                    break
                if self._closed:
                    return []
                self._changed.wait()
            jobs = window(self._waiting, self.most)
            taken = set(map(id, jobs))
            self._waiting = [job for job in self._waiting if id(job) not in taken]
            self._turn = max(self._turn, jobs[0].submission.turn)
            for job in jobs:
                job.submission.turn += 1 / self.most
            return jobs

    def _wait_for_more(self) -> None:
        """Waits as long as jobs follow each other closely, and there is room for more."""
        end = monotonic() + LONGEST
        while len(self._waiting) < self.most and not self._closed and monotonic() < end:
            if not self._changed.wait(PAUSE):
                break

    def _drop_cancelled(self) -> None:
        self._waiting = [job for job in self._waiting if not job.future.cancelled()]


def close(engines: Sequence[Engine], timeout: float) -> None:
    """Waits until all engines have done all, for so many seconds at most."""
    deadline = monotonic() + timeout
    for each in engines:
        each.end()
    for each in engines:
        each.join(deadline)


def _answer(jobs: Sequence[Job]) -> None:
    """Does the jobs of a window; one that cannot be done takes no other with it."""
    if not jobs:
        return
    try:
        results = jobs[0].task([job.item for job in jobs])
    except Exception as error:
        if len(jobs) == 1:
            jobs[0].future.set_exception(error)
            return
        for job in jobs:
            _answer([job])
        return
    for job, result in zip(jobs, results, strict=True):
        job.future.set_result(result)
