"""Sentence pairs with their gold word alignment, in splits that have no sentence in common."""

import zlib
from collections import defaultdict
from collections.abc import Iterator
from random import Random

from demo_corpus.english import english_clause
from demo_corpus.german import german_main_clause, german_subordinate_clause
from demo_corpus.meaning import Sentence, Word
from demo_corpus.sentences import Speaker
from nmt.data.embedded import SentencePair

SIZES = {"train": 12_000, "validation": 300, "test": 500}
_LENGTHS = range(3, 17)  # German words


def generate(split: str, *, seed: int = 1, size: int | None = None) -> list[SentencePair]:
    """Returns `size` different pairs of a split: as many as `SIZES` has for it, if not given.

    The same seed gives the same pairs in the same order on all platforms; a smaller size gives the
    first of them. A German sentence has one translation, and no German or English sentence is in
    two splits, not even with different seeds.

    Raises:
        KeyError: there is no such split.
    """
    usual = SIZES[split]
    wanted = usual if size is None else size
    speaker = Speaker(Random(seed))
    pairs: dict[str, SentencePair] = {}
    while len(pairs) < wanted:
        pair = translate(speaker.sentence())
        if len(pair.source.split()) in _LENGTHS and _split_of(pair) == split:
            pairs[pair.source] = pair
    return list(pairs.values())


def translate(sentence: Sentence) -> SentencePair:
    """Returns a sentence in both languages, with links between words that express the same unit."""
    clauses = _clauses(sentence)
    german, english = zip(*clauses, strict=True)
    comma = ", " if sentence.front == "clause" else " "
    return SentencePair(_text(german, ", "), _text(english, comma), frozenset(_links(clauses)))


def _clauses(sentence: Sentence) -> list[tuple[list[Word], list[Word]]]:
    """Returns the clauses in their order, which is the same in both languages."""
    main, front, other = sentence.main, sentence.front, sentence.subordinate
    clauses = [(german_main_clause(main, front), english_clause(main, front))]
    if other and sentence.conjunction:
        german, english = (Word(text, ("conjunction",)) for text in sentence.conjunction)
        subordinate = [german, *german_subordinate_clause(other)], [english, *english_clause(other)]
        clauses.insert(0 if front == "clause" else 1, subordinate)
    return clauses


def _links(clauses: list[tuple[list[Word], list[Word]]]) -> Iterator[tuple[int, int]]:
    source_start = target_start = 0
    for german, english in clauses:
        places = defaultdict(list)
        for source, word in enumerate(german, start=source_start):
            for unit in word.units:
                places[unit].append(source)
        for target, word in enumerate(english, start=target_start):
            for unit in word.units:
                yield from ((source, target) for source in places[unit])
        source_start += len(german)
        target_start += len(english)


def _text(clauses: tuple[list[Word], ...], comma: str) -> str:
    text = comma.join(" ".join(word.text for word in clause) for clause in clauses)
    return f"{text[0].upper()}{text[1:]}."


def _split_of(pair: SentencePair) -> str:
    """Returns the split by a hash of the translation, which several German sentences may share."""
    bucket = zlib.crc32(pair.target.encode()) % 10
    return {0: "test", 1: "validation"}.get(bucket, "train")
