"""What the model does not read as it is: characters that no piece spells, and placeholders.

Such a character would become bytes or `<unk>`. Where every character of the training text has a
piece, their embeddings are as random as on the first day, and can spoil the whole translation.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from nmt.config.decoding import PlaceholderKind
from nmt.data import files
from nmt.data.phrases import CHARACTER, UNSPACED, WORDLIKE
from nmt.data.tokenizer import Spans, Tokenizer
from nmt.inference import placeholders
from nmt.inference.placeholders import Placeholder, beside, is_attached

INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Z}]*")
CLOSING = regex.compile(r"[\p{Pe}\p{Pf}\p{Po}]")  # signs that follow a word without a space
# The signs that end a text; it is found in a time in proportion to the text.
FINAL = regex.compile(r"(?<!\p{Sentence_Terminal})\p{Sentence_Terminal}++\s*$")
# Signs that are read as those of a keyboard, as by Moses' normalize-punctuation.
PLAIN = {
    **dict.fromkeys(map(ord, "‘’‚‛ʼ"), "'"),
    **dict.fromkeys(map(ord, "“”„‟«»"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―"), "-"),
}
_LETTER = regex.compile(r"\p{L}")
_READABLE = regex.compile(r"[\p{L}\p{M}\p{Nd}\p{P}]")  # for NFKC, which would make 2 of ²


@dataclass(frozen=True)
class Unseen:
    """What is written back, and its neighbors, "" at the ends of the line.

    It is set aside, or the model `reads` a word for it, whose translation it replaces.
    """

    text: str
    begin: int  # in the line
    before: str
    after: str
    follows: str  # the kind of the last character before it that is no space
    closed: bool = False  # whether the sign that ends the line is behind it
    reads: str = ""
    verbatim: bool = False  # no entry of a dictionary replaces it


@dataclass(frozen=True)
class Remainder:
    """What the model reads of a line: `text`. The rest is left out, or set aside as `unseen`."""

    line: str
    text: str
    origins: Spans | None = None  # of each character of the text, in the line; None: its own place
    unseen: tuple[Unseen, ...] = ()

    def spans(self, spans: Spans) -> Spans:
        """Returns the spans in the line of spans in the text, without the spaces at their ends."""
        if self.origins is None:
            return spans
        origins = [*self.origins, (len(self.line),) * 2]
        return [self._span(origins, *span) for span in spans]

    def _span(self, origins: Spans, begin: int, end: int) -> tuple[int, int]:
        if visible := self.text[begin:end].strip():
            begin = self.text.index(visible, begin)
            return origins[begin][0], origins[begin + len(visible) - 1][1]
        place = origins[end - 1][1] if end > begin else origins[begin][0]
        return place, place


def remainders(
    tokenizer: Tokenizer,
    lines: Sequence[str],
    *,
    copy: bool = True,
    keep: Collection[PlaceholderKind] = (),
) -> tuple[list[Remainder], list[list[int]]]:
    """Returns what the model is to read of each line, and its pieces.

    Of an invisible line nothing remains. With `copy`, unseen characters are read as others, left
    out if they are invisible, or set aside: runs of them that are no part of a word with seen
    letters, or that have no letter and no digit. Of the placeholders to `keep` another word is
    read; they are set aside where they are a part of a word.
    """
    encoded = tokenizer.encode_batch(lines)
    remaining = [Remainder(line, line) for line in lines]
    for number, (line, ids) in enumerate(zip(lines, encoded, strict=True)):
        if INVISIBLE.fullmatch(line):
            remaining[number] = Remainder(line, "", origins=[])
        else:
            lacking = _lacking(tokenizer, line, ids) if copy else set()
            kept = placeholders.find(line, keep)
            if lacking or kept:
                flat = _remainder(tokenizer, files.one_line(line), lacking, kept)
                remaining[number] = replace(flat, line=line)
        if remaining[number].text != line:
            encoded[number] = tokenizer.encode(remaining[number].text)
    return remaining, encoded


def kind(text: str) -> str:
    """Returns `w` for letters and digits, `.` for signs, and a space for one or for nothing."""
    if not text or text.isspace():
        return " "
    return "w" if WORDLIKE.search(text) else "."


@dataclass(frozen=True)
class _Character:
    """A part of a line: its place, what the model reads of it, and its kind, `a` if set aside."""

    begin: int
    end: int
    read: str
    kind: str
    is_placeholder: bool = False

    @property
    def origins(self) -> Spans:
        """The place of each character that is read; if their number differs, all of the part."""
        if len(self.read) == self.end - self.begin:
            return [(place, place + 1) for place in range(self.begin, self.end)]
        return [(self.begin, self.end)] * len(self.read)


def _lacking(tokenizer: Tokenizer, line: str, ids: Sequence[int]) -> set[int]:
    """Returns the places of unseen characters in a line whose pieces are `ids`.

    A model of whole words has no piece for many words, whose characters others have.
    """
    if tokenizer.unspelled.isdisjoint(ids):
        return set()
    spans = zip(ids, tokenizer.offsets(line), strict=True)
    unspelled = {place for i, span in spans if i in tokenizer.unspelled for place in range(*span)}
    return {place for place in unspelled if line[place] not in tokenizer.alphabet}


def _remainder(
    tokenizer: Tokenizer, line: str, lacking: Collection[int], kept: Sequence[Placeholder]
) -> Remainder:
    """Returns what remains of a line without what is unseen or kept.

    A line is kept as a whole if it has no letter besides placeholders, or no seen letter or digit
    beside what is set aside: of signs alone the model would make up a sentence.
    """
    characters = _characters(tokenizer, line, lacking)
    if kept:
        characters = list(_with_placeholders(tokenizer, line, characters, kept))
    read = "".join(each.read for each in characters if not each.is_placeholder)
    words = _LETTER if kept else WORDLIKE
    if (kept or any(each.kind == "a" for each in characters)) and not words.search(read):
        whole = Unseen(line.strip(), 0, "", "", " ", verbatim=bool(kept))
        return Remainder(line, "", origins=[], unseen=(whole,))
    return _divided(line, characters)


def _characters(tokenizer: Tokenizer, line: str, lacking: Collection[int]) -> list[_Character]:
    """Returns the characters of a line, some of which are lacking in the pieces."""
    found = []
    for match in CHARACTER.finditer(line):
        begin, end = match.span()
        read = _read(tokenizer, match[0], [i - begin for i in range(begin, end) if i in lacking])
        found.append(_Character(begin, end, read or "", "a" if read is None else kind(match[0])))
    return _with_parts_of_words(line, found)


def _read(tokenizer: Tokenizer, character: str, lacking: Sequence[int]) -> str | None:
    """Returns what is read for a character that lacks pieces at some places; None: nothing."""
    if not lacking:
        return character
    if character.isspace():
        return " "
    if INVISIBLE.fullmatch("".join(character[place] for place in lacking)):
        return "".join(each for place, each in enumerate(character) if place not in lacking)
    if _READABLE.match(character):
        for form in ("NFKC", "NFD"):  # NFD: a model of decomposed text reads composed letters
            plain = unicodedata.normalize(form, character.translate(PLAIN))
            if tokenizer.unspelled.isdisjoint(tokenizer.encode(plain)):
                return plain
    return None


def _with_parts_of_words(line: str, characters: list[_Character]) -> list[_Character]:
    """Has the model read unseen letters that are attached to seen ones: they are one word."""
    kinds = "".join(each.kind for each in characters)
    for run in regex.finditer("a+", kinds):
        part = characters[run.start() : run.end()]
        attached = "w" in beside(kinds, *run.span())
        if attached and kind(line[part[0].begin : part[-1].end]) == "w":
            characters[run.start() : run.end()] = [
                _Character(each.begin, each.end, line[each.begin : each.end], "w") for each in part
            ]
    return characters


def _with_placeholders(
    tokenizer: Tokenizer, line: str, characters: Sequence[_Character], kept: Sequence[Placeholder]
) -> Iterator[_Character]:
    """Yields characters and placeholders; those attached to a word, or unspelled, are set aside."""
    end = 0
    waiting = list(reversed(kept))
    for each in characters:
        if waiting and each.end > waiting[-1].begin:
            begin, end, read = waiting.pop()
            attached = is_attached(line, begin, end)
            if attached or not tokenizer.unspelled.isdisjoint(tokenizer.encode(read)):
                yield _Character(begin, end, "", "a", is_placeholder=True)
            else:
                yield _Character(begin, end, read, "w", is_placeholder=True)
        if each.begin >= end:
            yield each


def _divided(line: str, characters: Sequence[_Character]) -> Remainder:
    """Sets characters aside, and joins what is between them."""
    kinds = "".join(each.kind for each in characters)
    final = FINAL.search(line)
    end_of_signs = 0 if final is None else final.start() + len(final[0].rstrip())
    parts, unseen, last = list[_Character](), list[Unseen](), 0
    for run in regex.finditer(r" *(a+(?: +a+)*) *", kinds):
        begin, end = characters[run.start()].begin, characters[run.end() - 1].end
        first, behind = characters[run.start(1)].begin, characters[run.end(1) - 1].end
        before, after = beside(line, first, behind)
        left, right = beside(kinds, *run.span())
        verbatim = any(each.is_placeholder for each in characters[run.start() : run.end()])
        written = line[first:behind] if verbatim else " ".join(line[first:behind].split())
        closed = end_of_signs > behind
        unseen.append(Unseen(written, first, before, after, left or " ", closed, verbatim=verbatim))
        spaced = end - begin > behind - first and not (end == behind and CLOSING.match(line, end))
        words = left == right == "w" and not UNSPACED.match(before)
        seam = " " if left and right and (words or spaced) else ""
        parts += [*characters[last : run.start()], _Character(begin, end, seam, " ")]
        last = run.end()
    parts += characters[last:]
    follows = " "
    for each in characters:
        if each.is_placeholder and each.read:
            text, around = line[each.begin : each.end], beside(line, each.begin, each.end)
            unseen.append(
                Unseen(text, each.begin, *around, follows, reads=each.read, verbatim=True)
            )
        follows = each.kind if each.kind != " " else follows
    unseen.sort(key=lambda each: each.begin)
    text = "".join(each.read for each in parts)
    return Remainder(line, text, [each for part in parts for each in part.origins], tuple(unseen))
