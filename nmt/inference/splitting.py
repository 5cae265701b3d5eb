"""Long lines are divided into parts, mostly sentences, each of which is translated by itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.config import Config, DecodingConfig
from nmt.data.constraints import NONE, Constraints, Line, apart
from nmt.data.sentences import divided, sentences
from nmt.data.tokenizer import Spans, Tokenizer
from nmt.inference.unseen import remainders

_FIRST_WORD = re.compile(r"\s*(\S+)\s+")


@dataclass(frozen=True)
class TrainedOn:
    """What splitting needs to know of the text that a model was trained on."""

    language: str = ""  # code of the source language
    max_length: int | None = None  # of a sentence, in pieces, its end included; None: unknown
    tags: tuple[str, ...] = ()  # words with which a source may begin: `data.train.source_tag`

    @classmethod
    def of(cls, config: Config) -> "TrainedOn":
        """Returns what the configuration of a run tells."""
        return cls(config.data.source, config.data.max_length, tuple(config.data.tags))


@dataclass(frozen=True)
class Part:
    """A part of a line, without spaces around it. The tag of a line is in front of each part."""

    text: str
    begin: int = 0  # in the line, of what is behind the tag
    tag: int = 0  # characters of the tag and the spaces behind it

    @property
    def end(self) -> int:
        """The place in the line of the character behind this part."""
        return self.begin + len(self.text) - self.tag

    def spans(self, spans: Spans) -> Spans:
        """Returns the spans in the line of spans in this part: those of its tag are the line's."""
        return [(self._place(begin), self._place(end, 1)) for begin, end in spans]

    def _place(self, place: int, behind: int = 0) -> int:
        return place if place < self.tag + behind else place - self.tag + self.begin


@dataclass(frozen=True)
class DividedLine:
    """A line in parts, one if it is not divided."""

    text: str
    parts: Sequence[Part]
    constraints: Constraints = NONE

    def line(self, place: int) -> Line:
        """Returns a part as a line of its own, with its constraints: the first has the prefix."""
        constraints = self.constraints if place == 0 else self.constraints.behind_prefix()
        return self.parts[place].text, constraints


@dataclass(frozen=True)
class Splitter:
    """Divides lines as the settings of the search say."""

    tokenizer: Tokenizer  # of the source
    config: DecodingConfig
    trained_on: TrainedOn = TrainedOn()

    def divided(self, lines: Sequence[Line]) -> list[DividedLine]:
        """Returns lines in their parts; one that requires a phrase, which any could have, is whole.

        Raises:
            DataError: sentences should be found by a package that is not installed.
        """
        texts, constraints = apart(lines)
        return [
            DividedLine(text, [Part(text)] if each.require else parts, each)
            for text, each, parts in zip(texts, constraints, self.parts(texts), strict=True)
        ]

    def parts(self, lines: Sequence[str]) -> list[list[Part]]:
        """Returns the parts of each line: one, the line as it is, if it is not divided.

        Raises:
            DataError: sentences should be found by a package that is not installed.
        """
        longest = {"cut": self.config.max_pieces, "long": self.longest, "always": 0}
        if self.config.split.when == "never":
            return [[Part(line)] for line in lines]
        return [
            self._divided(line) if size > longest[self.config.split.when] else [Part(line)]
            for line, size in zip(lines, self._sizes(lines), strict=True)
        ]

    @property
    def longest(self) -> int:
        """The most pieces of a part, the end of sentence included."""
        return min(self.config.max_pieces, self.trained_on.max_length or self.config.max_pieces)

    def _sizes(self, texts: Sequence[str]) -> list[int]:
        """Returns the number of pieces that the model reads of each text, with the end."""
        config = self.config
        copy, keep = config.copy_unseen, config.placeholders
        _, ids = remainders(self.tokenizer, texts, copy=copy, keep=keep)
        return [len(each) + 1 for each in ids]

    def _divided(self, line: str) -> list[Part]:
        first = _FIRST_WORD.match(line)
        tag = first[0] if first and first[1] in self.trained_on.tags else ""
        parts, end = list[Part](), len(tag)
        for text in self._texts(line[len(tag) :], tag):
            begin = end + len(text) - len(text.lstrip())
            end += len(text)
            if text.strip():
                parts.append(Part(tag + text.strip(), begin, len(tag)))
        return parts if len(parts) > 1 else [Part(line)]

    def _texts(self, text: str, tag: str) -> Iterator[str]:
        """Yields the sentences of a text, and of those that are too long the parts."""

        def fits(part: str) -> bool:
            return self._sizes([tag + part])[0] <= self.longest

        rules, language = self.config.split.sentences, self.trained_on.language
        found = sentences(text, rules=rules, language=language)
        # All at once: most fit, and many short texts take SentencePiece far longer one by one.
        for sentence, size in zip(found, self._sizes([tag + each for each in found]), strict=True):
            yield from [sentence] if size <= self.longest else divided(sentence, fits)
