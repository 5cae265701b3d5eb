"""The parts of a document in their order, and the segments, each of which is translated alone.

A part keeps its own text as it stands in the document (`raw`), so that joining the parts gives the
document back. Elements, tags and segments do not depend on the language of the markup.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import regex

DEEPEST = 64  # inline elements inside each other; beyond, a tag ends the segment
_SPACES = " \t\n\r\f"  # what HTML and XML call white space
SPACE = regex.compile(f"[{_SPACES}]+")
_TRANSLATABLE = regex.compile(r"\p{L}")
CopyKind = Literal["word", "sign", "nothing"]


@dataclass(frozen=True)
class Text:
    """Text, with its entities decoded."""

    raw: str
    text: str


@dataclass(frozen=True)
class Tag:
    """The opening or closing tag of an inline element."""

    raw: str
    name: str
    opens: bool


@dataclass(frozen=True)
class Copied:
    """What is copied into the sentence around it, as it is.

    kind: `word` has a meaning in the sentence, as code has; `sign` divides words, as a line break
    does; `nothing` is a comment, or another thing that no reader sees.
    """

    raw: str
    kind: CopyKind


@dataclass(frozen=True)
class Break:
    """What ends a segment, and is copied: a tag of a block, or all of a block."""

    raw: str


@dataclass(frozen=True)
class Element:
    """An inline element with text in it."""

    opening: str
    closing: str
    children: tuple["Node", ...]


Part = Text | Tag | Copied | Break
Node = Text | Copied | Element


def segments(parts: Sequence[Part]) -> Iterator[str | tuple[Node, ...]]:
    """Yields the document: what is copied as strings, and the content of each segment.

    A segment goes from one break to the next, without what no reader sees at its ends. A tag
    without a partner in its segment is a break, and so are those of elements with a break inside.
    """
    parts = [each for part in parts for each in _divided(part)]
    begin, breaks = 0, _breaks(parts)
    for end in [*breaks, len(parts)]:
        yield from _trimmed(_tree(parts[begin:end]))
        if end < len(parts):
            yield parts[end].raw
        begin = end + 1


def raw(nodes: Sequence[Node]) -> str:
    """Returns nodes as they stand in the document."""
    return "".join(
        each.opening + raw(each.children) + each.closing if isinstance(each, Element) else each.raw
        for each in nodes
    )


def _divided(part: Part) -> Iterator[Part]:
    """Yields a part, or the text of a part and the white space at its ends."""
    if not isinstance(part, Text) or not part.raw.strip(_SPACES):
        yield part
        return
    body = part.raw.strip(_SPACES)
    before, behind = part.raw.split(body, maxsplit=1)
    text = part.text.lstrip(_SPACES) if before else part.text
    text = text.rstrip(_SPACES) if behind else text
    found = Text(before, before), Text(body, text), Text(behind, behind)
    yield from (each for each in found if each.raw)


def _breaks(parts: Sequence[Part]) -> list[int]:
    """Returns the numbers of the parts that end a segment."""
    found, opened = list[int](), list[tuple[int, str]]()
    for number, part in enumerate(parts):
        match part:
            case Tag(opens=True) if len(opened) < DEEPEST:
                opened.append((number, part.name))
            case Tag(opens=False) if opened and opened[-1][1] == part.name:
                opened.pop()
            case Tag() | Break():
                found += [*(begin for begin, _ in opened), number]
                opened.clear()
    return sorted(found + [begin for begin, _ in opened])


def _tree(parts: Sequence[Part]) -> tuple[Node, ...]:
    """Returns the nodes of a segment, where each tag has its partner."""
    opened, levels = list[Tag](), [list[Node]()]
    for part in parts:
        match part:
            case Tag(opens=True):
                opened.append(part)
                levels.append([])
            case Tag():
                children = tuple(levels.pop())
                levels[-1].append(_element(opened.pop().raw, part.raw, children))
            case Text() | Copied():
                levels[-1].append(part)
    return tuple(levels[0])


def _element(opening: str, closing: str, children: tuple[Node, ...]) -> Element | Copied:
    """Returns an element, which is copied if it has no text."""
    if any(isinstance(each, Element) or _is_seen(each) for each in children):
        return Element(opening, closing, children)
    kinds = {each.kind for each in children if isinstance(each, Copied)}
    kind: CopyKind = "word" if "word" in kinds else "sign" if "sign" in kinds else "nothing"
    return Copied(opening + raw(children) + closing, kind)


def _is_seen(node: Node) -> bool:
    return isinstance(node, Text) and SPACE.fullmatch(node.text) is None and bool(node.text)


def _trimmed(nodes: Sequence[Node]) -> Iterator[str | tuple[Node, ...]]:
    """Yields a segment, between what is copied at its ends; all is copied if it has no letter."""
    if not _TRANSLATABLE.search(_text(nodes)):
        yield raw(nodes)
        return
    inner = [i for i, each in enumerate(nodes) if not _is_edge(each)]
    begin, end = inner[0], inner[-1] + 1
    yield raw(nodes[:begin])
    match nodes[begin:end]:
        case (Element(opening, closing, children),):
            yield opening
            yield from _trimmed(children)
            yield closing
        case whole:
            yield tuple(whole)
    yield raw(nodes[end:])


def _is_edge(node: Node) -> bool:
    match node:
        case Copied(kind=kind):
            return kind != "word"
        case Text():
            return not _is_seen(node)
    return False


def _text(nodes: Sequence[Node]) -> str:
    return "".join(
        _text(each.children) if isinstance(each, Element) else each.text
        for each in nodes
        if not isinstance(each, Copied)
    )
