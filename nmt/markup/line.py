"""The line of a segment: what the translator reads of it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

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
    for number, (node, behind) in enumerate(pairwise(nodes)):
        before = moved[number - 1] if number else None
        match before, node, behind:
            case Text(text=first), Copied(kind="nothing"), Text(text=second):
                rest = _WORD.match(second)
                if rest and _WORD.search(first[-1:]):
                    moved[number - 1] = replace(before, text=first + rest[0])
                    moved[number + 1] = replace(behind, text=second[rest.end() :])
    return moved
