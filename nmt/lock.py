"""The lock of a run folder: one training at a time.

The operating system releases it when the process ends, however it ends, so that no stale lock can
be left. A second file names the process that holds the lock, or one that was killed.
"""

import contextlib
import os
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from nmt.errors import RunError


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Holds a lock file, and warns if the last process that held it was killed.

    Raises:
        RunError: another process holds it.
    """
    lock, holder = FileLock(path), holder_of(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            f"{path.parent}: the run folder is in use by another training ({_read(holder)}); wait "
            "for it, stop it, or name another folder with run=..."
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        warnings.warn(
            f"{path.parent}: the file system has no locks ({reason}); make sure that no other "
            "training uses this folder",
            stacklevel=2,
        )
    try:
        if before := _read(holder):
            warnings.warn(
                f"{path.parent}: the previous training ({before}) did not end cleanly; continuing "
                "from its last checkpoint",
                stacklevel=2,
            )
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)
    finally:
        lock.release()


def holder_of(path: Path) -> Path:
    """Returns the file with the holder of a lock: other processes cannot read a locked file."""
    return path.with_name(f"{path.name}.holder")


def _read(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8", errors="replace")[:1000].strip()
    except FileNotFoundError:
        return ""
