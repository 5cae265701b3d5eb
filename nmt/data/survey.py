"""A first look at a parallel corpus: how much text there is, how long its lines are, its script."""

import sys
from array import array
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from unicodedata import normalize

import numpy as np
from fontTools import unicodedata as scripts

from nmt.data.texts import Pair
from nmt.errors import DataError
from nmt.evaluation.scripts import UNSPACED

LONG = 0.99  # a long line is one that so many lines are not longer than
COVERED = 0.9995  # of a text: what SentencePiece's authors suggest for Chinese
ENOUGH = 100_000  # distinct words, more than which are not counted
# Some texts in scripts without spaces are divided into words all the same: those with fewer
# characters between two spaces.
UNSPACED_WORD = 8


# How a text writes letters with marks: each as one character (NFC), as several (NFD), or both. A
# text in NFC with marks that Unicode joins with other letters counts as both, since users may write
# those apart.
Form = Literal["NFC", "NFD", "both"]


@dataclass(frozen=True)
class Side:
    """What one side of a corpus is like; lines are those of pairs with text on both sides.

    Characters are counted as NFC writes them.
    """

    words: float  # divided at white space, in a mean line
    long_words: int  # in a long line
    characters: float  # without spaces at the ends, in a mean line
    long_characters: int
    distinct: int  # characters
    common: int  # the most frequent characters that make up `COVERED` of the text
    script: str  # of most letters, such as `Latn`; "" where there are no letters
    vocabulary: int  # distinct words, of which `ENOUGH` are counted
    form: Form  # how letters with marks are written

    @property
    def script_name(self) -> str:
        """The script by its name, such as `Latin`."""
        return scripts.script_name(self.script) if self.script else "no letters"

    @property
    def unspaced(self) -> bool:
        """Whether its words are not divided by spaces."""
        spaces = self.words - 1
        return self.script in UNSPACED and spaces * UNSPACED_WORD < self.characters


@dataclass(frozen=True)
class Survey:
    """What a training corpus is like, and what it shares with the validation corpus."""

    pairs: int  # with text on both sides
    empty: int  # other pairs
    identical: int  # pairs whose target is the source
    validation: int  # pairs of validation
    known: int  # those of which a side is a line of training
    source: Side
    target: Side


@dataclass
class _Lines:
    """What is collected of the lines of one side."""

    words: "array[int]" = field(default_factory=lambda: array("I"))
    characters: "array[int]" = field(default_factory=lambda: array("I"))
    counts: Counter[str] = field(default_factory=Counter)
    vocabulary: set[str] = field(default_factory=set)
    composed: bool = True  # whether all lines are, but for the order of marks
    decomposed: bool = True

    def add(self, line: str) -> None:
        composed = normalize("NFC", line)
        self.composed &= composed == line or sorted(composed) == sorted(line)
        self.decomposed &= normalize("NFD", line) == line
        words = composed.split()
        self.words.append(len(words))
        self.characters.append(len(composed.strip()))
        self.counts.update(composed)
        if len(self.vocabulary) < ENOUGH:
            self.vocabulary.update(words)

    def side(self) -> Side:
        words, characters = np.array(self.words), np.array(self.characters)
        seen = {each: n for each, n in self.counts.items() if not each.isspace()}
        letters: Counter[str] = Counter()
        for each, count in seen.items():
            if each.isalpha():
                letters[scripts.script(each)] += count
        shares = np.cumsum(sorted(seen.values(), reverse=True)) / sum(seen.values())
        return Side(
            words=float(words.mean()),
            long_words=int(np.quantile(words, LONG, method="inverted_cdf")),
            characters=float(characters.mean()),
            long_characters=int(np.quantile(characters, LONG, method="inverted_cdf")),
            distinct=len(seen),
            common=int(np.searchsorted(shares, COVERED)) + 1,
            script=letters.most_common(1)[0][0] if letters else "",
            vocabulary=len(self.vocabulary),
            form=self._form(seen),
        )

    def _form(self, seen: Container[str]) -> Form:
        if self.composed:
            return "both" if any(mark in seen for mark in _marks()) else "NFC"
        return "NFD" if self.decomposed else "both"


@lru_cache(maxsize=1)
def _marks() -> frozenset[str]:
    """Returns the characters that NFC joins with others before them."""
    return frozenset(
        mark
        for character in map(chr, range(sys.maxunicode + 1))
        for mark in normalize("NFD", character)[1:]
    )


def survey(training: Iterable[Pair], validation: Iterable[Pair]) -> Survey:
    """Returns what a corpus is like; both corpora are read once.

    Raises:
        DataError: no pair of the training corpus has text on both sides.
    """
    held_out = list(validation)
    unseen = [{pair[place] for pair in held_out} for place in (0, 1)]
    known: tuple[set[str], set[str]] = (set(), set())
    sides = _Lines(), _Lines()
    empty = identical = 0
    for pair in training:
        if not all(line.strip() for line in pair):
            empty += 1
            continue
        identical += pair[0].split() == pair[1].split()
        for place, line in enumerate(pair):
            sides[place].add(line)
            if line in unseen[place]:
                known[place].add(line)
    if not sides[0].words:
        raise DataError(f"none of the {empty:,} training pairs has text on both sides")
    return Survey(
        pairs=len(sides[0].words),
        empty=empty,
        identical=identical,
        validation=len(held_out),
        known=sum(pair[0] in known[0] or pair[1] in known[1] for pair in held_out),
        source=sides[0].side(),
        target=sides[1].side(),
    )
