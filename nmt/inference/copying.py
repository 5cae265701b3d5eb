"""What a translation takes over from its source: words for `<unk>`, and what was set aside.

A word of the output vocabulary `<unk>` becomes the source word that the hypothesis attends to most
at this step, or its translation in a dictionary (Luong et al. 2015, "Addressing the rare word
problem"; Jean et al. 2015, section 3.3).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import regex

from nmt.data.phrases import UNSPACED
from nmt.data.tokenizer import Spans
from nmt.data.tokenizers import Tokenizers
from nmt.evaluation.words import Words, fold
from nmt.inference.placeholders import is_attached
from nmt.inference.translation import Translation
from nmt.inference.unseen import CLOSING, FINAL, Remainder, Unseen, kind

EDGES = regex.compile(r"^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$")
BOUNDARY = regex.compile(r"\b", regex.WORD)  # of words, as Unicode defines them
ONE_WORD = Words(("",), (range(1),))


@dataclass(frozen=True)
class Copier:
    """Completes translations; `unknown` is the setting of the search."""

    tokenizers: Tokenizers
    unknown: Literal["copy", "omit", "forbid"] = "copy"
    dictionary: Mapping[str, str] = field(default_factory=dict)

    def only(self, source: Remainder) -> str:
        """Returns the translation of a line of which nothing remains to translate."""
        return " ".join(map(self._written, source.unseen))

    def completed(self, found: Translation, source: Remainder, ids: Sequence[int]) -> Translation:
        """Returns a translation with all that it takes over.

        Args:
            found: the translation of the remainder of a line.
            source: this remainder.
            ids: its pieces, end of sentence included.
        """
        tokens = self.tokenizers.target.ids(found.target_pieces)
        unknown = [i for i, token in enumerate(tokens) if token == self.tokenizers.target.unk]
        if not (unknown or source.unseen):
            return found
        text = _Text(found.text, self.tokenizers.target.decoded_offsets(tokens))
        spans = source.spans(self.tokenizers.source.offsets(source.text)[: len(ids) - 1])
        parts = {number for number in unknown if text.is_attached(number)}
        for number in reversed(unknown):
            whole = number not in parts
            text.replace(number, self._counterpart(found, number, (ids, spans), whole=whole))
        written = len(tokens) - (not found.is_cut)
        attention = found.attention[:written, : len(spans)]
        begins = np.array([begin for begin, _ in spans], int)
        for each in source.unseen:
            read = (begins >= each.begin) & (begins < each.begin + len(each.text))
            if not (each.reads and text.exchange(each, attention[:, read].sum(axis=1))):
                text.write_back(self._written(each), each, attention, begins < each.begin)
        return replace(found, text=text.text, target_offsets=text.spans[:written])

    def _written(self, unseen: Unseen) -> str:
        return unseen.text if unseen.verbatim else self._entry(unseen.text)

    def _entry(self, *texts: str) -> str:
        """Returns the entry of the first text that has one, else those of the last one's words."""
        found = [self.dictionary[each] for each in texts if each in self.dictionary][:1]
        found = found or [self.dictionary.get(word, word) for word in texts[-1].split()]
        return " ".join(" ".join(found).split())

    def _counterpart(
        self, found: Translation, number: int, source: tuple[Sequence[int], Spans], *, whole: bool
    ) -> str:
        """Returns what stands for the `<unk>` of this number: "" for nothing.

        For a whole word it is the most attended source word without the signs around it, and for a
        part of a word the unknown part of that word, or else its most attended piece.
        """
        row, words = found.attention[number], found.source_words
        weights = fold(row[None, :], words, ONE_WORD).weights
        if self.unknown != "copy" or weights.max(initial=0) <= 0:
            return ""
        word = int(weights.argmax())
        label = words.labels[word]
        if whole:
            return self._entry(label, EDGES.sub("", label) or label)
        ids, spans = source
        pieces = [piece for piece, numbers in enumerate(words.of_piece) if word in numbers]
        unknown = [piece for piece in pieces if ids[piece] == self.tokenizers.source.unk]
        part = max(unknown or pieces, key=row.__getitem__)
        return self._entry(found.source[slice(*spans[part])])


