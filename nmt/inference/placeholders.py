"""What a translation keeps as it is: placeholders of programs, addresses and numbers.

The model reads a word for a placeholder or an address, and a number as it is. What it makes of them
is replaced: see docs/markup.md, also for what was measured.
"""

from collections.abc import Collection
from functools import cache
from typing import NamedTuple

import regex

from nmt.config.decoding import PlaceholderKind
from nmt.data.phrases import UNSPACED

READ = "X"  # the word that is read for others; texts of nearly all languages have it
# Characters for private use, each of which is a word of a document: see nmt.markup.
WORDS = range(0x100000, 0x10FFFE)

# Letters of East and South-East Asia are no part of a word beside them: of `%s`, of 3 or of X.
_APART = rf"(?:{UNSPACED.pattern}|\p{{Hangul}})"
_JOINED = rf"(?>[\p{{Latin}}\d]|(?!{_APART})[\p{{L}}\p{{M}}])"
_LETTER_OR_DIGIT = regex.compile(_JOINED)

# Addresses: signs that are not of ASCII end them, and so do letters that are apart, unless they are
# behind the first part of a path, or a whole part of the name of a host, behind which the address
# goes on: a text often follows `.../` and `....com` at once.
_CHARACTER = rf"(?>[!\#-;=?-~]|(?!{_APART})[\p{{L}}\p{{M}}\p{{N}}\p{{Pd}}’])"
_APART_WORD = rf"""(?:(?<=[/=_\#(-])(?<!(?://|www\.)[^/\s]*/)(?=\w){_APART}\w*+
        |(?<=\.)(?=\w){_APART}\w*+(?=\.\w|/))"""
_BALANCED = rf"\((?:(?![()]){_CHARACTER}|{_APART_WORD})*+\)"
_LAST = rf"(?>{_BALANCED}|(?=[/\#&=_%-]|[\p{{L}}\p{{M}}\p{{N}}]){_CHARACTER}|{_APART_WORD})"
_ADDRESS = rf"(?:(?:(?!{_LAST}){_CHARACTER})*+{_LAST})++"

# Of another number, or of a month: who keeps the 3 of `3万`, which is 30,000, changes the number.
_COUNTED = r"[月월만억조천백]|(?=\p{Han})\p{Numeric_Type=Numeric}"

_PATTERNS: dict[PlaceholderKind, str] = {
    "addresses": rf"""(?:https?|ftp)://{_ADDRESS}
        | (?<!_|{_JOINED})www\.{_ADDRESS}
        | (?<![_.+-]|{_JOINED})(?:[_.+-]|{_JOINED})++(?<!\.)@(?:[\w-]+\.)+(?:[_-]|{_JOINED})++""",
    "variables": r"""\{\{[^{}\n]*\}\}           # {{name}}
        | \$?\{[^{}\n]*\}                       # {name}, {0:.2f}, ${name}
        | (?<![\d%])%(?:\(\w+\)|\d+\$)?[-+#0]*+\d*+(?:\.\d+)?
          (?:hh?|ll?|[Lzjt])?[sdiufFeEgGxXoc@p](?![\p{Latin}\d])  # %s, %1$s, %(name)d, %.2f
        | %%
        | \$[A-Z_][A-Z0-9_]+                    # $NAME""",
    "numbers": rf"""(?<![_.,]|{_JOINED})(?P<number>(?>\d+(?:[.,:/]\d+)*))
        (?!_|{_JOINED}|{_COUNTED})""",
}


class Placeholder(NamedTuple):
    """A span of a line, and what the model reads for it."""

    begin: int
    end: int
    read: str


def find(line: str, kinds: Collection[PlaceholderKind]) -> list[Placeholder]:
    """Returns the placeholders of a line, in order."""
    found = _pattern(frozenset(kinds)).finditer(line)
    return [
        Placeholder(each.start(), each.end(), each.groupdict().get("number") or READ)
        for each in found
    ]


def is_attached(line: str, begin: int, end: int) -> bool:
    """Returns whether a letter or a digit beside a span is one word with what is there."""
    return any(map(_LETTER_OR_DIGIT.match, beside(line, begin, end)))


def beside(text: str, begin: int, end: int) -> tuple[str, str]:
    """Returns the characters before and behind a span, "" at the ends of the text.

    It copies no more of the text: a long line has many spans.
    """
    return text[max(begin - 1, 0) : begin], text[end : end + 1]


@cache
def _pattern(kinds: Collection[PlaceholderKind]) -> "regex.Pattern[str]":
    patterns = [f"[{chr(WORDS[0])}-{chr(WORDS[-1])}]"]
    patterns += [pattern for kind, pattern in _PATTERNS.items() if kind in kinds]
    return regex.compile("\n|".join(patterns), regex.VERBOSE)
