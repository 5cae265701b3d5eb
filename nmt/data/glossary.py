"""Glossaries: the target terms that a translation must have where its source has theirs."""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from nmt.arguments import checked_terms
from nmt.data import files
from nmt.data.phrases import capitalized, folded, occurrences
from nmt.errors import DataError


def entries(path: Path, *, names: tuple[str, str]) -> Iterator[tuple[int, str, str]]:
    """Yields the number of each line of a file, and its two texts, with a tab between them.

    Raises:
        DataError: there is no such file, or a line has not two texts; the message has `names`.
    """
    for number, line in enumerate(files.lines(files.find(path)), start=1):
        first, *others = line.split("\t")
        if not first.strip() or len(others) != 1:
            raise DataError(f"{path}, line {number}: not {names[0]}, one tab and {names[1]}")
        yield number, first, others[0]


class Glossary:
    """Target terms by source terms, which are found as whole words in any casing.

    An accented letter is the same whether it is one character or a letter and an accent.
    """

    def __init__(self, terms: Mapping[str, str]) -> None:
        """Takes the target term of each source term.

        Raises:
            DataError: a term is empty, or two are the same but for their casing.
            TypeError: the terms are no mapping, or one is no string.
        """
        terms = checked_terms(terms, "a glossary is a mapping from source terms to target terms")
        self.terms = dict[str, str]()
        self._sources = dict[str, str]()  # by the term in lower case
        for source, target in terms.items():
            self._add(source, target)

    @classmethod
    def read(cls, path: Path) -> "Glossary":
        """Reads a file: in each line a source term, a tab and the target term.

        Raises:
            DataError: there is no such file, a line is no entry, or two are of the same term.
        """
        glossary = cls({})
        for number, source, target in entries(path, names=("SOURCE TERM", "its TARGET TERM")):
            try:
                glossary._add(source, target)
            except DataError as error:
                raise DataError(f"{path}, line {number}: {error}") from None
        if not glossary.terms:
            raise DataError(f"{path}: the glossary is empty")
        return glossary

    def _add(self, source: str, target: str) -> None:
        source, target = _normalized(source), _spaced(target)
        if not source:
            raise DataError("a term of the glossary is empty")
        if not target:
            raise DataError(f"{source!r} has an empty target term")
        if other := self._sources.get(folded(source)):
            raise DataError(f"{source!r} is in the glossary already, as {other!r}")
        self.terms[source], self._sources[folded(source)] = target, source

    @cached_property
    def _longest_first(self) -> list[str]:
        return sorted(self._sources, key=len, reverse=True)

    def required(self, line: str) -> list[str]:
        """Returns the target terms for a line, in the order of its source terms.

        Of terms that overlap, the longest counts; of equally long ones, the first in the line.
        """
        text = _normalized(line)
        low, taken = folded(text), [False] * len(text)
        found: dict[int, str] = {}
        for term in self._longest_first:
            for begin in occurrences(term, low) if term in low else ():
                place = slice(begin, begin + len(term))
                if not any(taken[place]):
                    taken[place] = [True] * len(term)
                    source = self._sources[term]
                    found[begin] = _cased(
                        self.terms[source], text[place], source=source, begins=begin == 0
                    )
        return list(dict.fromkeys(found[begin] for begin in sorted(found)))


def _spaced(term: str) -> str:
    """Returns a term with one space between its words."""
    return " ".join(term.split())


def _normalized(source: str) -> str:
    """Returns a text of the source as it is compared: spaced, and in Unicode's form C."""
    return unicodedata.normalize("NFC", _spaced(source))


def _cased(target: str, written: str, *, source: str, begins: bool) -> str:
    """Returns a target term in the casing with which a line has its source term.

    A term in capitals gives capitals; and one that the glossary has without capital, but the line
    with one, a capital, unless the line begins with it, as any word does.
    """
    if written == source:
        return target
    if written.isupper() and len(written) > 1 and not source.isupper():
        return target.upper()
    raised = written[0].isupper() and not source[0].isupper()
    return capitalized(target) if raised and not begins else target
