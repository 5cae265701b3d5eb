"""The system's own errors, without a disk to fill."""

import contextlib
import resource


@contextlib.contextmanager
def files_up_to(size):
    """Has files not grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
