"""Translating a corpus of many files: what a line of a shard is, and what is written for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.cli import cluster
from nmt.cli.constraints import Reader
from nmt.cli.outputs import Outputs
from nmt.config.endings import suffix
from nmt.data import files
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.data.constraints import Constraints, Line
    from nmt.inference.translator import Translator


def translate(
    corpus: cluster.Corpus,
    inputs: Sequence[str] | None,
    outputs: Outputs,
    *,
    load: Callable[[], "Translator"],
    of_lines: Mapping[str, Any],
) -> None:
    """Translates the files of a corpus; `outputs` are folders, of translations and their links.

    Raises:
        DataError: there are no inputs, or an option is wrong; see also `cluster.Corpus.process`.
    """
    output, alignments = outputs.translations, outputs.alignments
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
    how = {**outputs.made_of, **Reader.of(files.STDIN, of_lines).made_of}
    how["--input-format"] = of_lines["--input-format"]  # else the ending of each file tells its own
    corpus.process(
        inputs,
        folders=(output, alignments),
        read=partial(_rows, of_lines=of_lines, columns=corpus.columns),
        load=load,
        write=partial(_window, outputs=outputs),
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
    outputs: Outputs,
) -> list[str]:
    """Returns the translations of a window, behind `before` lines, and if asked for their links."""
    from nmt.inference.output import as_links

    ranked = list(translator.stream_windows([(before, lines)], n_best=outputs.ranks))
    texts = "".join(outputs.entry(number, each) for number, each in enumerate(ranked, before))
    if outputs.alignments is None:
        return [texts]
    return [texts, "".join(as_links(each[: outputs.ranks]) for each in ranked)]
