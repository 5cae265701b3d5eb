"""The group of processes that train one model: one alone here, several in `nmt.hosts`.

All that depends on the process goes through this interface. The plan of an epoch, the decisions
after a validation and the position in training are the same in all processes.
"""

from typing import Protocol, runtime_checkable


@runtime_checkable
class ProcessGroup(Protocol):
    """The processes of one training; all of them call the same methods, in the same order."""

    @property
    def is_main(self) -> bool:
        """Whether this process writes to the run folder and to the terminal."""

    @property
    def count(self) -> int:
        """The number of processes; each has as many devices as the others."""

    def barrier(self) -> None:
        """Waits until all processes have called it."""

    def any(self, flag: bool) -> bool:
        """Returns in every process whether the flag is set in at least one of them."""

    def gather(self, value: bytes) -> list[bytes]:
        """Returns in every process the values of all, in the order of the processes."""

    def rows(self, number: int) -> slice:
        """Returns the slice of a batch of `number` rows that belongs to this process.

        The slices of all processes cover the batch in their order. They have equal lengths if the
        number of all devices divides `number`.
        """


class OneProcess:
    """A process that trains alone."""

    is_main, count = True, 1

    def barrier(self) -> None:
        """Returns at once."""

    def any(self, flag: bool) -> bool:
        """Returns the flag of this process."""
        return flag

    def gather(self, value: bytes) -> list[bytes]:
        """Returns the value of this process."""
        return [value]

    def rows(self, number: int) -> slice:
        """Returns all rows."""
        return slice(0, number)


ALONE = OneProcess()
