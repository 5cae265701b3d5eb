"""Word links in Pharaoh format: one line per sentence, `i-j` links source word i and target j.

Files of links may also be in the formats of `link_formats`, which their first line tells.
"""

import re
import warnings
from collections.abc import Iterable, Iterator
from itertools import chain, islice, zip_longest
from pathlib import Path

from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.counting import counted
from nmt.errors import DataError
from nmt.evaluation import link_formats
from nmt.evaluation.alignment import GoldLinks, Link
from nmt.evaluation.words import Ambiguity, split

# A score, as Marian and others write it after a colon, is read over.
_LINK = re.compile(f"([0-9]{{1,9}})([-p])([0-9]{{1,9}})(?::{link_formats.SCORE})?")
_SIDES = ("source", "target")
SUBTRACT = "subtract 1 from each number"  # the remedy for links that are not gold


def format_links(links: Iterable[Link]) -> str:
    """Returns links as a line in Pharaoh format, sorted: `0-0 1-2`."""
    return " ".join(f"{source}-{target}" for source, target in sorted(links))


def parse_links(line: str, *, one_based: bool = False) -> GoldLinks:
    """Reads a line in Pharaoh format: `i-j` is a sure link, `ipj` a possible one.

    With `one_based`, the numbers in the line count from 1. Scores are not used: that of a link,
    as in `0-1:0.73`, and that of the sentence, after `|||`, which `fast_align -s` writes.

    Raises:
        DataError: a token is neither, or is 0 with `one_based`.
    """
    links: dict[str, set[Link]] = {"-": set(), "p": set()}
    for token in line.partition("|||")[0].split():
        match = _LINK.fullmatch(token)
        if not match:
            remedy = "write 0-2 for a sure, 0p2 for a possible one"
            if token.isdecimal():  # of a line for each link, perhaps
                remedy += f", or all lines in the format of WPT, {link_formats.WPT}"
            raise DataError(f"'{token}' is no link; {remedy}")
        source, target = int(match[1]) - one_based, int(match[3]) - one_based
        if source < 0 or target < 0:
            raise DataError(f"'{token}' counts words from 0; leave out --one-based")
        links[match[2]].add((source, target))
    return GoldLinks(sure=frozenset(links["-"]), possible=frozenset(links["p"]))


def read_links(
    lines: Iterable[str], *, name: Path | str, sentences: int = 0, warn: bool = True
) -> Iterator[frozenset[Link]]:
    """Yields the links of each sentence; `name` is the name of the file in messages.

    `sentences` is the number of sentences, if it is known: a file with a line for each link does
    not tell of sentences without links at its end. With `warn`, a warning says if no link of a
    file in Pharaoh format has a 0.

    Raises:
        DataError: a token is no link, or a possible link, which only gold links can be.
    """
    first, lines = begun(lines)
    remedy = SUBTRACT if warn else None
    found = _read(first, lines, name=name, sentences=sentences, remedy=remedy)
    for number, links in enumerate(found, start=1):
        if graded := links.possible - links.sure:
            source, target = min(graded)
            written, sure = f"{source}p{target}", f"{source}-{target}"
            if link_formats.is_wpt(first):
                written, sure = f"{number} {source + 1} {target + 1} P", "S instead of P"
            raise DataError(
                f"{name}, sentence {number}: '{written}' is a possible link, as only gold links "
                f"can be; write {sure}"
            )
        yield links.sure


