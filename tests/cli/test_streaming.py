"""Lines that come when they come: what makes a window, and how the reader ends."""

import itertools
import threading
import time
from queue import Queue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.cli import streaming
from nmt.errors import DataError


def windows(lines, size=100, ready=lambda: None):
    return streaming.windows(lines, size=size, ready=ready)


@given(st.lists(st.text(max_size=3), max_size=50), st.integers(1, 20))
def test_every_line_comes_once_and_in_order(lines, size):
    found = list(windows(lines, size))

    assert [line for _, window in found for line in window] == lines
    assert all(1 <= len(window) <= size for _, window in found)
    starts = itertools.accumulate((len(window) for _, window in found), initial=0)
    assert [before for before, _ in found] == list(starts)[:-1]


def test_a_line_that_comes_alone_is_a_window_before_the_next_comes():
    come = Queue()
    found = windows(iter(come.get, None))

    for number, line in enumerate(["一", "二", "三"]):
        come.put(line)
        assert next(found) == (number, [line])
    come.put(None)
    assert list(found) == []


def test_lines_that_come_fast_share_windows():
    found = list(windows(map(str, range(2000)), size=512))

    assert len(found) < 40


def test_what_comes_while_a_window_is_translated_is_the_next_window():
    come = Queue()
    found = windows(iter(come.get, None))
    come.put("a")
    next(found)
    for line in "bcd":
        come.put(line)
    time.sleep(0.1)

    assert next(found) == (1, ["b", "c", "d"])
    come.put(None)
    assert list(found) == []


def test_lines_that_never_pause_do_not_make_the_first_wait():
    def slowly():
        for number in range(400):
            time.sleep(0.001)
            yield str(number)

    start = time.monotonic()
    found = windows(slowly(), size=10_000)
    next(found)

    assert time.monotonic() - start < 0.3  # of 0.4 seconds
    found.close()


def test_what_is_ready_is_written_before_each_wait():
    events = []

    def lines():
        yield "a"

    for _, window in windows(lines(), ready=lambda: events.append("ready")):
        events.append(window)

    assert events[:2] == ["ready", ["a"]]
    assert set(map(str, events[2:])) <= {"ready"}


def test_an_error_of_the_reader_comes_after_the_lines_before_it():
    def lines():
        yield "a"
        raise DataError("line 2: not UTF-8")

    found = windows(lines())

    assert next(found) == (0, ["a"])
    with pytest.raises(DataError, match="line 2: not UTF-8"):
        next(found)


def test_a_reader_whose_lines_are_not_wanted_any_more_ends():
    before = set(threading.enumerate())
    found = windows(itertools.repeat("a"), size=4)
    next(found)
    (reader,) = set(threading.enumerate()) - before

    found.close()

    reader.join(timeout=10)
    assert not reader.is_alive()
