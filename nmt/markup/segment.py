"""A segment: the line that is translated, and its translation with the elements around it."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from nmt.inference.translation import Translation
from nmt.markup.line import Line
from nmt.markup.parts import Element, Node
from nmt.markup.placement import Run, Span, placed
from nmt.markup.tokens import Token, tokens, weights


class Segment:
    """The content of a segment; `line` is what the translator is to read.

    `free` are numbers of stand-ins: see `Line`.
    """

    def __init__(self, nodes: Sequence[Node], free: Sequence[int]) -> None:
        content = Line(nodes, free)
        self.nodes, self.free = nodes, free
        self.line, self.copied = content.text, content.copied
        self._edges = content.edges

    def restored(self, translation: Translation, escape: Callable[[str], str]) -> str:
        """Returns the translation of the line, with the elements and copies of the segment."""
        text = self._with_all_copies(translation.text)
        source, target = tokens(
            self.line, text, edges=[each for edge in self._edges for each in edge]
        )
        spans = _spans(self.nodes, iter(self._edges), [token.begin for token in source])
        number = {token.copy: i for i, token in enumerate(source) if token.copy in self.copied}
        runs = placed(
            spans,
            weights(translation, source, target),
            pinned=[number.get(token.copy) for token in target],
        )
        places = {span: _place(run, target, len(text)) for span, run in runs.items()}

        def written(nodes: Sequence[Node], spans: Sequence[Span], begin: int, end: int) -> str:
            elements = [node for node in nodes if isinstance(node, Element)]
            pairs = sorted(zip(elements, spans, strict=True), key=lambda pair: runs[pair[1]])
            result = ""
            for element, span in pairs:
                first, last = (min(place, end) for place in places[span])
                inner = written(element.children, span.children, first, last)
                result += self._escaped(text[begin:first], escape)
                result += element.opening + inner + element.closing
                begin = last
            return result + self._escaped(text[begin:end], escape)

        return written(self.nodes, spans, 0, len(text))

    def _with_all_copies(self, text: str) -> str:
        """Returns a translation with each stand-in once, and those of an element side by side.

        What has to be changed is put into the order of the source, and keeps its length.
        """
        found = [each for each in text if each in self.copied]
        order = list(self.copied)
        if sorted(found) == sorted(order) and all(
            map(partial(_is_one_run, found), self._insides())
        ):
            return text
        rest = iter(order)
        changed = "".join(next(rest, " ") if each in self.copied else each for each in text)
        return changed + "".join(rest)

    def _insides(self) -> Iterator[set[str]]:
        """Yields the stand-ins of each element."""
        for begin, end in self._edges:
            yield self.copied.keys() & set(self.line[begin:end])

    def _escaped(self, text: str, escape: Callable[[str], str]) -> str:
        """Returns text with what is copied for the stand-ins."""
        result, begin = "", 0
        for place, character in enumerate(text):
            if character in self.copied:
                result += escape(text[begin:place]) + self.copied[character]
                begin = place + 1
        return result + escape(text[begin:])


def _is_one_run(order: Sequence[str], inside: set[str]) -> bool:
    places = [place for place, each in enumerate(order) if each in inside]
    return not places or places[-1] - places[0] < len(places)


def _spans(
    nodes: Sequence[Node], edges: Iterator[tuple[int, int]], begins: Sequence[int]
) -> tuple[Span, ...]:
    """Returns the elements among nodes as spans of tokens that begin at these places."""
    found = []
    for node in nodes:
        if isinstance(node, Element):
            begin, end = (bisect_left(begins, edge) for edge in next(edges))
            found.append(Span(begin, end, _spans(node.children, edges, begins)))
    return tuple(found)


def _place(run: Run, target: Sequence[Token], length: int) -> tuple[int, int]:
    """Returns the place of a run of tokens in a text, of an empty one before the next token."""
    first, last = run
    if first < last:
        return target[first].begin, target[last - 1].end
    place = target[first].begin if first < len(target) else length
    return place, place
