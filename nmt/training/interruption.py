"""Requests to stop: SIGTERM, as from a cluster's queue, and SIGINT, the keys Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

from nmt.processes import ProcessGroup


@contextlib.contextmanager
def requests() -> Iterator[list[str]]:
    """Yields a list to which the names of signals are added, instead of ending the process.

    A second signal of a kind has its usual effect, so that a hung process can be ended. An ignored
    signal stays ignored. Outside the main thread, Python delivers no signals.
    """
    received: list[str] = []
    before: dict[int, Any] = {}

    def note(number: int, _: Any) -> None:
        received.append(signal.Signals(number).name)
        signal.signal(number, before[number])

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, note)
    try:
        yield received
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def asked(received: list[str], processes: ProcessGroup) -> str | None:
    """Returns the name of the signal that asks to stop, also if another process received it."""
    if not processes.any(bool(received)):
        return None
    return received[0] if received else "SIGTERM"  # the usual one, as it is not known which
