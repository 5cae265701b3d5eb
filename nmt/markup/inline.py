"""The inline content of a block of Markdown as tokens of a document."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markdown_it.token import Token as MarkdownToken

from nmt.markup import html
from nmt.markup.elements import Role
from nmt.markup.reading import Token

TEXT = ("text", "text_special", "softbreak")
_COPIED: dict[str, Role] = {
    "code_inline": "word",
    "autolink": "word",
    "kept": "sign",
    "image": "sign",
    "hardbreak": "sign",
}


class Item(NamedTuple):
    """A token, and where it begins in the content of its block; the next one begins behind it."""

    begin: int
    token: Token
    is_whole: bool = False  # an element of one token
    raw: str | None = None  # how it is written, if not as it was


def items(content: str, children: Sequence[MarkdownToken]) -> Iterator[Item]:
    """Yields the items of inline content."""
    text, end, labels = "", 0, list[int]()
    for child in children:
        if child.type in TEXT:
            text += " " if child.type == "softbreak" else child.content
            continue
        begin, stop = _place(content, child)
        if begin > end:
            yield Item(end, Token("text", 0, text))
        text, end = "", stop
        if child.type == "link_open":
            labels.append(stop)
        label = content[labels.pop() : begin] if child.type == "link_close" else ""
        yield _item(child, begin, content[begin:stop], label)
    if text:
        yield Item(end, Token("text", 0, text))


def _place(content: str, child: MarkdownToken) -> tuple[int, int]:
    """Returns the span of a token: of emphasis its signs, of a line break the spaces before too."""
    begin, end = child.meta["place"]
    if child.type == "hardbreak":
        begin = len(content[:begin].rstrip(" "))
    elif child.markup and child.nesting == 1:
        begin = end - len(child.markup)
    elif child.markup and child.nesting == -1:
        end = begin + len(child.markup)
    return begin, end


def _item(child: MarkdownToken, begin: int, raw: str, label: str) -> Item:
    if child.type in _COPIED:
        return Item(begin, Token("start", 0, child.type, _COPIED[child.type]), is_whole=True)
    if child.type == "html_inline":
        return Item(begin, html.tag(raw))
    name = child.markup or "["
    if child.nesting == 1:
        return Item(begin, Token("start", 0, name, "inline"))
    # The label of a reference is not translated, even where it is the text as well.
    is_label = child.type == "link_close" and raw in ("]", "][]")
    raw = f"][{label}]" if is_label else raw
    return Item(begin, Token("end", 0, name, "inline"), raw=raw)
