"""Translating a corpus of many files: what a line of a shard is, and what is written for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.cli import cluster, formats
from nmt.cli.constraints import Reader
from nmt.config.endings import suffix
from nmt.data import files
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.data.constraints import Constraints, Line
    from nmt.inference.translator import Translator


def translate(
    corpus: cluster.Corpus,
    inputs: Sequence[str] | None,
    folders: tuple[Path | None, Path | None],
    *,
    load: Callable[[], "Translator"],
    of_lines: Mapping[str, Any],
    n_best: int | None,
    as_json: bool,
) -> None:
    """Translates the files of a corpus; `folders` are those of translations and of their links.

    Raises:
        DataError: there are no inputs, or an option is wrong; see also `cluster.Corpus.process`.
    """
    output, alignments = folders
    if not inputs:
        raise DataError("--ray translates a corpus: give --input 'corpus/*.de.gz', or other files")
    if len(corpus.columns) > 1:
        raise DataError("--column: give it once, for the source")
    if alignments is not None and alignments.suffix == ".npz":
        raise DataError(
            f"{alignments}: --ray writes links to a folder; matrices are written without it"
        )
    if output is not None and output == alignments:
        raise DataError(f"{output}: --output and --alignments need a folder each")
    how: dict[str, Any] = {"--n-best": n_best, "--json": as_json}
    how |= Reader.of(files.STDIN, of_lines).made_of
    how["--input-format"] = of_lines["--input-format"]  # else the ending of each file tells its own
    corpus.process(
        inputs,
        folders=folders,
        read=partial(_rows, of_lines=of_lines, columns=corpus.columns),
        load=load,
        write=partial(_window, n_best=n_best, as_json=as_json, aligned=alignments is not None),
        how=how,
    )


def _rows(
    sources: Sequence[Path], *, of_lines: Mapping[str, Any], columns: Sequence[str]
) -> "Iterator[tuple[str, Constraints]]":
    """Returns the lines of a shard with their constraints; see `Reader`, and `texts` for tables."""
    from nmt.cluster.columns import texts

    (path,) = sources
    if columns or suffix(path) == ".parquet":
        column, *_ = *columns, "source"
        reader = Reader.of(path, {**of_lines, "--input-format": "text"})
        return reader.lines(texts(path, column, replace=True))
    return Reader.of(path, of_lines).lines(files.lines(path, replace=True))


def _window(
    translator: "Translator",
    lines: "Sequence[Line]",
    before: int,
    *,
    n_best: int | None,
    as_json: bool,
    aligned: bool,
) -> list[str]:
    """Returns the translations of a window, behind `before` lines, and if asked for their links."""
    from nmt.inference.output import as_links

    ranked = list(translator.stream_windows([(before, lines)], n_best=n_best or 1))
    texts = [
        formats.entry(number, each, n_best=n_best is not None, as_object=as_json)
        for number, each in enumerate(ranked, before)
    ]
    links = [as_links(each if n_best is not None else each[:1]) for each in ranked if aligned]
    return ["".join(texts), "".join(links)] if aligned else ["".join(texts)]
