"""Members of groups of processes: threads that wait for each other, and one that is left alone."""

import dataclasses
import threading


@dataclasses.dataclass
class Second:
    """The second of two, of which the first is not there: it waits for nobody."""

    is_main: bool = False
    others: bool = False  # the flag of the one that is not there

    def barrier(self):
        pass

    def any(self, flag):
        return flag or self.others

    def rows(self, number):
        return slice(number // 2, number)


class Thread:
    """One of some threads that are members of one group."""

    def __init__(self, index, flags, barrier):
        self.is_main = index == 0
        self._index, self._flags, self._barrier = index, flags, barrier

    def barrier(self):
        self._barrier.wait()

    def any(self, flag):
        self._flags[self._index] = flag
        self.barrier()
        found = any(self._flags)
        self.barrier()  # none sets its next flag before all have read this one
        return found

    def rows(self, number):
        count = len(self._flags)
        return slice(self._index * number // count, (self._index + 1) * number // count)


def threads(count):
    """The members of a group of so many threads."""
    flags, barrier = [False] * count, threading.Barrier(count, timeout=60)
    return [Thread(index, flags, barrier) for index in range(count)]
