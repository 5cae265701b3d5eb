"""Lines from a pipe or a keyboard: each is translated without waiting for others to come."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from io import TextIOBase
from queue import Empty, Queue
from threading import Event, Thread
from time import monotonic

PAUSE = 0.002  # seconds without a line that end a window
LONGEST = 0.05  # seconds after its first line that end a window in any case

HINT = "nmt: type a sentence and press Enter; Ctrl-D ends"

_Item = str | Exception | None  # a line, an error of the reader, or the end

Window = tuple[int, list[str]]  # the number of lines before, and at least one line


def answered(lines: Iterable[str], out: TextIOBase, *, size: int, typed: bool) -> Iterator[Window]:
    """Yields `windows` of lines, and writes out what has been answered before each wait.

    If the lines are `typed` in a terminal, there is a prompt on standard error.
    """
    asks = typed and os.isatty(0) and sys.stderr.isatty()

    def ready() -> None:
        out.flush()
        if asks:
            print("> ", end="", file=sys.stderr, flush=True)

    if asks:
        print(HINT, file=sys.stderr)
    yield from windows(lines, size=size, ready=ready)
    if asks:
        print(file=sys.stderr)


def windows(lines: Iterable[str], *, size: int, ready: Callable[[], object]) -> Iterator[Window]:
    """Yields what has come so far, at most `size` lines, when the last window is done with.

    A thread reads ahead, at most `size` lines. So a line that comes alone is a window at once,
    and lines that come fast share one. `ready` is called before each wait for a line.
    """
    waiting: Queue[_Item] = Queue(maxsize=size)
    stop = Event()
    Thread(target=_read, args=(lines, waiting, stop), daemon=True).start()
    before = 0
    try:
        while True:
            ready()
            items = _take(waiting, size)
            if window := [item for item in items if isinstance(item, str)]:
                yield before, window
                before += len(window)
            if isinstance(items[-1], Exception):
                raise items[-1]
            if items[-1] is None:
                return
    finally:
        stop.set()
        with suppress(Empty):  # a reader that waits for room goes on, and ends
            waiting.get_nowait()


def _read(lines: Iterable[str], waiting: Queue[_Item], stop: Event) -> None:
    end: Exception | None = None
    try:
        for line in lines:
            waiting.put(line)
            if stop.is_set():
                return
    except Exception as error:  # it is raised where the lines are used
        end = error
    waiting.put(end)


def _take(waiting: Queue[_Item], size: int) -> list[_Item]:
    """Returns the lines that come by the next pause; after the last line, also the end."""
    items = [waiting.get()]
    deadline = monotonic() + LONGEST
    with suppress(Empty):
        while isinstance(items[-1], str) and len(items) < size and monotonic() < deadline:
            items.append(waiting.get(timeout=PAUSE))
    return items
