"""What is done to a corpus: three functions, which are sent to the processes of a cluster."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """Reads rows, and turns windows of them into text; every part of it can be pickled.

    Attributes:
        read: Yields the rows of a shard, given its files.
        load: Returns what `write` needs, such as a translator; called once in each process.
        write: Returns the text for each file of results, given what is loaded, the rows of a
            window, and the number of rows before it.
        window: The number of rows that are worked on together.
    """

    read: Callable[[Sequence[Path]], Iterator[Any]]
    load: Callable[[], Any]
    write: Callable[[Any, Sequence[Any], int], Sequence[str]]
    window: int
