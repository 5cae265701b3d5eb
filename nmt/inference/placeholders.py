"""What a translation keeps as it is: placeholders of programs, addresses and numbers.

The model reads a word for a placeholder or an address, and a number as it is. What it makes of them
is replaced: see docs/markup.md, also for what was measured.
"""

from collections.abc import Collection
from functools import cache
from typing import NamedTuple

import regex

from nmt.config.decoding import PlaceholderKind

READ = "X"  # the word that is read for others; texts of nearly all languages have it
# Characters for private use, each of which is a word of a document: see nmt.markup.
WORDS = range(0x100000, 0x10FFFE)

_PATTERNS: dict[PlaceholderKind, str] = {
    "addresses": r"""(?:https?|ftp)://[^\s<>"]*[^\s<>".,;:!?'()\[\]{}]
        | \bwww\.[^\s<>"]*[^\s<>".,;:!?'()\[\]{}]
        | (?<![\w.+-])[\w.+-]*[\w+-]@[\w-]+(?:\.[\w-]+)+""",
    "variables": r"""\{\{[^{}\n]*\}\}           # {{name}}
        | \$?\{[^{}\n]*\}                       # {name}, {0:.2f}, ${name}
        | (?<![\d%])%(?:\(\w+\)|\d+\$)?[-+#0]*\d*(?:\.\d+)?
          (?:hh?|ll?|[Lzjt])?[sdiufFeEgGxXoc@p](?![\p{L}\d])  # %s, %1$s, %(name)d, %.2f
        | %%
        | \$[A-Z_][A-Z0-9_]+                    # $NAME""",
    "numbers": r"(?<![\w.,])(?P<number>\d+(?:[.,:/]\d+)*)(?![\w])",
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


@cache
def _pattern(kinds: Collection[PlaceholderKind]) -> "regex.Pattern[str]":
    patterns = [f"[{chr(WORDS[0])}-{chr(WORDS[-1])}]"]
    patterns += [pattern for kind, pattern in _PATTERNS.items() if kind in kinds]
    return regex.compile("\n|".join(patterns), regex.VERBOSE)