def read_gold(
    lines: Iterable[str],
    *,
    name: Path | str,
    one_based: bool = False,
    source_lines: Iterable[str] | None = None,
    target_lines: Iterable[str] | None = None,
    word_boundaries: WordBoundaries = WORD_BOUNDARIES,
) -> list[GoldLinks]:
    """Reads gold links and checks them against the text, if it is given.

    `name` is the name of the file in messages. With `one_based`, a Pharaoh file counts from 1; the
    other formats always do. Words are what `split` finds in the lines with `word_boundaries`; a
    warning says if that matters.

    Raises:
        DataError: a token is no link, a link lies outside its sentence, or the numbers of sentences
            differ.
    """
    texts = {
        side: list(lines)
        for side, lines in enumerate((source_lines, target_lines))
        if lines is not None
    }
    ambiguity = Ambiguity(name, word_boundaries)
    for number, sides in enumerate(zip_longest(*texts.values(), fillvalue=""), start=1):
        ambiguity.add(number, *sides)
    ambiguity.warn()
    sentences = max(map(len, texts.values()), default=0)
    first, lines = begun(lines)
    remedy = "give --one-based"
    found = _read(first, lines, name=name, sentences=sentences, remedy=remedy, one_based=one_based)
    gold = list(found)
    counted_from = 1 if one_based else counts_from(first)
    for side, text in texts.items():
        if len(gold) != len(text):
            raise DataError(
                f"{name} aligns {counted(len(gold), 'sentence')}, and the {_SIDES[side]} has "
                f"{counted(len(text), 'line')}; each line of the text is a sentence"
            )
        for number, (links, line) in enumerate(zip(gold, text, strict=True), start=1):
            words = len(split(line, word_boundaries))
            where = f"{name}, sentence {number}"
            check_inside(links.possible, words, side=side, where=where, counted_from=counted_from)
    return gold


def begun(lines: Iterable[str]) -> tuple[str, Iterator[str]]:
    """Returns the first line of a file, which tells its format, and all lines."""
    unread = iter(lines)
    read = list(islice(unread, 1))
    return "".join(read), chain(read, unread)


def is_pharaoh(line: str) -> bool:
    """Returns whether a file with this first line is in Pharaoh format."""
    return not (link_formats.is_giza(line) or link_formats.is_wpt(line))


def counts_from(line: str) -> int:
    """Returns the number of the first word in a file with this first line."""
    return 0 if is_pharaoh(line) else 1


def warn_without_zero(name: Path | str, remedy: str) -> None:
    """Warns of a file in Pharaoh format in which no link has a 0."""
    warnings.warn(f"{name}: no link has a 0; if words are counted from 1, {remedy}", stacklevel=3)


def check_inside(
    links: Iterable[Link], words: int, *, side: int, where: str, counted_from: int = 0
) -> None:
    """Checks that links are within a sentence of so many words; side 0 is the source, 1 the target.

    Raises:
        DataError: a link is outside; the message starts with `where`, and has the link as it is
            written in a file that counts words from 0 or 1.
    """
    for link in sorted(links):
        if link[side] >= words:
            raise DataError(
                f"{where}: link {link[0] + counted_from}-{link[1] + counted_from} lies outside the "
                f"{counted(words, f'{_SIDES[side]} word')}; words are counted from {counted_from}"
            )


def _read(
    first: str,
    lines: Iterable[str],
    *,
    name: Path | str,
    sentences: int,
    remedy: str | None,
    one_based: bool = False,
) -> Iterator[GoldLinks]:
    """Yields the links of each sentence in a file of any format.

    `remedy` is that of a Pharaoh file that may count from 1; without it, there is no warning.
    """
    giza, wpt = link_formats.is_giza(first), link_formats.is_wpt(first)
    if one_based and (giza or wpt):
        raise DataError(f"{name}: this format always counts words from 1; leave out --one-based")
    if giza:
        return link_formats.read_giza(lines, name=name)
    if wpt:
        return link_formats.read_wpt(lines, name=name, sentences=sentences)
    return _read_pharaoh(lines, name=name, remedy=remedy, one_based=one_based)


def _read_pharaoh(
    lines: Iterable[str], *, name: Path | str, remedy: str | None, one_based: bool
) -> Iterator[GoldLinks]:
    any_link = any_zero = one_based
    for number, line in enumerate(lines, start=1):
        try:
            links = parse_links(line, one_based=one_based)
        except DataError as error:
            raise DataError(f"{name}, line {number}: {error}") from None
        any_link = any_link or bool(links.possible)
        any_zero = any_zero or any(0 in link for link in links.possible)
        yield links
    if remedy and any_link and not any_zero:
        warn_without_zero(name, remedy)
