"""Members of groups of processes: threads that wait for each other, and one that is left alone."""

import dataclasses
import threading


@dataclasses.dataclass
class Second:
    """The second of two, of which the first is not there: it waits for nobody.

    It reads the first rows, of which there always are some.
    """

    is_main: bool = False
    count: int = 2
    others: bool = False  # the flag of the one that is not there

    def barrier(self):
        pass

    def any(self, flag):
        return flag or self.others

    def gather(self, value):
        return [value, value]

    def rows(self, number):
        return slice(0, number // 2)


class Thread:
    """One of some threads that are members of one group."""

    def __init__(self, index, told, barrier):
        self.is_main, self.count = index == 0, len(told)
        self._index, self._told, self._barrier = index, told, barrier

    def barrier(self):
        self._barrier.wait()

    def any(self, flag):
        return any(self.gather(flag))

    def gather(self, value):
        self._told[self._index] = value
        self.barrier()
        found = list(self._told)
        self.barrier()  # none tells its next value before all have read this one
        return found

    def rows(self, number):
        return slice(self._index * number // self.count, (self._index + 1) * number // self.count)


def threads(count):
    """The members of a group of so many threads."""
    told, barrier = [None] * count, threading.Barrier(count, timeout=60)
    return [Thread(index, told, barrier) for index in range(count)]
