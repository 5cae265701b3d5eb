"""The processes that train one model together, as each of them sees them: today, one.

Whatever differs between processes asks here. What is the same in all of them does not: the plan of
an epoch, the decisions after a validation, the position.
"""

from typing import Protocol, runtime_checkable


@runtime_checkable
class ProcessGroup(Protocol):
    """The processes of one training; each asks the same, in the same order."""

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes the run folder and the terminal."""

    def barrier(self) -> None:
        """Waits until all processes are here."""

    def any(self, flag: bool) -> bool:
        """Returns, in every process, whether one of them has the flag set."""

    def rows(self, number: int) -> slice:
        """Returns which of so many rows of a batch are this process's.

        Those of all processes, in their order, are all rows once, and each has as many, if it is a
        number that the devices of all processes divide.
        """


class OneProcess:
    """A process that trains by itself."""

    is_main = True

    def barrier(self) -> None:
        """Goes on: there is nobody to wait for."""

    def any(self, flag: bool) -> bool:
        """Returns the flag of this process."""
        return flag

    def rows(self, number: int) -> slice:
        """Returns all rows."""
        return slice(0, number)


ALONE = OneProcess()
