"""What `nmt evaluate` scores, and against which texts."""

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

from nmt.cli import captions, ensembles
from nmt.counting import counted
from nmt.data import files
from nmt.data.phrases import CHARACTER
from nmt.errors import DataError


class Texts(NamedTuple):
    """A test set, and the given translations of it by the names of their files."""

    sources: list[Any] | None
    references: list[list[str]]
    given: dict[str, list[str]]


def check(runs: Sequence[Path], hypotheses: Sequence[Path]) -> None:
    """Checks that there are systems to score, each of them once, and that the runs translate.

    Raises:
        DataError: there are not, or one is given twice, is a file or aligns.
    """
    if not runs and not hypotheses:
        raise DataError("nothing to score; give a RUN, or --hypothesis FILE --reference FILE")
    check_once([*runs, *hypotheses], rule="each system is scored once")
    for run in runs:
        if os.path.isfile(run):
            raise DataError(
                f"{run}: no run folder; files are --source, --reference or --hypothesis FILE"
            )
        ensembles.check_translates(run)


def check_once(paths: Sequence[Path], *, rule: str) -> None:
    """Checks that no path is given twice.

    Raises:
        DataError: one is; the message has the `rule`.
    """
    for number, path in enumerate(paths):
        if path in paths[:number]:
            raise DataError(f"{path}: given twice; {rule}")


def texts(
    runs: Sequence[Path],
    source: Path | None,
    references: Sequence[Path],
    hypotheses: Sequence[Path],
) -> Texts:
    """Returns the texts of files; without source and references, the first run's own test set.

    Raises:
        DataError: a text is missing, cannot be read, or has another number of lines, or a
            reference is given twice, or the runs read different kinds of sources.
    """
    _check_kinds(runs)
    check_once(references, rule="each reference counts once")
    if not references and not runs:
        raise DataError("--hypothesis FILE is scored against --reference FILE; give both")
    if bool(references) != (source is not None) and (runs or not references):
        raise DataError("give both --source and --reference, or neither to score data.test")
    paths = [*([source] if source else []), *references, *hypotheses]
    found = files.find_together(*paths)
    lines = dict[str, list[Any]]()
    for path, each in zip(paths, found, strict=True):
        is_text = path != source or not runs or not captions.are_written_by(runs[0])
        lines[str(path)] = (
            list(files.lines(each)) if is_text else captions.sources(ensembles.data(runs[0]), path)
        )
    if references:
        sources = lines[str(source)] if source else None
        targets = [lines[str(path)] for path in references]
        sizes = lines
    else:
        sources, target = _test_set(runs[0])
        targets = [target]
        sizes = {f"data.test of {runs[0]}": target} | lines
    _check_sizes(sizes)
    return Texts(sources, targets, {str(path): lines[str(path)] for path in hypotheses})


def warn_of_forms(
    hypotheses: Mapping[str, Sequence[str]], references: Sequence[Sequence[str]]
) -> None:
    """Warns of characters that the references have in another Unicode form: no metric knows it."""
    known = {each for lines in references for line in lines for each in CHARACTER.findall(line)}
    composed = {normalize("NFC", each) for each in known}
    for name, lines in hypotheses.items():
        found = (each for line in lines for each in CHARACTER.findall(line))
        unknown = [each for each in dict.fromkeys(found) if each not in known]
        if other := [each for each in unknown if normalize("NFC", each) in composed]:
            points = " ".join(f"U+{ord(each):04X}" for each in other[0])
            warnings.warn(
                f"{name}: the references have {counted(len(other), 'character')} in another "
                f"Unicode form, such as {other[0]} ({points}), and words with them count as "
                "others; write both texts in NFC",
                stacklevel=2,
            )


def _check_kinds(runs: Sequence[Path]) -> None:
    """Checks that the runs can have the same test set."""
    kinds = [ensembles.data(run).input.kind for run in runs]
    for run, kind in zip(runs, kinds, strict=True):
        if kind != kinds[0]:
            raise DataError(
                f"{runs[0]} reads {kinds[0]} and {run} reads {kind}: they cannot have the same "
                "test set; score each alone"
            )


def _check_sizes(texts: Mapping[str, Sequence[Any]]) -> None:
    """Checks that texts, which are given by name, have the same number of lines, and some."""
    (name, first), *others = texts.items()
    if not first:
        raise DataError(f"{name}: is empty; give at least one sentence")
    for other, lines in others:
        if len(lines) != len(first):
            raise DataError(
                f"{name} has {counted(len(first), 'line')} and {other} has {len(lines):,}"
            )


def _test_set(path: Path) -> tuple[list[Any], list[str]]:
    """Returns source and reference of a run's own test set."""
    from nmt.data import corpora

    data = ensembles.data(path)
    if data.test is None:
        raise DataError(
            f"{path}: its configuration has no data.test; give --source FILE --reference FILE"
        )
    try:
        test = corpora.held_out(data, "test")
    except DataError as error:
        raise DataError(f"data.test of {path}: {error}; or give --source and --reference") from None
    return list(test["source"]), list(test["target"])
