"""The sentences that `nmt plot` draws, or pictures, with their translations and gold links."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.cli import captions, ensembles, options
from nmt.counting import counted
from nmt.data import files
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.evaluation.alignment import GoldLinks

Column = list[str] | None  # a value for each source, if given


@dataclass(frozen=True)
class Examples:
    """Sources, each of which is a `noun` to the user, from arguments or from a file."""

    noun: str
    sources: list[Any]
    target: Column
    gold: Column
    file: Path | None
    sources_in: list[Path]  # files that are sources, or have them

    @classmethod
    def of(
        cls, run: Path, arguments: list[str], target: Column, gold: Column, *, file: Path | None
    ) -> "Examples":
        """Returns what is given for a run, by arguments and options or in a file.

        Raises:
            DataError: there are both, a sentence is the name of a file, or a file cannot be read.
        """
        noun, sources_in = "sentence", list[Path]()
        if captions.are_written_by(run):
            noun, sources = "source", captions.given(run, arguments, file)
            sources_in = [*map(files.find, arguments), *captions.files_of(sources)]
        else:
            sources, target, gold = _texts(arguments, target, gold, file=file)
        target = None if target is None else list(map(options.sentence, target))
        return cls(noun, sources, target, gold, file, sources_in)

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        return self.sources_in if self.file is None else [files.find(self.file), *self.sources_in]

    def check(self, run: Path, n_best: int | None) -> None:
        """Checks that sources, translations, gold links and --n-best fit together, and the run.

        Raises:
            DataError: they do not.
        """
        if ensembles.aligns(run) and self.target is None:
            place = "behind a tab in --file" if self.file else "by --target"
            raise DataError(f"{run} aligns and does not translate: give translations {place}")
        if not self.sources:
            raise DataError(f"no {self.noun} to draw; give one, or a --file of them")
        for option, each in (("--target", self.target), ("--gold", self.gold)):
            if each is not None and len(each) != len(self.sources):
                raise DataError(
                    f"{len(each)} times {option} for {counted(len(self.sources), self.noun)}; give "
                    "it once for each"
                )
        if self.target is not None and n_best is not None:
            raise DataError("--n-best shows what the model writes itself; leave out the targets")

    def links(self, run: Path, *, one_based: bool, words: bool) -> "list[GoldLinks] | None":
        """Returns the gold links of each sentence, if there are any.

        Raises:
            DataError: they are damaged, or have no words that they can be between.
        """
        from nmt.evaluation.pharaoh import read_gold

        if self.gold is None:
            if one_based:
                raise DataError(
                    "--one-based says how gold links count words; give them, or leave it"
                )
            return None
        if self.target is None:
            raise DataError(
                "gold links count the words of a given translation; give it by --target"
            )
        if not words:
            raise DataError("gold links are between words; leave out --no-words, or the links")
        return read_gold(
            self.gold,
            name=self.file or "--gold",
            one_based=one_based,
            source_lines=self.sources,
            target_lines=self.target,
            word_boundaries=ensembles.data(run).word_boundaries,
        )


def _texts(
    given: Sequence[str], target: Column, gold: Column, *, file: Path | None
) -> tuple[list[Any], Column, Column]:
    """Returns sentences, translations and gold links, which are given or in a file."""
    if file is not None:
        if given or target or gold:
            raise DataError("--file has sentences, targets and gold links; leave the others out")
        return _read_file(file)
    for each in filter(os.path.isfile, given):
        raise DataError(f"{each}: is a file; give --file {shlex.quote(each)}")
    return list(map(options.sentence, given)), target, gold


def _read_file(file: Path) -> tuple[list[Any], Column, Column]:
    """Returns the sentences in a file, and the columns of translations and gold links, if any."""
    rows = [line.split("\t") for line in options.lines(file)]
    for number, row in enumerate(rows, start=1):
        if len(row) > 3 or len(row) != len(rows[0]):
            raise DataError(
                f"{file}, line {number}: {len(row)} tab-separated columns; each line has a "
                "sentence, or also its translation, or also gold links"
            )
    sentences, target, gold, *_ = (*map(list, zip(*rows, strict=True)), None, None, None)
    return sentences or [], target, gold
