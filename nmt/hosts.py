"""Training on several hosts: the processes that JAX's distributed runtime has joined.

Processes find each other at the coordinator, which is process 0. What they tell each other later
goes from device to device: by gloo on CPUs, by NCCL on GPUs, by the network of a TPU pod.
"""

import atexit
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from nmt.errors import ClusterError, Interrupted, UserError

START = 300  # seconds that processes wait for each other at the start
SILENCE = 60  # seconds without a heartbeat after which JAX takes a process for dead
LINGER = 2.0  # seconds that the coordinator leaves later, so that others can say why they end
LOST = (
    "the processes of this training do not find each other, or one of them has ended; see the "
    "output of each, and give the same commands again to go on from the last checkpoint"
)


class JaxProcesses:
    """The group of processes that `jax.distributed` has joined; process 0 is the main one."""

    def __init__(self) -> None:
        import jax

        self.index, self.count = jax.process_index(), jax.process_count()

    @property
    def is_main(self) -> bool:
        """Whether this process writes to the run folder and to the terminal."""
        return self.index == 0

    def barrier(self) -> None:
        """Waits until all processes have called it."""
        self.any(False)

    def any(self, flag: bool) -> bool:
        """Returns in every process whether the flag is set in at least one of them."""
        return bool(_gathered(np.uint8(flag)).any())

    def gather(self, value: bytes) -> list[bytes]:
        """Returns in every process the values of all, in the order of the processes."""
        sizes = _gathered(np.int32(len(value)))
        padded = np.zeros(max(1, *sizes), np.uint8)
        padded[: len(value)] = np.frombuffer(value, np.uint8)
        rows = zip(_gathered(padded), sizes, strict=True)
        return [row[:size].tobytes() for row, size in rows]

    def rows(self, number: int) -> slice:
        """Returns the slice of a batch of `number` rows that belongs to this process."""
        return slice(self.index * number // self.count, (self.index + 1) * number // self.count)


@contextlib.contextmanager
def joined(
    coordinator: str | None = None, *, processes: int | None = None, process: int | None = None
) -> Iterator[JaxProcesses]:
    """Joins this process with the others, and yields their group.

    Args:
        coordinator: HOST:PORT of process 0; without it, JAX asks Slurm, Open MPI, the TPU pod or
            Kubernetes for all three.
        processes: The number of processes.
        process: The number of this one, from 0.

    Raises:
        ClusterError: the arguments make no sense, the processes do not find each other, or one of
            them has ended before its time.
    """
    if (coordinator, processes, process) != (None, None, None):
        check(coordinator, processes, process)
    if coordinator is not None:
        _reach(coordinator, process)
    _initialize(coordinator, processes, process)
    group = JaxProcesses()
    try:
        group.barrier()  # connects their devices, so that the end of one is noticed from here on
        yield group
    except Interrupted:
        raise  # all of them stop, and take leave of each other
    except BaseException as error:
        lost = _is_loss(error)
        code = 2 if lost or isinstance(error, UserError) else 1
        atexit.register(_leave, code, after=LINGER if group.is_main else 0.0)
        if not lost:
            raise
        raise ClusterError(LOST) from None


def check(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Checks how the processes of a training are named.

    Raises:
        ClusterError: no process can have such an address or number.
    """
    if coordinator is None or processes is None or process is None:
        raise ClusterError("--coordinator, --processes and --process go together; give all three")
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ClusterError(f"--coordinator {coordinator}: not HOST:PORT, such as 10.0.0.1:8476")
    if not 0 <= process < processes:
        raise ClusterError(
            f"--process {process}: the {processes} processes have the numbers 0 to {processes - 1}"
        )


def _initialize(coordinator: str | None, processes: int | None, process: int | None) -> None:
    import jax

    # JAX would catch SIGTERM itself; `nmt.training.interruption` does.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        with _interruptible():
            jax.distributed.initialize(
                coordinator,
                processes,
                process,
                cluster_detection_method=None if coordinator is None else "deactivate",
                initialization_timeout=START,
                heartbeat_timeout_seconds=SILENCE,
            )
    except (ValueError, RuntimeError) as error:
        if coordinator is not None:
            raise
        reason = str(error).partition("\n")[0]
        raise ClusterError(
            "--distributed: no cluster is found here, neither Slurm nor Open MPI, a TPU pod or "
            f"Kubernetes ({reason}); give --coordinator, --processes and --process"
        ) from None


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Has Ctrl-C end the process at once: while JAX waits in C++, Python does not see it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _reach(coordinator: str, process: int | None) -> None:
    """Tries an address before JAX does, which would crash at a port in use."""
    host, _, port = coordinator.rpartition(":")
    try:
        if process == 0:
            socket.create_server(("", int(port))).close()
        else:
            socket.getaddrinfo(host.strip("[]"), int(port))
    except OSError as error:
        raise ClusterError(
            f"--coordinator {coordinator}: {error.strerror}; give the address of process 0, and a "
            "port that is free there"
        ) from None


def _is_loss(error: BaseException) -> bool:
    """Returns whether an error says that the connection to another process is lost."""
    is_of_jax = isinstance(error, RuntimeError | ValueError)
    return is_of_jax and any(name in str(error) for name in ("Gloo", "coordination service"))


def _leave(code: int, *, after: float) -> None:
    """Ends the process at once: JAX would wait for the others to end, and then abort."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    time.sleep(after)
    os._exit(code)


def _gathered(array: Any) -> Any:
    """Returns the arrays of all processes, which have the same shape, as one array."""
    from jax.experimental import multihost_utils

    return multihost_utils.process_allgather(array)
