"""A served model: what can be asked of it, and the engines that answer."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import islice

from nmt.data.constraints import Line
from nmt.inference.batches import FEW, WIDTHS, Capacity
from nmt.inference.joining import LARGEST
from nmt.inference.splitting import DividedLine
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator
from nmt.markup import prepared
from nmt.serving import warming
from nmt.serving.engine import Engine, Task
from nmt.serving.engine import close as close_engines
from nmt.serving.tasks import Align, Explain, Notes, PartOf, Result, Translate

Observe = Callable[[int, float], object]  # the lines of a window, and the seconds it took


@dataclass(frozen=True)
class Divided:
    """Lines in their parts, and how these are translated, and joined."""

    task: Translate
    lines: Sequence[DividedLine]
    most: int  # weights between pieces of a line that has several parts

    @property
    def parts(self) -> list[PartOf]:
        """The parts of all lines, in order."""
        return [PartOf(line, place) for line in self.lines for place in range(len(line.parts))]


class Served:
    """A model that answers.

    Most ask for one translation of lines without constraints, or for what a beam holds of one line.
    The programs for these are compiled before anybody asks. The rest has an engine of its own,
    which may compile while lines are translated.
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
        self._sentences = self.translator.dividing().splitter
        self.engine = Engine(name, most=rows(translator), threads=threads, observe=observe)
        self.others = Engine(f"{name}-others", most=FEW, threads=1, observe=observe)

    def divided(
        self, lines: Sequence[Line], *, n_best: int = 1, sentences: bool = False, most: int = 0
    ) -> Divided:
        """Returns lines in their parts, or in sentences, which takes time for long ones.

        A divided line has attention if all of it together has so many weights at most.

        Raises:
            DataError: sentences should be found by a package that is not installed.
        """
        splitter = self._sentences if sentences else self.translator.splitter
        task = Translate(self.translator, self._notes, n_best)
        return Divided(task, splitter.divided(lines), most)

    def divided_segments(self, segments: Sequence[str]) -> Divided:
        """Returns the segments of documents in their parts."""
        task = Translate(self.documents, self._notes, 1)
        return Divided(task, self.documents.splitter.divided(segments), LARGEST)

    def translate(self, divided: Divided) -> "list[list[Future[Result]]]":
        """Translates each part of lines: parts are jobs, between which those of others come."""
        parts = divided.parts
        engine, task = self._ways(divided, len(parts))
        found = iter(engine.submit(task, parts, [part.size for part in parts]))
        return [list(islice(found, len(line.parts))) for line in divided.lines]

    def _ways(self, divided: Divided, parts: int) -> tuple[Engine, Task]:
        """Returns who translates lines, and by which task: the others, if it may be compiled."""
        task = divided.task
        config, n_best = task.translator.config, task.n_best
        if any(line.constraints for line in divided.lines):
            return self.others, task
        if warming.is_usual(config, n_best):
            return self.engine, task
        if parts == 1 and warming.is_warmed_alone(config, n_best):
            return self.engine, partial(task)  # like no other task: it has windows of its own
        return self.others, task

    def align(self, source: str, target: str, *, method: str | None) -> "Future[Result]":
        """Force-decodes a pair."""
        task = Align(self.translator, self._notes, method)
        [future] = self.others.submit(task, [(source, target)], [len(source) + len(target)])
        return future

    def explain(
        self, translations: Sequence[Translation], *, method: str
    ) -> "list[Future[Translation]]":
        """Explains translations, none of which has parts, by a method."""
        sizes = [len(each.source) for each in translations]
        return self.others.submit(Explain(self.translator, method), translations, sizes)

    def close(self, timeout: float) -> None:
        """Waits until all is answered, for so many seconds at most."""
        close([self], timeout)


def close(models: Iterable[Served], timeout: float) -> None:
    """Waits until models have answered all, for so many seconds at most."""
    close_engines([each for model in models for each in (model.engine, model.others)], timeout)


def rows(translator: Translator) -> int:
    """Returns the most lines that are searched together."""
    config = translator.config
    width = config.strategy.build(config, n_best=1).width
    return Capacity(config.batch, beam=width).size(WIDTHS[0])
