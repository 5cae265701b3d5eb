"""What engines do with lines, pairs and translations; equal tasks share windows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import NamedTuple

from nmt.data.constraints import Line
from nmt.inference import limits
from nmt.inference.joining import is_too_large
from nmt.inference.splitting import DividedLine
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator


class Result(NamedTuple):
    """The translations of a line, or of a part of it, best first, and what is to be known."""

    ranked: list[Translation]
    warnings: list[str]
    attention: bool = True  # whether they have it, which is large in a line of many parts


class PartOf(NamedTuple):
    """A part of a line, by its place."""

    line: DividedLine
    place: int

    @property
    def alone(self) -> Line:
        """The part as a line of its own."""
        return self.line.line(self.place)

    @property
    def size(self) -> int:
        """The characters of the part."""
        return len(self.line.parts[self.place].text)


class Notes:
    """The warnings of lines; each line of all threads has a number of its own."""

    def __init__(self) -> None:
        self._windows = count()
        self._of = defaultdict[int, list[str]](list)

    def __call__(self, numbers: Sequence[int], message: str) -> None:
        """Adds a warning of these lines."""
        for number in numbers:
            self._of[number].append(message)

    def before(self) -> int:
        """Returns the number of lines before a new window, of a million at most."""
        return next(self._windows) * 1_000_000

    def taken(self, before: int, lines: int) -> list[list[str]]:
        """Returns the warnings of each line of a window, and forgets them."""
        return [self._of.pop(before + number, []) for number in range(1, lines + 1)]


@dataclass(frozen=True)
class Translate:
    """The task to translate parts of lines."""

    translator: Translator
    notes: Notes
    n_best: int

    def __call__(self, parts: Sequence[PartOf]) -> list[Result]:
        """Returns the translations of each part, with the warnings of its line in this window."""
        before, lines = self.notes.before(), dict[int, int]()
        places = [lines.setdefault(id(part.line), len(lines)) for part in parts]
        try:
            ranked = self.translator.translate_parts(
                [part.alone for part in parts],
                self.n_best,
                numbers=[before + 1 + place for place in places],
            )
        finally:
            warnings = self.notes.taken(before, len(lines))
        return [Result(each, warnings[place]) for each, place in zip(ranked, places, strict=True)]

    def joined(self, line: DividedLine, found: Sequence[Result], *, most: int) -> Result:
        """Returns the translations of a line, given those of its parts.

        They have attention if it has so many weights at most, that of all of them together.
        """
        rows = sum(max(len(each.target_pieces) for each in part.ranked) for part in found)
        columns = sum(len(part.ranked[0].source_pieces) for part in found)
        attention = self.n_best * rows * columns <= most
        joiner = replace(self.translator.joiner, attention=attention)
        ranked = joiner.joined(line, [each.ranked for each in found], self.n_best)
        warnings = dict.fromkeys(each for part in found for each in part.warnings)
        as_of_whole = sorted(warnings, key=lambda each: each == limits.CUT)
        too_large = [limits.TOO_LARGE] if is_too_large(ranked[0].parts) else []
        return Result(ranked, [*as_of_whole, *too_large], attention)


@dataclass(frozen=True)
class Align:
    """The task to force-decode pairs, and to explain them by a method."""

    translator: Translator
    notes: Notes
    method: str | None

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[Result]:
        """Returns the given translation of each pair."""
        before = self.notes.before()
        try:
            aligned = self.translator.align_window(pairs, before=before, method=self.method)
        finally:
            warnings = self.notes.taken(before, len(pairs))
        return [Result([each], warned) for each, warned in zip(aligned, warnings, strict=True)]


@dataclass(frozen=True)
class Explain:
    """The task to explain translations by another method than attention."""

    translator: Translator
    method: str

    def __call__(self, translations: Sequence[Translation]) -> list[Translation]:
        """Returns the same translations with the matrices of the method."""
        return self.translator.explain(translations, method=self.method)
