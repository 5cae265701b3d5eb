"""Locks of folders: one training in a run folder, one command in a folder of results.

The operating system releases a lock when its process ends, however it ends, so that no stale one
can be left. Beside that of a run, a file names the process that holds it, or one that was killed.
"""

import contextlib
import os
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from nmt.errors import RunError, UserError


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Holds the lock file of a run, and warns if the last process that held it was killed.

    Raises:
        RunError: another process holds it, or the folder cannot be written.
    """
    holder = holder_of(path)
    busy = RunError(
        f"{path.parent}: the run folder is in use by another training ({_read(holder)}); wait "
        "for it, stop it, or name another folder with run=..."
    )
    with alone(path, "training", busy=busy):
        if before := _read(holder):
            warnings.warn(
                f"{path.parent}: the previous training ({before}) did not end cleanly; continuing "
                "from its last checkpoint",
                stacklevel=2,
            )
        name = f"process {os.getpid()} on {socket.gethostname()}\n"
        try:
            holder.write_text(name, encoding="utf-8")
        except OSError as error:
            raise RunError(
                f"{path.parent}: cannot be written ({error.strerror}); name another folder with "
                "run=..."
            ) from None
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(path: Path, who: str, *, busy: UserError) -> Iterator[None]:
    """Holds a lock file, or warns that nothing keeps another `who` from its folder.

    Raises:
        UserError: another process holds it, as `busy` says, or another user has made it.
    """
    lock = FileLock(path, mode=0o666)  # another user finds it held, if it is
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise busy from None
    except (OSError, NotImplementedError) as error:
        if isinstance(error, PermissionError) and path.exists():
            raise type(busy)(
                f"{path}: belongs to another user, who may be using this folder; name another, or "
                f"remove this file if no {who} does"
            ) from None
        reason = getattr(error, "strerror", None) or error
        warnings.warn(
            f"{path.parent}: the file system has no locks ({reason}); make sure that no other "
            f"{who} uses this folder",
            stacklevel=2,
        )
    try:
        yield
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
    except PermissionError:
        return "of another user"
