"""A served model: what can be asked of it, and the engines that answer."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from nmt.data.constraints import Line
from nmt.inference.batches import FEW, WIDTHS, Capacity
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator
from nmt.markup import prepared
from nmt.serving.engine import Engine


class Found(NamedTuple):
    """The translations of a line, best first, and what is to be known of them."""

    ranked: list[Translation]
    warnings: list[str]


Observe = Callable[[int, float], object]  # the lines of a window, and the seconds it took


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
class Search:
    """The task to translate lines."""

    translator: Translator
    notes: Notes
    n_best: int

    def __call__(self, lines: Sequence[Line]) -> list[Found]:
        """Returns the translations of each line."""
        before = self.notes.before()
        try:
            ranked = self.translator.translate_window(lines, self.n_best, before=before)
        finally:
            warnings = self.notes.taken(before, len(lines))
        return list(map(Found, ranked, warnings))


@dataclass(frozen=True)
class Align:
    """The task to force-decode pairs, and to explain them by a method."""

    translator: Translator
    notes: Notes
    method: str | None

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[Found]:
        """Returns the given translation of each pair."""
        before = self.notes.before()
        try:
            aligned = self.translator.align_window(pairs, before=before, method=self.method)
        finally:
            warnings = self.notes.taken(before, len(pairs))
        return [Found([each], warned) for each, warned in zip(aligned, warnings, strict=True)]


@dataclass(frozen=True)
class Explain:
    """The task to explain translations by another method than attention."""

    translator: Translator
    method: str

    def __call__(self, lines: Sequence[Found]) -> list[Found]:
        """Returns the same translations with the matrices of the method."""
        explained = iter(
            self.translator.explain(
                [e for found in lines for e in found.ranked], method=self.method
            )
        )
        return [found._replace(ranked=[next(explained) for _ in found.ranked]) for found in lines]


class Served:
    """A model that answers.

    Lines without constraints are what most ask for, and their programs are compiled before anybody
    asks. The rest has an engine of its own, which may compile while lines are translated.
    """

    def __init__(
        self,
        name: str,
        translator: Translator,
        *,
        languages: tuple[str, str],
        threads: int,
        observe: Observe,
    ) -> None:
        self.name = name
        self.source, self.target = languages
        self._notes = Notes()
        self.translator = translator.changed(warn=self._notes)
        self.documents = prepared(translator).changed(warn=self._notes)
        self._of_sentences = self.translator.dividing()
        self.engine = Engine(name, most=rows(translator), threads=threads, observe=observe)
        self.others = Engine(f"{name}-others", most=FEW, threads=1, observe=observe)

    def translate(
        self, lines: Sequence[Line], *, n_best: int = 1, sentences: bool = False
    ) -> "list[Future[Found]]":
        """Translates lines, or each of their sentences."""
        translator = self._of_sentences if sentences else self.translator
        return self._submitted(translator, lines, n_best)

    def translate_segments(self, lines: Sequence[str]) -> "list[Future[Found]]":
        """Translates the segments of documents."""
        return self._submitted(self.documents, lines, 1)

    def _submitted(
        self, translator: Translator, lines: Sequence[Line], n_best: int
    ) -> "list[Future[Found]]":
        plain = all(isinstance(line, str) or not line[1] for line in lines)
        sizes = [len(line if isinstance(line, str) else line[0]) for line in lines]
        engine = self.engine if plain else self.others
        return engine.submit(Search(translator, self._notes, n_best), lines, sizes)

    def align(self, source: str, target: str, *, method: str | None) -> "Future[Found]":
        """Force-decodes a pair."""
        task = Align(self.translator, self._notes, method)
        [future] = self.others.submit(task, [(source, target)], [len(source) + len(target)])
        return future

    def explain(self, found: Found, *, method: str) -> "Future[Found]":
        """Explains the translations of a line by a method."""
        size = sum(len(each.source) for each in found.ranked)
        [future] = self.others.submit(Explain(self.translator, method), [found], [size])
        return future

    def close(self, timeout: float) -> None:
        """Waits until all is answered, for so many seconds at most."""
        for engine in (self.engine, self.others):
            engine.close(timeout)


def rows(translator: Translator) -> int:
    """Returns the most lines that are searched together."""
    config = translator.config
    width = config.strategy.build(config, n_best=1).width
    return Capacity(config.batch, beam=width).size(WIDTHS[0])
