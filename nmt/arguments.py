"""Checks of the arguments that callers give in Python."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from nmt.counting import counted
from nmt.errors import DataError

_Item = TypeVar("_Item")


def check(given: Any, kind: type, rule: str) -> None:
    """Checks the type of an argument; `rule` begins the error message.

    Raises:
        TypeError: it has another type.
    """
    if not isinstance(given, kind):
        raise TypeError(f"{rule}, not {type(given).__name__}")


def checked(items: Any, kind: type[_Item], rule: str) -> Iterator[_Item]:
    """Yields the items, after checking their type; `rule` begins the error message.

    Raises:
        TypeError: `items` is no iterable, or an item has another type.
        DataError: an item is a string with half of a surrogate pair.
    """
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise TypeError(f"{rule}, not {type(items).__name__}")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, kind):
            raise TypeError(f"{rule}, and one is {type(item).__name__}")
        if isinstance(item, str) and not is_whole(item):
            raise DataError(
                f"string {number}: half of a surrogate pair, which is no character; replace it"
            )
        yield item


def checked_terms(terms: Any, rule: str) -> dict[str, str]:
    """Returns a mapping from strings to strings; `rule` begins the error message.

    Raises:
        TypeError: it is none.
    """
    check(terms, Mapping, rule)
    for term in (*terms, *terms.values()):
        if not isinstance(term, str):
            raise TypeError(f"{rule}, and one is {type(term).__name__}")
    return dict(terms)


def checked_sides(sources: Any, targets: Any) -> list[tuple[str, str]]:
    """Returns the pairs of two sides that `align` takes.

    Raises:
        TypeError: one of them is no iterable of strings.
        DataError: they differ in length, or a string has half of a surrogate pair.
    """
    rule = "align takes two strings, or an iterable of strings on both sides"
    sides = [list(checked(side, str, rule)) for side in (sources, targets)]
    if len(sides[0]) != len(sides[1]):
        sources, targets = (len(side) for side in sides)
        raise DataError(f"{counted(sources, 'source line')} but {counted(targets, 'target line')}")
    return list(zip(*sides, strict=True))


def is_whole(text: str) -> bool:
    """Returns whether a text consists of characters, which can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_pair(pair: Any) -> tuple[str, str]:
    """Returns the pair.

    Raises:
        TypeError: it is not a pair of strings.
    """
    match pair:
        case (str(source), str(target)):
            return source, target
    raise TypeError(f"align_stream takes pairs (source, target) of strings, and one is {pair!r}")
