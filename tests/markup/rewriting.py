"""A document whose segments are translated by a rule: words in another order, with known links."""

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st

from nmt.inference.translation import Translation
from nmt.markup.document import KINDS
from nmt.markup.parts import segments
from nmt.markup.segment import Segment


def by_links(line: str, words: Sequence[tuple[str, Sequence[int]]]) -> Translation:
    """Returns a translation of given words, each with the numbers of its source words."""
    source, text = line.split(" "), " ".join(word for word, _ in words)
    attention = np.zeros((len(words) + 1, len(source) + 1), np.float32)
    for row, (_, links) in enumerate(words):
        attention[row, list(links)] = 1 / max(len(links), 1)
    return Translation(
        line,
        text,
        0.0,
        0.0,
        ("?",) * len(source) + ("</s>",),
        ("?",) * len(words) + ("</s>",),
        attention,
        source_offsets=_places(source),
        target_offsets=_places([word for word, _ in words]),
    )


def capitals(line):
    """Translates each word by itself in capital letters."""
    return by_links(line, [(word.upper(), [i]) for i, word in enumerate(line.split(" "))])


def backwards(line):
    """Translates from the last word to the first."""
    words = line.split(" ")
    return by_links(line, [(words[i].upper(), [i]) for i in reversed(range(len(words)))])


@st.composite
def translations(draw):
    """A rule by which lines are translated: a random order, links, and words without any."""
    seed = draw(st.randoms(use_true_random=False))

    def translate(line):
        words = [
            (seed.choice([word, word.upper(), "«x»", f"{word},"]), [i][: seed.randint(0, 4)])
            for i, word in enumerate(line.split(" "))
            if seed.random() < 0.8
        ]
        seed.shuffle(words)
        return by_links(line, words)

    return translate


def rewritten(document: str, translate: Callable[[str], Translation], kind: str = "html") -> str:
    """Returns a document with each segment as `translate` translates its line."""
    language = KINDS[kind]
    return "".join(
        each
        if isinstance(each, str)
        else language.restored(segment := Segment(each, range(256)), translate(segment.line))
        for each in segments(language.parse(document))
    )


def _places(words: Sequence[str]) -> list[tuple[int, int]]:
    ends = np.cumsum([len(word) + 1 for word in words]).tolist()
    return [(end - len(word) - 1, end - 1) for word, end in zip(words, ends, strict=True)]
