"""Phrases in a text: found as whole words, whatever the script."""

from collections.abc import Iterator
from functools import lru_cache
from unicodedata import normalize

import regex

from nmt.evaluation.scripts import SOUTH_EAST_ASIAN

# Scripts without spaces between words: any character may begin or end a word. East Asian ones have
# signs of the same width; in Tibetan a sign is between syllables, so its words end as others do.
_SCRIPTS = "".join(rf"\p{{Script={code}}}" for code in SOUTH_EAST_ASIAN)
UNSPACED = regex.compile(
    r"(?!\p{Hangul})[\p{East_Asian_Width=W}\p{East_Asian_Width=F}]"
    rf"|(?=[\p{{L}}\p{{M}}])[{_SCRIPTS}]"
)
CHARACTER = regex.compile(r"\X")  # as users see it: a letter with its accents, a joined emoji
# Letters, accents, digits, and letters that Unicode lacks (markup has those of plane 16).
WORDLIKE = regex.compile(r"[\p{L}\p{M}\p{Nd}\ue000-\uf8ff]")
JOINERS = "\u00ad\u200c\u200d\u2060"  # invisible; the letters beside them are one word
_JOINING = regex.compile(rf"{WORDLIKE.pattern}|[{JOINERS}]")


def forms(text: str) -> list[str]:
    """Returns a text, and its NFC and NFD where they differ: they look the same."""
    return list(dict.fromkeys([text, normalize("NFC", text), normalize("NFD", text)]))


@lru_cache(maxsize=1 << 14)
def joins(character: str) -> bool:
    """Returns whether a character is one word with another one beside it that joins too.

    Letters, accents, digits and joiners do, but not in scripts without spaces; "" does not.
    """
    return bool(_JOINING.match(character)) and not UNSPACED.match(character)


def divided(text: str, place: int) -> bool:
    """Returns whether words may end and begin at a place: the ends of a text, or between signs."""
    before, after = text[:place].rstrip(JOINERS), text[place:].lstrip(JOINERS)
    return not (joins(before[-1:]) and joins(after[:1]))


def occurrences(phrase: str, text: str) -> Iterator[int]:
    """Yields the places in a text at which a phrase begins, as whole words."""
    begin = text.find(phrase)
    while begin >= 0:
        if divided(text, begin) and divided(text, begin + len(phrase)):
            yield begin
        begin = text.find(phrase, begin + 1)


def contains(text: str, phrase: str) -> bool:
    """Returns whether a text has a phrase, as whole words."""
    return next(occurrences(phrase, text), None) is not None


def contains_forbidden(text: str, phrase: str) -> bool:
    """Returns whether a text has a phrase, in any casing if the phrase has no capital."""
    return contains(folded(text) if folded(phrase) == phrase else text, phrase)


def contains_required(text: str, phrase: str) -> bool:
    """Returns whether a text has a phrase, or begins with it and a capital."""
    first = capitalized(phrase)
    begins = text.startswith(first) and divided(text, len(first))
    return begins or contains(text, phrase)


def folded(text: str) -> str:
    """Returns a text in lower case, with as many characters."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := each.lower()) == 1 else each for each in text)


def capitalized(text: str) -> str:
    """Returns a text whose first letter is a capital, with as many characters."""
    first = text[:1].upper()
    return first + text[1:] if len(first) == 1 else text
