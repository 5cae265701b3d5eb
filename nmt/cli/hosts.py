"""The options by which processes of several hosts train together."""

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer

from nmt.cli import aborts
from nmt.errors import ClusterError
from nmt.processes import ALONE, ProcessGroup

Distributed = Annotated[
    bool,
    typer.Option(
        "--distributed",
        help="Train with the other processes of a Slurm, Open MPI, TPU pod or Kubernetes job.",
    ),
]
Coordinator = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Where process 0 waits for the others to join."),
]
Processes = Annotated[int | None, typer.Option(min=1, help="Number of processes that train.")]
Process = Annotated[int | None, typer.Option(min=0, help="Number of this process, from 0.")]


def group(
    *, distributed: bool, coordinator: str | None, processes: int | None, process: int | None
) -> contextlib.AbstractContextManager[ProcessGroup]:
    """Returns the group of processes that the options describe, to be entered.

    Raises:
        ClusterError: some of the options are missing, or contradict each other.
    """
    given = coordinator, processes, process
    if all(each is None for each in given):
        if not distributed:
            return contextlib.nullcontext(ALONE)
    elif distributed:
        raise ClusterError(
            "--distributed finds the other processes by itself; leave out --coordinator, "
            "--processes and --process"
        )
    else:
        from nmt import hosts  # which imports NumPy

        hosts.check(coordinator, processes, process)
    return _joined(coordinator, processes, process)


@contextlib.contextmanager
def _joined(
    coordinator: str | None, processes: int | None, process: int | None
) -> Iterator[ProcessGroup]:
    from nmt import hosts

    with (
        aborts.explained_by(f"nmt: {hosts.LOST}"),
        hosts.joined(coordinator, processes=processes, process=process) as group,
    ):
        yield group
