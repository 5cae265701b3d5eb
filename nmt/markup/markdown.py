"""Markdown as the parts of a document.

What is translated is the text of paragraphs, headings, items and cells. All other signs stay as
they are: code, blocks of HTML, front matter, the targets of links.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import regex
from markdown_it.token import Token as MarkdownToken

from nmt.inference.translation import Translation
from nmt.markup import commonmark, html
from nmt.markup.inline import TEXT, items
from nmt.markup.parts import Element, Node, Part, raw
from nmt.markup.reading import Token, cut, parts
from nmt.markup.segment import Segment

_PARSER = commonmark.parser()
_FRONT_MATTER = regex.compile(r"---[ \t]*\r?\n(?:.*\r?\n)*?(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)")
_MARK = "\ufeff"  # with which some editors begin a file in UTF-8
_LINE_END = regex.compile(r"\r\n?|\n")
# Signs of text that Markdown would read as its own, and those that would begin a block.
_SIGNS = regex.compile(r"[\\`*\[\]]|\b_|_\b|~(?=~)|<(?=[\w/!?])|&(?=#?\w+;)|(?<!\S)#+\s*\Z")
_BEGINNING = regex.compile(
    r"\A\s*\K(?:[-+](?=\s|$)|#{1,6}(?=\s|$)|>|=+\s*$|---)|\A\s*\d{1,9}\K[.)](?=\s|$)"
)
_PUNCTUATION = regex.compile(r"(?=[!-/:-@\[-`{}~])")
_BACKSLASH, _BAR = "&#92;", "&#124;"
_TAGS = {"*": "em", "_": "em", "**": "strong", "__": "strong", "~~": "s"}


def parse(document: str) -> list[Part]:
    """Returns the parts of a Markdown document."""
    begin = len(document) - len(document.removeprefix(_MARK))
    if front := _FRONT_MATTER.match(document, begin):
        begin = front.end()
    reader, previous = _Reader(document, begin), ""
    for block in _PARSER.parse(document[begin:]):
        if block.type == "inline" and block.content:
            reader.read(block, in_table=previous in ("th_open", "td_open"))
        previous = block.type
    return reader.parts()


def restored(segment: Segment, translation: Translation) -> str:
    """Returns the translation of a segment as Markdown.

    Where emphasis cannot be written with signs, as inside a word, it has tags of HTML.
    """
    source = raw(segment.nodes)
    # `\|` in cells alone: with it a heading over `---` would be a table.
    bar = r"\|" if r"\|" in source else _BAR
    text = segment.restored(translation, lambda text: _escaped(text).replace("|", bar))
    if _structure(text) != _structure(source):
        tagged = Segment(_tagged(segment.nodes), segment.free)
        text = tagged.restored(
            translation, lambda text: _PUNCTUATION.sub(r"\\", text).replace("|", bar)
        )
    # A parser takes `|` behind any `\` for text, and a cell may end without a space.
    return text.removesuffix(r"\\") + _BACKSLASH if text.endswith(r"\\") else text


def _escaped(text: str) -> str:
    """Returns text, but for bars, as Markdown writes it at any place of a line."""
    return _BEGINNING.sub(r"\\\g<0>", _SIGNS.sub(r"\\\g<0>", text))


def _in_cell(text: str) -> str:
    """Returns Markdown as a cell has it: the parser takes the backslash before a bar away."""
    return text.replace("|", r"\|")


def _structure(text: str) -> Counter[str]:
    """Returns what there is in inline content besides text."""
    (block,) = _PARSER.parseInline(text)
    return Counter(each.type for each in block.children or () if each.type not in TEXT)


def _tagged(nodes: Sequence[Node]) -> list[Node]:
    """Returns nodes with tags of HTML for the signs of emphasis."""
    found = list[Node]()
    for node in nodes:
        if isinstance(node, Element):
            node = replace(node, children=tuple(_tagged(node.children)))
            if name := _TAGS.get(node.opening):
                node = replace(node, opening=f"<{name}>", closing=f"</{name}>")
        found.append(node)
    return found


class _Reader:
    """Lists the tokens of a document."""

    def __init__(self, document: str, begin: int) -> None:
        self._document = document
        self._searched = document.replace("\0", "\ufffd")  # as the parser reads it
        self._lines = [begin, *(each.end() for each in _LINE_END.finditer(document, begin))]
        self._lines.append(len(document))
        self._tokens = [Token("other", 0)]
        self._raws: dict[int, str] = {}  # of tokens that are not written as they were
        self._wholes: dict[int, int] = {}  # where elements of one token end
        self._read = begin  # so much of the document

    def parts(self) -> list[Part]:
        """Returns the parts."""
        raws = cut(self._document, self._tokens)
        for number, text in self._raws.items():
            raws[number] = text
        return list(parts(self._tokens, raws, html.ends(self._tokens) | self._wholes))

    def read(self, block: MarkdownToken, *, in_table: bool) -> None:
        """Adds inline content; what cannot be found in the document, stays as it is."""
        begins, places = self._line_places(block, in_table=in_table)
        if not begins:
            return

        def place(begin: int) -> int:
            line = bisect_right(begins, begin) - 1
            escapes = block.content.count("|", 0, begin) if in_table else 0
            return places[line] + begin - begins[line] + escapes

        found = list(items(block.content, block.children or []))
        self._read = place(len(block.content))
        if any(first.begin > second.begin for first, second in pairwise(found)):
            return
        for item in found:
            if item.is_whole:
                self._wholes[len(self._tokens)] = len(self._tokens) + 1
            if item.raw is not None:
                self._raws[len(self._tokens)] = _in_cell(item.raw) if in_table else item.raw
            self._tokens.append(replace(item.token, begin=place(item.begin)))
        self._tokens.append(Token("other", self._read))

    def _line_places(self, block: MarkdownToken, *, in_table: bool) -> tuple[list[int], list[int]]:
        """Returns where each line begins in the content and in the document, or nothing."""
        begins, places, begin = list[int](), list[int](), 0
        top, _ = block.map or (0, 0)
        for number, line in enumerate(block.content.split("\n"), start=top):
            text = line.strip(" \t")
            first, last = max(self._read, self._lines[number]), self._lines[number + 1]
            if in_table:
                place = self._searched.find(_in_cell(text), first, last)
            else:
                place = self._searched.rfind(text, first, last)
            if place < 0:
                return [], []
            begins.append(begin + line.index(text))
            places.append(place)
            begin += len(line) + 1
        return begins, places
