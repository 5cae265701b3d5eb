"""Errors that a user can correct; each message is one line that names the thing and the remedy.

UserError            the commands print it on stderr and exit with code 2
├── ConfigError      a key, a type, a range, or two settings that exclude each other
├── DataError        a corpus, a tokenizer or an alignment file
├── RunError         a run folder: missing, of another configuration, without checkpoint
└── ClusterError     processes that cannot train together, or one of which has ended

Interrupted          no error: training was asked to stop; exit code 128 + the signal's number
"""

from functools import partial
from pathlib import Path
from typing import Any


class UserError(Exception):
    """An error in what the user gave, never a bug of the toolkit."""


class ConfigError(UserError):
    """The configuration cannot be used."""


class DataError(UserError):
    """A data file or a tokenizer cannot be used."""


class RunError(UserError):
    """A run folder cannot be used."""


class ClusterError(UserError):
    """Processes cannot work together, or one of them has ended."""


class Interrupted(Exception):  # noqa: N818, it is no error
    """Training was asked to stop by a signal, and has saved its state.

    Attributes:
        signal: The name of the signal: "SIGTERM" or "SIGINT".
        run: The path of the run folder; the same call again resumes the training.
    """

    def __init__(self, message: str, *, signal: str, run: Path) -> None:
        super().__init__(message)
        self.signal = signal
        self.run = run

    def __reduce__(self) -> tuple[Any, ...]:
        """Returns how it is made again, as in a process that waits for another one."""
        return partial(Interrupted, signal=self.signal, run=self.run), self.args
