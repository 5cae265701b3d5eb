"""How much is taken, and what is in flight: lines, and parts of lines, on which engines work."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class Limits:
    """How much is taken at once."""

    characters: int = 50_000  # of a request
    lines: int = 1_000  # of a request
    queue: int = 2_000  # lines of all clients that have no answer yet
    client: int = 1_000  # of them, of one client
    seconds: float = 60.0  # for an answer

    @property
    def together(self) -> int:
        """The most lines, or parts of lines, of a request that can ever be in flight."""
        return min(self.client, self.queue)

    @property
    def lines_at_once(self) -> int:
        """The most lines of a request."""
        return min(self.lines, self.together)

    @property
    def bytes(self) -> int:
        """The longest body: JSON may write twelve for a character."""
        return 12 * self.characters + 100_000


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
