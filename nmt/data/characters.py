"""Which characters of a corpus a tokenizer does not keep."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from nmt.counting import first
from nmt.data.files import LINE_BREAKS
from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers

NAMED = 10  # characters in a line


def report(
    parts: Sequence[Any], tokenizers: Tokenizers, *, sides: Sequence[str] = ("source", "target")
) -> Iterator[str]:
    """Yields a line for each side, `source` and `target`, with characters that are not kept.

    The parts of a corpus, such as training and validation text, have a column for each side. One
    more line says that translations will be in another Unicode form than target text.
    """
    for side in sides:
        lines = (line for part in parts for line in part[side])
        if counts := lost(lines, getattr(tokenizers, side)):
            named = first([f"{_shown(each)} {n:,}" for each, n in counts.most_common()], NAMED)
            yield (
                f"characters of the {side} text that the tokenizer lacks or changes, with how "
                f"often they occur: {named}"
            )
    targets = (line for part in parts for line in part["target"])
    if composed := sum(_is_composed(line, tokenizers.target) for line in targets):
        yield (
            f"lines of the target text that the tokenizer writes in NFC: {composed:,}; compare "
            "translations with references in NFC"
        )


def _is_composed(line: str, tokenizer: Tokenizer) -> bool:
    """Returns whether a line is not in NFC, and is once it was encoded and decoded."""
    if unicodedata.is_normalized("NFC", line):
        return False
    return unicodedata.is_normalized("NFC", tokenizer.decode(tokenizer.encode(line)))


def lost(lines: Iterable[str], tokenizer: Tokenizer) -> Counter[str]:
    """Returns the characters that become others, or unknown, with their counts.

    Spaces and line breaks are not counted: they separate words and sentences.
    """

    @cache
    def kept(character: str) -> bool:
        separates = character == " " or character in LINE_BREAKS
        return separates or tokenizer.decode(tokenizer.encode(character)) == character

    counts: Counter[str] = Counter()
    for line in lines:
        if not all(map(kept, set(line))):  # it may yet be a part of a word or symbol that is kept
            missing = Counter(line) - Counter(tokenizer.decode(tokenizer.encode(line)))
            counts.update({each: n for each, n in missing.items() if not kept(each)})
    return counts


def _shown(character: str) -> str:
    """Returns `U+00B2 ²`, or the number only of a character that cannot be seen by itself."""
    seen = character.isprintable() and not unicodedata.combining(character)
    return f"U+{ord(character):04X}" + (f" {character}" if seen else "")
