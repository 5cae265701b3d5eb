"""The embedded corpus: simple German sentences, their English translations, and gold word links.

`tools/demo_corpus` writes it into the file beside this module: one pair a line, with its split, the
two sentences and their links in Pharaoh format, separated by tabs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nmt.data import files
from nmt.errors import DataError
from nmt.evaluation.alignment import Link
from nmt.evaluation.pharaoh import parse_links

PATH = Path(__file__).with_name("embedded.tsv.gz")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SentencePair:
    """A German sentence, its English translation, and their gold alignment.

    A link is (source word, target word), counted from 0 between spaces, so punctuation belongs
    to the word before it. Every word has a link; a word without a counterpart is linked as part of
    a phrase: "hat gelesen" with "read", "liest" with "does" and "read", "im" with "in the", "kein"
    with "not" and "a".
    """

    source: str
    target: str
    links: frozenset[Link]


def pairs(split: str) -> list[SentencePair]:
    """Returns the pairs of a split: 12,000 for train, 300 for validation, 500 for test.

    Raises:
        DataError: there is no such split.
    """
    return [
        SentencePair(source, target, parse_links(links).sure)
        for source, target, links in rows(PATH, split, name="the embedded corpus")
    ]


def rows(path: Path, split: str, *, name: str) -> Iterator[list[str]]:
    """Yields the columns of a split in a file whose first column is the split of each line.

    Raises:
        DataError: the corpus, of this name, has no such split.
    """
    if split not in SPLITS:
        raise DataError(f"{name} has no split {split!r}; choose from {', '.join(SPLITS)}")
    for line in files.lines(path):
        own, *columns = line.split("\t")
        if own == split:
            yield columns