@dataclass
class _Text:
    """A text, and the span in it of each piece."""

    text: str
    spans: Spans
    taken: set[int] = field(default_factory=set)  # pieces of words that have been exchanged
    inserted: int = 0  # where the last text that was written back ends

    def is_attached(self, number: int) -> bool:
        """Returns whether a piece is a part of a word with other letters or digits."""
        begin, end = self.spans[number]
        return "w" in kind(self.text[:begin][-1:]) + kind(self.text[end:][:1])

    def replace(self, number: int, new: str) -> None:
        """Replaces a piece; if by nothing, a space beside it goes too."""
        begin, end = self.spans[number]
        if not new:
            space_before = self.text[:begin].endswith(" ")
            begin -= space_before
            end += not (space_before or begin) and self.text[end:].startswith(" ")
        self._splice(number + 1, (begin, end), new)
        self.spans[number] = (begin, begin + len(new))

    def exchange(self, unseen: Unseen, attention: npt.NDArray[np.float32]) -> bool:
        """Replaces what the model has made of the word that it reads for a placeholder.

        It is this word itself, or else the one that attends to it most, by the `attention` of each
        piece. Returns whether there is one.
        """
        places = [0, *(each.start() for each in BOUNDARY.finditer(self.text)), len(self.text)]
        words = [each for each in pairwise(places) if kind(self.text[slice(*each)]) == "w"]
        found = (each.span() for each in regex.finditer(regex.escape(unseen.reads), self.text))
        copies = [span for span in found if not is_attached(self.text, *span)]
        for spans, least in ((copies, -1.0), (words, 0.0)):
            pieces = {span: self._pieces(*span) for span in spans}
            weights = {
                span: float(attention[numbers].mean())
                for span, numbers in pieces.items()
                if numbers and self.taken.isdisjoint(numbers)
            }
            if max(weights.values(), default=least) > least:
                span = max(weights, key=weights.__getitem__)
                self._exchange(span, pieces[span], unseen.text)
                return True
        return False

    def _pieces(self, begin: int, end: int) -> list[int]:
        """Returns the numbers of the pieces in a span."""
        return [i for i, (first, last) in enumerate(self.spans) if first < end and last > begin]

    def _exchange(self, span: tuple[int, int], pieces: Sequence[int], new: str) -> None:
        """Replaces a word; its first piece gets all of the new one."""
        begin = min(span[0], self.spans[pieces[0]][0])
        self._splice(pieces[-1] + 1, span, new)
        end = span[0] + len(new)
        for number in pieces:
            self.spans[number] = begin, end
            begin = end
        self.taken.update(pieces)

    def write_back(
        self,
        new: str,
        unseen: Unseen,
        attention: npt.NDArray[np.float32],
        before: npt.NDArray[np.bool_],
    ) -> None:
        """Inserts what was set aside at the boundary between words that least attention crosses.

        Target pieces before the boundary should attend to source pieces `before` it, and those
        behind it to the others. A sign before it where the source has a word, or a word for a sign,
        counts as one link more. If no piece attends to anything, the boundary is in proportion.
        """
        forward = attention[:, before].sum(axis=1) - attention[:, ~before].sum(axis=1)
        crossing = -np.cumsum([0, *forward])
        middle = len(attention) * before.mean() if len(before) else 0.0

        def cost(number: int) -> tuple[float, float]:
            other = kind(self.text[: self._place(number)].rstrip()[-1:]) != unseen.follows
            return float(crossing[number]) + other, abs(number - middle)

        place = self._place(number := min(self._boundaries(unseen, len(attention)), key=cost))
        left, right = self.text[:place].rstrip(), self.text[place:].lstrip()
        if left:
            new = (" " if len(left) == self.inserted else _space(left[-1], unseen.before)) + new
        self.inserted = len(left) + len(new)
        if right and not (kind(unseen.after) == " " and CLOSING.match(self.text, place)):
            new += _space(right[0], unseen.after)
        self._splice(number, (len(left), len(self.text) - len(right)), new)

    def _boundaries(self, unseen: Unseen, pieces: int) -> Iterator[int]:
        """Yields the numbers of the pieces at which a word may begin, and of the end.

        The end is before the final sign, if that of the source is behind what was set aside.
        """
        sign = FINAL.search(self.text) if unseen.closed else None
        end = len(self.text) if sign is None else sign.start()
        last = next((i for i in range(pieces) if self._place(i) >= end), pieces)
        yield from {0, last}
        for number in range(1, last):
            place = self._place(number)
            closing = kind(unseen.after) != "." and CLOSING.match(self.text, place)
            if BOUNDARY.match(self.text, place) and not closing:
                yield number

    def _place(self, number: int) -> int:
        return self.spans[number][0] if number < len(self.spans) else len(self.text)

    def _splice(self, number: int, span: tuple[int, int], new: str) -> None:
        """Replaces a span that lies before the piece of this number and behind those before it."""
        begin, end = span
        shift = begin + len(new) - end
        self.text = self.text[:begin] + new + self.text[end:]
        self.spans = [
            (min(i, begin), min(j, begin))
            if piece < number
            else (max(i, end) + shift, max(j, end) + shift)
            for piece, (i, j) in enumerate(self.spans)
        ]


def _space(written: str, neighbor: str) -> str:
    """Returns what is between a character and what is inserted beside it: a space or nothing.

    It is as in the source, where `neighbor` is beside it, unless a word has taken the place of a
    sign, or a script with spaces that of one without.
    """
    if kind(neighbor) == " ":
        return " "
    alike = kind(written) == kind(neighbor) and not UNSPACED.match(neighbor)
    return "" if alike or UNSPACED.match(written) else " "
