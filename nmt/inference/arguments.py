"""Type checks of the arguments that callers give a translator."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from nmt.counting import counted
from nmt.errors import DataError

_Item = TypeVar("_Item")


def checked(items: Any, kind: type[_Item], rule: str) -> Iterator[_Item]:
    """Yields the items, after checking their type; `rule` begins the error message.

    Raises:
        TypeError: `items` is no iterable, or an item has another type.
    """
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise TypeError(f"{rule}, not {type(items).__name__}")
    for item in items:
        if not isinstance(item, kind):
            raise TypeError(f"{rule}, and one is {type(item).__name__}")
        yield item


def checked_sides(sources: Any, targets: Any) -> list[tuple[str, str]]:
    """Returns the pairs of two sides that `align` takes.

    Raises:
        TypeError: one of them is no iterable of strings.
        DataError: they differ in length.
    """
    rule = "align takes two strings, or an iterable of strings on both sides"
    sides = [list(checked(side, str, rule)) for side in (sources, targets)]
    if len(sides[0]) != len(sides[1]):
        sources, targets = (len(side) for side in sides)
        raise DataError(f"{counted(sources, 'source line')} but {counted(targets, 'target line')}")
    return list(zip(*sides, strict=True))


def checked_pair(pair: Any) -> tuple[str, str]:
    """Returns the pair.

    Raises:
        TypeError: it is not a pair of strings.
    """
    match pair:
        case (str(source), str(target)):
            return source, target
    raise TypeError(f"align_stream takes pairs (source, target) of strings, and one is {pair!r}")
