"""The progress bar of a long translation."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

_Item = TypeVar("_Item")


def shown(items: Iterator[_Item], source: Path, *, done: int, window: int) -> Iterator[_Item]:
    """Yields items, one for each line of a file, and shows on standard error how many have come.

    A file of less than a window has no bar, since its lines come all at once; `done` lines have
    been finished before.
    """
    from rich import progress
    from rich.console import Console

    from nmt.data import files

    total = sum(1 for _ in files.lines(source, replace=True))
    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("lines"),
        progress.TimeElapsedColumn(),
        progress.TextColumn("and still"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns,
        console=Console(file=sys.stderr),
        transient=True,
        redirect_stdout=False,  # where the translations go
        disable=total <= window,
    ) as bar:
        yield from bar.track(items, total=total, completed=done)
