"""The embedded corpus."""

import zlib
from collections import defaultdict
from dataclasses import dataclass
from random import Random
from typing import Literal

from nmt.data.grammar.english import english_clause
from nmt.data.grammar.german import german_main_clause, german_subordinate_clause
from nmt.data.grammar.meaning import Sentence, Word
from nmt.data.grammar.sentences import Speaker


@dataclass(frozen=True)
class SentencePair:
    source: str
    target: str
    links: frozenset[tuple[int, int]]


def say(sentence: Sentence) -> SentencePair:
    german = [german_main_clause(sentence.main, sentence.front)]
    english = [english_clause(sentence.main, sentence.front)]
    if sentence.subordinate and sentence.conjunction:
        place = 0 if sentence.front == "clause" else 1
        g, e = sentence.conjunction
        german.insert(place, [Word(g, ("conjunction",)), *german_subordinate_clause(sentence.subordinate)])
        english.insert(place, [Word(e, ("conjunction",)), *english_clause(sentence.subordinate)])
    links = set()
    i = j = 0
    for source, target in zip(german, english, strict=True):
        places = defaultdict(list)
        for n, word in enumerate(source):
            for unit in word.units:
                places[unit].append(i + n)
        for m, word in enumerate(target):
            for unit in word.units:
                links |= {(n, j + m) for n in places[unit]}
        i += len(source)
        j += len(target)
    comma = ", " if sentence.front == "clause" else " "
    return SentencePair(_text(german, ", "), _text(english, comma), frozenset(links))


def _text(clauses: list[list[Word]], comma: str) -> str:
    text = comma.join(" ".join(word.text for word in clause) for clause in clauses)
    return f"{text[0].upper()}{text[1:]}."


def generate(split, *, seed=1, size=None):
    random = Random(seed)
    speaker = Speaker(random)
    size = size or {"train": 12000, "validation": 300, "test": 500}[split]
    pairs = {}
    while len(pairs) < size:
        pair = say(speaker.sentence())
        if pair.source not in pairs and _split(pair.target) == split:
            pairs[pair.source] = pair
    return list(pairs.values())


def _split(target):
    h = zlib.crc32(target.encode()) % 20
    return "train" if h < 18 else "validation" if h < 19 else "test"
