"""The lock of a run folder: one training at a time.

The kernel holds it (flock) and drops it when the process ends, however it ends; so a lock cannot
be left behind. The file's text only tells who holds it, or who ended without a chance to clear it.
"""

import contextlib
import fcntl
import os
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path

from nmt.errors import RunError


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Holds a lock file, and warns if whoever held it before did not end in order.

    Raises:
        RunError: another process holds it.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"{path.parent}: another training is at work here ({_holder(file)}); wait for it, "
                "stop it, or name another folder with run=..."
            ) from None
        except OSError as error:
            warnings.warn(
                f"{path.parent}: the file system has no locks ({error.strerror}); see to it that "
                "no other training works here",
                stacklevel=2,
            )
        if before := _holder(file):
            warnings.warn(
                f"{path.parent}: the training before ({before}) did not end in order; going on "
                "from what it has saved",
                stacklevel=2,
            )
        os.ftruncate(file, 0)
        os.pwrite(file, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(file, 0)
    finally:
        os.close(file)


def _holder(file: int) -> str:
    return os.pread(file, 1000, 0).decode("utf-8", errors="replace").strip()
