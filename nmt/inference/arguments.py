"""What callers of a translator give it, which is checked for being what it asks for."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

_Item = TypeVar("_Item")


def checked(items: Any, kind: type[_Item], rule: str) -> Iterator[_Item]:
    """Yields items, and sees to it that they are of a kind, as the rule says.

    Raises:
        TypeError: they are not.
    """
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise TypeError(f"{rule}, not {type(items).__name__}")
    for item in items:
        if not isinstance(item, kind):
            raise TypeError(f"{rule}, and one is {type(item).__name__}")
        yield item


def checked_pair(pair: Any) -> tuple[str, str]:
    """Returns a pair of strings.

    Raises:
        TypeError: it is none.
    """
    match pair:
        case (str(source), str(target)):
            return source, target
    raise TypeError(f"align_stream takes pairs (source, target) of strings, and one is {pair!r}")
