"""Type checks of the arguments that callers give a translator."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

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


def checked_pair(pair: Any) -> tuple[str, str]:
    """Returns the pair.

    Raises:
        TypeError: it is not a pair of strings.
    """
    match pair:
        case (str(source), str(target)):
            return source, target
    raise TypeError(f"align_stream takes pairs (source, target) of strings, and one is {pair!r}")
