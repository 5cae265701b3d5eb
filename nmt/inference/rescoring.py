"""Rescoring: the entries of an n-best list are scored by forced decoding, and ranked anew."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, tee

from nmt.data.n_best import Entry
from nmt.inference.translator import Translator


@dataclass(frozen=True)
class Scored:
    """An entry with the score of each system; see `Translator.align`."""

    entry: Entry
    scores: tuple[float, ...]


def score(
    systems: Sequence[Translator], entries: Iterable[tuple[Entry, str]]
) -> Iterator[list[Scored]]:
    """Yields the entries of each sentence, in their order, with a window of them in memory.

    Args:
        systems: which score; each may be an ensemble, or write from right to left.
        entries: with the source sentence of each.
    """
    entries, *copies = tee(entries, len(systems) + 1)
    columns = [_scores(*each) for each in zip(systems, copies, strict=True)]
    rows = zip(zip(*columns, strict=True), entries, strict=True)
    scored = (Scored(entry, scores) for scores, (entry, _) in rows)
    for _, group in groupby(scored, key=lambda each: each.entry.number):
        yield list(group)


def ranked(
    scored: Sequence[Scored], weights: Sequence[float], *, names: Sequence[str]
) -> list[Entry]:
    """Returns entries by the weighted sum of their scores, best first; of equal ones as they were.

    Each has this sum as its score, and the score of each system as a feature of that name.
    """
    totals = [sum(w * s for w, s in zip(weights, each.scores, strict=True)) for each in scored]
    best_first = sorted(zip(totals, scored, strict=True), key=lambda pair: pair[0], reverse=True)
    return [
        each.entry.rescored(total, dict(zip(names, each.scores, strict=True)))
        for total, each in best_first
    ]


def _scores(system: Translator, entries: Iterable[tuple[Entry, str]]) -> Iterator[float]:
    pairs = ((source, entry.text) for entry, source in entries)
    return (aligned.score for aligned in system.align_stream(pairs))
