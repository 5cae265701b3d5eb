"""Word links as GIZA++ and the shared tasks of WPT write them; both count words from 1.

GIZA++ and MGIZA (`.A3.final`) write three lines for a sentence pair. The last one has the source
words, each with the numbers of the target words that it is linked to; NULL is the empty word:

    # Sentence pair (1) source length 2 target length 3 alignment score : 0.0123
    ein kleines Haus
    NULL ({ 1 }) small ({ 2 }) house ({ 3 })

The shared tasks of NAACL 2003 and ACL 2005 (Mihalcea and Pedersen 2003) write a line for a link:
sentence, source word, target word, `S` (sure, if nothing is given) or `P` (possible), and a
confidence, which is not used here. Word 0 is the empty word:

    0001 1 2 P 0.5
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

from nmt.errors import DataError
from nmt.evaluation.alignment import GoldLinks, Link

SCORE = r"-?[0-9.]+(?:[eE][-+]?[0-9]+)?"  # of a link in any format; it is read over
WPT = "SENTENCE SOURCE TARGET [S|P] [CONFIDENCE] with numbers from 1"  # for messages

_HEADER = re.compile(r"# Sentence pair \(([0-9]+)\) ")
_SOURCE_WORD = re.compile(r"([^ \t]+)[ \t]+\(\{((?:[ \t]+[1-9][0-9]{0,8})*)[ \t]*\}\)[ \t]*")
_LINK = re.compile(
    rf"0*([1-9][0-9]{{0,6}})\s+([0-9]{{1,9}})\s+([0-9]{{1,9}})((?:\s+(?:[SP]|{SCORE})){{0,2}})"
)


def is_giza(line: str) -> bool:
    """Returns whether a file with this first line is in the format of GIZA++."""
    return _HEADER.match(line) is not None


def is_wpt(line: str) -> bool:
    """Returns whether a file with this first line is in the format of the shared tasks."""
    return _LINK.fullmatch(line.strip()) is not None


def read_giza(lines: Iterable[str], *, name: Path | str) -> Iterator[GoldLinks]:
    """Yields the links of each sentence pair.

    Raises:
        DataError: a line is malformed or missing, or the pairs are not in order.
    """
    unread = _without_blank_end(lines)
    for number, (header, _, words) in enumerate(zip_longest(unread, unread, unread), start=1):
        match = _HEADER.match(header)
        if match is None or int(match[1]) != number:
            raise DataError(
                f"{name}, line {3 * number - 2}: not the first line of sentence pair {number}; "
                "files of MGIZA's threads are put together by its merge_alignment.py"
            )
        if words is None:
            raise DataError(f"{name}: ends within sentence pair {number}, which has three lines")
        source = _SOURCE_WORD.findall(words)
        if not source or source[0][0] != "NULL" or _SOURCE_WORD.sub("", words):
            raise DataError(
                f"{name}, line {3 * number}: not the links of a sentence pair, "
                "NULL ({ }) WORD ({ 1 2 }) ..., in the format of GIZA++"
            )
        links = {
            (place, int(target) - 1)
            for place, (_, targets) in enumerate(source[1:])
            for target in targets.split()
        }
        yield GoldLinks(frozenset(links), frozenset())


def _without_blank_end(lines: Iterable[str]) -> Iterator[str]:
    blank = 0
    for line in lines:
        if line.strip():
            yield from [""] * blank
            yield line
            blank = 0
        else:
            blank += 1


def read_wpt(lines: Iterable[str], *, name: Path | str, sentences: int) -> Iterator[GoldLinks]:
    """Yields the links of each sentence, up to the last that has some, or to number `sentences`.

    Raises:
        DataError: a line is malformed.
    """
    found: defaultdict[int, tuple[set[Link], set[Link]]] = defaultdict(lambda: (set(), set()))
    for number, line in enumerate(lines, start=1):
        if not (bare := line.strip()):
            continue
        match = _LINK.fullmatch(bare)
        if match is None:
            raise DataError(f"{name}, line {number}: '{bare}' is no link of the form {WPT}")
        sentence, source, target = (int(match[group]) for group in (1, 2, 3))
        links = found[sentence]["P" in match[4]]
        if source and target:
            links.add((source - 1, target - 1))
    empty = GoldLinks(frozenset(), frozenset())
    for sentence in range(1, max(sentences, *found, 0) + 1):
        graded = map(frozenset, found[sentence]) if sentence in found else None
        yield GoldLinks(*graded) if graded else empty
