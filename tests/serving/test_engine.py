"""The engine: what goes together, who comes first, and what one job may do to the others."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.serving.engine import LARGEST, Engine, Job, Submission, close, window


def doubled(items):
    return [2 * item for item in items]


def negated(items):
    return [-item for item in items]


def engine(most=4, threads=1, observe=lambda *_: None):
    return Engine("test", most=most, threads=threads, observe=observe)


@pytest.fixture
def held():
    """An engine of one thread that is busy until `held.go` is set; it notes its windows."""
    made = engine(observe=lambda number, _: made.windows.append(number))
    made.windows, made.go, begun = [], threading.Event(), threading.Event()

    def hold(items):
        begun.set()
        assert made.go.wait(60)
        return items

    made.submit(hold, [0], [1])
    assert begun.wait(60)
    yield made
    made.go.set()
    made.close(60)


def jobs(*sizes, task=doubled, turns=None):
    turns = turns or [0] * len(sizes)
    return [
        Job(task, size, size, Submission(turn)) for size, turn in zip(sizes, turns, strict=True)
    ]


@pytest.mark.parametrize(
    ("waiting", "chosen"),
    [
        (jobs(10), [10]),
        (jobs(10, 11, 12, 13, 14), [10, 11, 12, 13]),  # four at most
        (jobs(10, 19, 6, 11, 9), [10, 11, 9, 6]),  # the most similar ones, by their ratio
        (jobs(10, 21, 4, 20, 5), [10, 20, 5]),  # not more than twice or half as long
        (jobs(10, 12, turns=[1, 0]), [12, 10]),  # whose turn it is
        (jobs(10, 11) + jobs(10, task=negated), [10, 11]),  # of one task
        (jobs(LARGEST * 3, LARGEST * 3 + 1), [LARGEST * 3]),  # a full window is not too long
        (jobs(LARGEST * 9, 1), [LARGEST * 9]),  # but a line alone may be
    ],
)
def test_a_window_has_what_is_most_like_the_first(waiting, chosen):
    assert [job.item for job in window(waiting, 4)] == chosen


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 3)), min_size=1), st.integers(1, 9))
def test_a_window_always_has_the_job_whose_turn_it_is(given, most):
    waiting = jobs(*(size for size, _ in given), turns=[turn for _, turn in given])

    chosen = window(waiting, most)

    assert chosen[0] is min(waiting, key=lambda job: job.submission.turn)
    assert 1 <= len(chosen) == len(set(map(id, chosen))) <= most
    first = chosen[0].size
    assert all(first / 2 <= job.size <= first * 2 for job in chosen)


def test_each_job_gets_its_own_result_from_many_threads():
    made, found = engine(threads=2), {}

    def ask(number):
        task = doubled if number % 2 else negated
        [future] = made.submit(task, [number], [number % 7 + 1])
        found[number] = future.result(60)

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(64)]
    for each in askers:
        each.start()
    for each in askers:
        each.join()
    made.close(60)

    assert found == {n: 2 * n if n % 2 else -n for n in range(64)}


def test_what_waits_is_done_together(held):
    futures = held.submit(doubled, range(1, 7), [10] * 6)
    held.go.set()

    assert [future.result(60) for future in futures] == [2, 4, 6, 8, 10, 12]
    held.close(60)
    assert held.windows == [1, 4, 2]


def test_a_line_comes_before_the_rest_of_a_long_text(held):
    done = []
    long = held.submit(doubled, range(100), [10] * 100)
    short = held.submit(doubled, [1000], [10])
    for future in long + short:
        future.add_done_callback(lambda future: done.append(future.result()))
    held.go.set()
    held.close(60)

    assert len(done) == 101
    assert done.index(2000) <= 8  # after the window that was the first in any case


def test_a_line_comes_early_whatever_the_lengths_in_a_long_text(held):
    done = []
    long = held.submit(doubled, range(100), [10, 100, 1_000, 10_000] * 25)
    short = held.submit(doubled, [1000], [1])  # unlike all of them
    for future in long + short:
        future.add_done_callback(lambda future: done.append(future.result()))
    held.go.set()
    held.close(60)

    assert done.index(2000) <= 4  # a window of the long text has lines from all of it


def test_a_job_that_fails_takes_no_other_with_it(held):
    def inverted(items):
        return [1 / item for item in items]

    good, bad, other = held.submit(inverted, [1, 0, 2], [1, 1, 1])
    held.go.set()

    assert good.result(60) == 1
    assert other.result(60) == 0.5
    with pytest.raises(ZeroDivisionError):
        bad.result(60)


def test_a_cancelled_job_is_not_done(held):
    seen = []

    def noted(items):
        seen.extend(items)
        return items

    futures = held.submit(noted, range(6), [1] * 6)
    for future in futures[:5]:
        assert future.cancel()
    held.go.set()
    held.close(60)

    assert seen == [5]
    assert held.windows == [1, 1]


def test_closing_does_what_is_left_first(held):
    futures = held.submit(doubled, range(10), [1] * 10)
    threading.Timer(0.05, held.go.set).start()
    held.close(60)

    assert [future.result(0) for future in futures] == list(range(0, 20, 2))


def test_engines_are_waited_for_together():
    held, begun = threading.Event(), threading.Semaphore(0)

    def hold(items):
        begun.release()
        held.wait(60)
        return items

    engines = [engine(threads=2) for _ in range(3)]
    for each in engines:
        each.submit(hold, [0, 1], [1, 1_000])  # not alike: a thread each
    for _ in range(6):
        assert begun.acquire(timeout=60)
    begin = time.monotonic()
    close(engines, 0.5)
    waited = time.monotonic() - begin
    held.set()
    close(engines, 60)

    assert 0.5 <= waited < 2  # and not as long for each thread


def test_jobs_that_follow_each_other_closely_share_a_window():
    sizes = []
    made = engine(most=64, observe=lambda number, _: sizes.append(number))
    for number in range(32):
        made.submit(doubled, [number], [1])
    made.close(60)

    assert sum(sizes) == 32
    assert len(sizes) < 8


def test_a_job_alone_does_not_wait_long():
    made, waits = engine(threads=2), []
    for number in range(20):
        begin = time.monotonic()
        made.submit(doubled, [number], [1])[0].result(60)
        waits.append(time.monotonic() - begin)
    made.close(60)

    assert sorted(waits)[10] < 0.02  # 2 ms, and the noise of other programs
