"""From what a parser reports to the parts of a document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import AnyStr, Literal

from nmt.markup.elements import Role
from nmt.markup.parts import Break, Copied, Part, Tag, Text

Kind = Literal["start", "end", "text", "comment", "other"]


@dataclass(frozen=True)
class Token:
    """A tag, a text, or something else, such as a declaration, with its place in the document."""

    kind: Kind
    begin: int
    text: str = ""  # with entities decoded, or the name of the element
    role: Role = "block"


def cut(document: AnyStr, tokens: Sequence[Token]) -> list[AnyStr]:
    """Returns what each token is in the document: all of it up to the next one."""
    places = [*(token.begin for token in tokens), len(document)]
    return [document[begin:end] for begin, end in pairwise(places)]


def parts(tokens: Sequence[Token], raws: Sequence[str], ends: Mapping[int, int]) -> Iterator[Part]:
    """Yields the parts of a document.

    Args:
        tokens: all of it, in order.
        raws: what each token is in the document.
        ends: the number of the token behind an element, for the number of its first one.
    """
    number = 0
    while number < len(tokens):
        token, raw, end = tokens[number], raws[number], number + 1
        match token:
            case Token("text"):
                yield Text(raw, token.text)
            case Token("comment"):
                yield Copied(raw, "nothing")
            case Token("start" | "end", role="inline"):
                yield Tag(raw, token.text, opens=token.kind == "start")
            case Token("start", role="copied") if number in ends:
                end = ends[number]
                yield Break("".join(raws[number:end]))
            case Token("start", role=("word" | "sign" | "nothing") as kind) if number in ends:
                end = ends[number]
                yield Copied("".join(raws[number:end]), kind)
            case _:
                yield Break(raw)
        number = end
