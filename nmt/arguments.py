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
        TypeError: `items` is no iterable, or is one of names, as a mapping or a data frame is, or
            an item has another type.
        DataError: an item is a string with half of a surrogate pair.
    """
    of_names = isinstance(items, Mapping) or (kind is str and getattr(items, "ndim", 1) > 1)
    if isinstance(items, str | bytes) or of_names or not isinstance(items, Iterable):
        raise TypeError(f"{rule}, not {type(items).__name__}")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, kind):
            raise TypeError(f"{rule}, and one is {type(item).__name__}")
        if isinstance(item, str):
            check_whole(item, name=f"string {number}")
        yield item


def checked_terms(terms: Any, rule: str) -> dict[str, str]:
    """Returns a mapping from strings to strings; `rule` begins the error message.

    Raises:
        TypeError: it is none.
        DataError: a string has half of a surrogate pair.
    """
    check(terms, Mapping, rule)
    for term in (*terms, *terms.values()):
        if not isinstance(term, str):
            raise TypeError(f"{rule}, and one is {type(term).__name__}")
        check_whole(term, name=f"the term {term!r}")
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


def check_whole(text: str, *, name: str) -> None:
    """Checks that a text, which has a name for messages, consists of characters.

    Raises:
        DataError: it has half of a surrogate pair.
    """
    if not is_whole(text):
        raise DataError(f"{name}: half of a surrogate pair, which is no character; replace it")


def checked_pair(pair: Any) -> tuple[str, str]:
    """Returns the pair.

    Raises:
        TypeError: it is not a pair of strings.
        DataError: a string has half of a surrogate pair.
    """
    match pair:
        case (str(source), str(target)):
            check_whole(source, name=f"the source {source!r}")
            check_whole(target, name=f"the target {target!r}")
            return source, target
    raise TypeError(f"align_stream takes pairs (source, target) of strings, and one is {pair!r}")
