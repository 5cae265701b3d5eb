"""Word links in Pharaoh format: one line per sentence, `i-j` links source word i and target j."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nmt.errors import DataError
from nmt.evaluation.alignment import GoldLinks, Link

_LINK = re.compile("([0-9]{1,9})([-p])([0-9]{1,9})")
_SIDES = ("source", "target")


def format_links(links: Iterable[Link]) -> str:
    """Returns links as a line in Pharaoh format, sorted: `0-0 1-2`."""
    return " ".join(f"{source}-{target}" for source, target in sorted(links))


def parse_links(line: str) -> GoldLinks:
    """Reads a line in Pharaoh format: `i-j` is a sure link, `ipj` a possible one.

    Raises:
        DataError: a token is neither.
    """
    links: dict[str, set[Link]] = {"-": set(), "p": set()}
    for token in line.split():
        match = _LINK.fullmatch(token)
        if not match:
            raise DataError(f"'{token}' is no link; write 0-2 for a sure, 0p2 for a possible one")
        links[match[2]].add((int(match[1]), int(match[3])))
    return GoldLinks(sure=frozenset(links["-"]), possible=frozenset(links["p"]))


def read_links(lines: Iterable[str], *, name: Path | str) -> Iterator[frozenset[Link]]:
    """Yields the links of each line; `name` is the name of the file in messages.

    Raises:
        DataError: a token is no link, or a possible link, which only gold links can be.
    """
    for number, links in enumerate(_parse(lines, name=name), start=1):
        if graded := links.possible - links.sure:
            source, target = min(graded)
            raise DataError(
                f"{name}, line {number}: '{source}p{target}' is a possible link, as only gold "
                f"links can be; write {source}-{target}"
            )
        yield links.sure


def read_gold(
    lines: Iterable[str],
    *,
    name: Path | str,
    source_lines: Iterable[str] | None = None,
    target_lines: Iterable[str] | None = None,
) -> list[GoldLinks]:
    """Reads gold links, one line per sentence, and checks them against the text, if it is given.

    `name` is the name of the file in messages. Words are what `split()` finds in the lines.

    Raises:
        DataError: a token is no link, a link lies outside its sentence, or the numbers of lines
            differ.
    """
    gold = list(_parse(lines, name=name))
    for side, text in enumerate((source_lines, target_lines)):
        if text is None:
            continue
        lengths = [len(line.split()) for line in text]
        if len(gold) != len(lengths):
            raise DataError(
                f"{name} aligns {len(gold)} sentences but there are {len(lengths)} {_SIDES[side]} "
                "lines; they must correspond line for line"
            )
        for number, (links, words) in enumerate(zip(gold, lengths, strict=True), start=1):
            check_inside(links.possible, words, side=side, where=f"{name}, line {number}")
    return gold


def check_inside(links: Iterable[Link], words: int, *, side: int, where: str) -> None:
    """Checks that links are within a sentence of so many words; side 0 is the source, 1 the target.

    Raises:
        DataError: a link is outside; the message starts with `where`.
    """
    for link in sorted(links):
        if link[side] >= words:
            raise DataError(
                f"{where}: link {link[0]}-{link[1]} lies outside the {words} {_SIDES[side]} "
                "words; words are counted from 0"
            )


def _parse(lines: Iterable[str], *, name: Path | str) -> Iterator[GoldLinks]:
    for number, line in enumerate(lines, start=1):
        try:
            yield parse_links(line)
        except DataError as error:
            raise DataError(f"{name}, line {number}: {error}") from None
