"""Options for what translations have to be like, for all lines or by line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product, tee
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.cli import options
from nmt.data import files
from nmt.data.constraints import Constraints, InputFormat, Line, format_of, parse_lines
from nmt.data.phrases import contains_forbidden
from nmt.errors import DataError

Prefix = Annotated[
    str | None, typer.Option(help="Text that each translation begins with; see constraints.md.")
]
Require = Annotated[
    list[str] | None, typer.Option(help="Phrase that each translation has; may be repeated.")
]
Forbid = Annotated[
    list[str] | None, typer.Option(help="Phrase that no translation has; may be repeated.")
]
GlossaryFile = Annotated[
    Path | None,
    typer.Option("--glossary", help="Terms to translate with: lines of TERM, a tab, TERM."),
]
Format = Annotated[
    InputFormat | None,
    typer.Option(
        "--input-format",
        help="What INPUT has by line: text; tsv, SOURCE and PREFIX; jsonl, objects with source, "
        "prefix, require and forbid. If not given, its ending tells.",
    ),
]


@dataclass(frozen=True)
class Reader:
    """Reads lines with their constraints, from a source of a format; `all` are those of each."""

    source: Path
    format: InputFormat
    all: Constraints

    @classmethod
    def of(cls, source: Path, given: Mapping[str, Any]) -> "Reader":
        """Returns the reader that given options describe, by their names on the command line.

        Raises:
            DataError: a phrase is empty, or one is required and forbidden.
        """
        prefix, *phrases = (given[f"--{name}"] for name in ("prefix", "require", "forbid"))
        texts = (map(options.sentence, each or ()) for each in phrases)
        everywhere = Constraints(options.sentence(prefix or ""), *map(tuple, texts))
        for wanted, banned in product(everywhere.require, everywhere.forbid):
            if contains_forbidden(wanted, banned):
                raise DataError(
                    f"--require {wanted!r} has what --forbid {banned!r} forbids; leave out one"
                )
        return cls(source, given["--input-format"] or format_of(source), everywhere)

    @property
    def made_of(self) -> dict[str, Any]:
        """What the constraints depend on, besides the source, for JSON."""
        every = [self.all.prefix, list(self.all.require), list(self.all.forbid)]
        return {"--input-format": self.format, "constraints": every}

    def lines(self, lines: Iterable[str], *, before: int = 0) -> Iterator[tuple[str, Constraints]]:
        """Yields the texts of lines, each with its constraints; `before` lines came earlier."""
        given: Iterable[Line] = lines
        if self.format != "text":
            name = files.named(self.source)
            given = parse_lines(lines, self.format, name=name, before=before)
        return map(self._constrained, given)

    def window(self, window: tuple[int, list[str]]) -> tuple[int, list[Line]]:
        """Returns a window of lines with their constraints."""
        before, lines = window
        return before, list(self.lines(lines, before=before))

    def _constrained(self, line: Line) -> tuple[str, Constraints]:
        text, own = (line, self.all) if isinstance(line, str) else line
        return text, own if own is self.all else self.all.with_more(own)

    def apart(self, lines: Iterable[str]) -> tuple[Iterator[str], Iterator[Constraints]]:
        """Returns texts and constraints of lines apart."""
        one, other = tee(self.lines(lines))
        return (text for text, _ in one), (constraints for _, constraints in other)
