"""HTML as the parts of a document.

Python's parser tells where each tag begins, so that all but the text stays byte for byte. It does
not matter which elements a browser would close or move: blocks stay where they are, and so does a
tag without a partner in its segment.
"""

import html
from collections import defaultdict
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import accumulate

import regex

from nmt.errors import DataError
from nmt.inference.translation import Translation
from nmt.markup.elements import VOID, role
from nmt.markup.parts import Part
from nmt.markup.reading import Token, cut, parts
from nmt.markup.segment import Segment

# What is unseen ends where it should, or with the document, so that nothing is read twice.
_UNSEEN = regex.compile(
    r"<(script|style)\b.*?(?:</\1|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>?", regex.IGNORECASE | regex.DOTALL
)
_CHARSET = regex.compile(r"charset\s*=\s*([-\w]+)", regex.IGNORECASE)


def parse(document: str) -> list[Part]:
    """Returns the parts of an HTML document or of a fragment, broken or not.

    Raises:
        DataError: it declares another encoding than UTF-8.
    """
    tokens = _tokens(document)
    return list(parts(tokens, cut(document, tokens), ends(tokens)))


def tag(raw: str) -> Token:
    """Returns a tag or a comment of HTML."""
    tokens = _tokens(raw)
    return tokens[1] if len(tokens) == 2 else tokens[0]


def restored(segment: Segment, translation: Translation) -> str:
    """Returns the translation of a segment as HTML, or as XML."""
    return segment.restored(translation, escape)


def words(document: str) -> str:
    """Returns what a reader sees of a document, or nearly so: it takes no time to speak of."""
    return " ".join(html.unescape(_UNSEEN.sub(" ", document)).split())


def escape(text: str) -> str:
    """Returns text as HTML writes it, and XML too."""
    return html.escape(text, quote=False)


def _tokens(document: str) -> list[Token]:
    """Returns all of a document.

    Behind the last `>` there is no tag, and the parser, which would look for the end of each to the
    end of the document, does not see it.
    """
    end = document.rfind(">") + 1
    parser = _Parser(document)
    parser.feed(document[:end])
    parser.close()
    if end < len(document) and parser.cdata_elem is None:  # else it is in an open script or style
        parser.tokens.append(Token("text", end, html.unescape(document[end:])))
    return parser.tokens


class _Parser(HTMLParser):
    """Lists tokens."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tokens = [Token("other", 0)]
        self._lines = [0, *accumulate(len(line) + 1 for line in document.split("\n"))]

    @property
    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "meta":
            _check_encoding(attributes)
        found = role(tag, translate=(attributes.get("translate") or "").lower())
        self.tokens.append(Token("start", self._place, tag, found))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # as in a browser, for which the slash means nothing

    def handle_endtag(self, tag: str) -> None:
        self.tokens.append(Token("end", self._place, tag, role(tag)))

    def handle_data(self, data: str) -> None:
        self.tokens.append(Token("text", self._place, data))

    def handle_comment(self, data: str) -> None:
        self.tokens.append(Token("comment", self._place))

    def handle_pi(self, data: str) -> None:
        self.tokens.append(Token("comment", self._place))

    def handle_decl(self, decl: str) -> None:
        self.tokens.append(Token("other", self._place))

    def parse_html_declaration(self, i: int) -> int:
        where = self.lineno, self.offset
        try:
            return super().parse_html_declaration(i)
        except AssertionError:  # `<![` that begins nothing it knows: text
            self.lineno, self.offset = where
            self.handle_data("<!")
            return i + 2

    def unknown_decl(self, data: str) -> None:
        self.tokens.append(Token("other", self._place))


def _check_encoding(attributes: dict[str, str | None]) -> None:
    declared = attributes.get("charset")
    named = (attributes.get("http-equiv") or "").lower() == "content-type"
    if declared is None and named and (found := _CHARSET.search(attributes.get("content") or "")):
        declared = found[1]
    if declared and declared.strip().lower() not in ("utf-8", "utf8"):
        raise DataError(
            f"its <meta> declares the charset {declared.strip()}, and a translation is UTF-8; "
            "convert the document with iconv, and change the <meta>"
        )


def ends(tokens: Sequence[Token]) -> dict[int, int]:
    """Returns the number of the token behind each element that ends.

    A block without a closing tag ends before the next tag of a block.
    """
    found, opened = dict[int, int](), defaultdict[str, list[int]](list)
    for number, token in enumerate(tokens):
        if token.kind == "start" and token.text in VOID:
            found[number] = number + 1
        elif token.kind == "start":
            opened[token.text].append(number)
        elif token.kind == "end" and opened[token.text]:
            found[opened[token.text].pop()] = number + 1
    next_block = len(tokens)
    for number, token in reversed(list(enumerate(tokens))):
        if token.kind in ("start", "end") and token.role in ("block", "copied"):
            found.setdefault(number, next_block)
            next_block = number
    return found
