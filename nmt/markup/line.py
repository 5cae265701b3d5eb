"""The line of a segment: what the translator reads of it."""

from collections.abc import Sequence
from dataclasses import replace

import regex

from nmt.data.sentences import SIGNS
from nmt.inference.placeholders import WORDS
from nmt.markup.parts import SPACE, Copied, Element, Node, Text

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


class Line:
    """The text of nodes, with each white space as one space, and none at its ends.

    What is copied is a character for private use: a placeholder if it is a word, else one that the
    translator sets aside. `free` are numbers of such characters that nothing else has.
    """

    def __init__(self, nodes: Sequence[Node], free: Sequence[int]) -> None:
        self.text = ""
        self.copied: dict[str, str] = {}  # what each stand-in is for
        self.edges: list[tuple[int, int]] = []  # of each element with text, the outer first
        self._free = iter(free)
        self._read(nodes)
        self.text = self.text.rstrip(" ")

    def _read(self, nodes: Sequence[Node]) -> None:
        for node in _with_whole_words(nodes):
            match node:
                case Text(text=text):
                    text = SPACE.sub(" ", text)
                    self.text += text if self.text[-1:].strip() else text.removeprefix(" ")
                case Copied(raw=raw, kind=kind):
                    stand_in = chr((WORDS if kind == "word" else SIGNS)[next(self._free)])
                    self.copied[stand_in] = raw
                    self.text += stand_in
                case Element(children=children):
                    number, begin = len(self.edges), len(self.text)
                    self.edges.append((begin, begin))
                    self._read(children)
                    inside = self.text[begin:]
                    begin += len(inside) - len(inside.lstrip(" "))
                    self.edges[number] = (begin, begin + len(inside.strip(" ")))


def _with_whole_words(nodes: Sequence[Node]) -> list[Node]:
    """Moves what no reader sees, such as `<wbr>`, from inside a word to its end."""
    moved = list(nodes)
    begun: tuple[int, Text] | None = None  # the text, and its number, whose last word may go on
    for number, node in enumerate(nodes):
        match node:
            case Text(text=text):
                if begun and (rest := _WORD.match(text)):
                    place, first = begun
                    moved[place] = first = replace(first, text=first.text + rest[0])
                    moved[number] = node = replace(node, text=text[rest.end() :])
                    begun = place, first
                if node.text:
                    begun = (number, node) if _WORD.search(node.text[-1:]) else None
            case Copied(kind="nothing"):
                pass
            case _:
                begun = None
    return moved
