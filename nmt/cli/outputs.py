"""What `nmt translate` writes of each line, and where."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nmt.cli import formats, options
from nmt.cli.resumption import check_resumable
from nmt.data import writing

if TYPE_CHECKING:
    from nmt.inference.translation import Translation


@dataclass(frozen=True)
class Outputs:
    """Where translations and their alignments are written, and in which form.

    Of each line the best translation is written, or if `n_best` is given so many with scores.
    """

    translations: Path | None  # standard output if None
    alignments: Path | None  # none if None
    n_best: int | None
    as_json: bool

    @property
    def ranks(self) -> int:
        """The number of translations of a line that are asked for."""
        return self.n_best or 1

    @property
    def made_of(self) -> dict[str, Any]:
        """The options that choose what is written in a file of translations."""
        return {"--n-best": self.n_best, "--json": self.as_json}

    def check(self, read: Sequence[Path], *, resume: bool = False) -> None:
        """Checks that the outputs are files of their own, and can be resumed if this is asked for.

        Raises:
            DataError: they are not, or cannot; the first file of `read` is the text.
        """
        if resume:
            check_resumable(read[0], self.translations, self.alignments)
        written = self.translations
        writing.check_distinct(written, self.alignments, options=("--output", "--alignments"))
        for each in (written, self.alignments):
            writing.check_apart(each, *read)

    def entry(self, number: int, ranked: "Sequence[Translation]") -> str:
        """Returns what is written for a line; `number` counts lines from 0."""
        several = self.n_best is not None
        return formats.entry(number, ranked, n_best=several, as_object=self.as_json)

    @contextmanager
    def opened(self, *, append: bool = False) -> Iterator["Writer"]:
        """Opens the files; `append` is that of `writing.text`, for translations."""
        from nmt.inference.output import open_alignments

        with options.writer(self.translations, append=append) as out, ExitStack() as stack:
            align = None
            if self.alignments is not None:
                opened = open_alignments(self.alignments, ranked=self.n_best is not None)
                align = stack.enter_context(opened)
            yield Writer(out, self.entry, align)


class Writer(NamedTuple):
    """Writes the translations of lines to `out`, and their alignments."""

    out: TextIOBase
    entry: "Callable[[int, Sequence[Translation]], str]"
    align: "Callable[[Sequence[Translation]], object] | None"

    def write(self, number: int, ranked: "Sequence[Translation]") -> None:
        """Writes the translations of a line; `number` counts lines from 0."""
        self.out.write(self.entry(number, ranked))
        if self.align is not None:
            self.align(ranked)
