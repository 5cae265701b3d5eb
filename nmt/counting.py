"""Numbers of things, as messages write them."""

from collections.abc import Sequence


def counted(number: int, thing: str) -> str:
    """Returns a number and its noun: `1 line`, `2 lines`, `1,000 lines`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def first(things: Sequence[object], most: int) -> str:
    """Returns the first things of many, and how many more there are: `1, 2, 3 and 7 more`."""
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return ", ".join(map(str, things[:most])) + more
