"""What is in flight: the lines of each client, and parts of lines, on which engines still work."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from threading import Lock
from typing import Any


class InFlight:
    """Counts the futures of each client until they are done, or cancelled before their turn.

    A search that runs cannot be cancelled, so that it counts to its end, whoever waits for it.
    """

    def __init__(self) -> None:
        self._of = Counter[str]()
        self._lock = Lock()  # engines finish futures in their threads

    def add(self, client: str, futures: "Iterable[Future[Any]]") -> None:
        """Counts futures of a client."""

        def done(_: object) -> None:
            with self._lock:
                self._of[client] -= 1
                if not self._of[client]:
                    del self._of[client]

        for each in futures:
            with self._lock:
                self._of[client] += 1
            each.add_done_callback(done)

    def of(self, client: str) -> int:
        """Returns the number of a client."""
        with self._lock:
            return self._of[client]

    def total(self) -> int:
        """Returns the number of all clients."""
        with self._lock:
            return self._of.total()
