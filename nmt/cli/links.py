"""The commands for files of word links: symmetrize and score."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from nmt.cli import options, systems
from nmt.cli.options import AsJson, OneBased, Output
from nmt.errors import DataError

LINK_METHODS = "intersection, union, grow-diag, grow-diag-final or grow-diag-final-and."


def symmetrize(
    forward: Annotated[Path, typer.Argument(help="Links of one direction.")],
    backward: Annotated[Path, typer.Argument(help="Links of the other direction, line by line.")],
    symmetrization: Annotated[str, typer.Option(help=LINK_METHODS)] = "grow-diag-final-and",
    reverse: Annotated[
        bool, typer.Option("--reversed", help="The links of BACKWARD are target-source.")
    ] = False,
    output: Output = None,
) -> None:
    """Combine the alignments of two directions.

    As Moses' symal does.

    Example: nmt symmetrize de-en.align en-de.align --reversed -o test.align
    """
    from nmt.data import files, writing
    from nmt.evaluation import symmetrization as joining
    from nmt.evaluation.pharaoh import format_links, read_links

    joining.check_method(symmetrization)
    found = files.find_together(forward, backward)
    writing.check_apart(output, *found)
    named = zip(found, (forward, backward), strict=True)
    left, right = (_read(*each, read_links, rest=frozenset()) for each in named)
    with options.writer(output) as out:
        for there, back in _pairs(left, right):
            if reverse:
                back = joining.turned(back)
            links = joining.symmetrize(there, back, method=symmetrization)
            out.write(format_links(links) + "\n")


def aer(
    links: Annotated[list[Path], typer.Argument(help="Links of some sentences.")],
    gold: Annotated[Path, typer.Option(help="Their gold links: `i-j` sure, `ipj` possible.")],
    one_based: OneBased = False,
    as_json: AsJson = False,
    cross_validate: Annotated[
        bool,
        typer.Option(
            "--cross-validate",
            help="Choose among several files on half of the sentences, and score the other half.",
        ),
    ] = False,
) -> None:
    """Score links against gold links.

    By alignment error rate, precision, recall and F1. Files are in Pharaoh format, or in that of
    GIZA++ (A3.final) or WPT, which are recognized.

    Example: nmt aer test.align --gold gold.align --json
    """
    from nmt.data import files
    from nmt.evaluation.alignment import AlignmentScore, GoldLinks, score_links
    from nmt.evaluation.cross_validation import CrossValidation
    from nmt.evaluation.cross_validation import cross_validate as validated
    from nmt.evaluation.pharaoh import read_gold, read_links

    if cross_validate != (len(links) > 1):
        raise DataError(
            "--cross-validate chooses among files of links: give two or more"
            if cross_validate
            else "several files of links: give --cross-validate to choose among them, or only one"
        )
    systems.check_once(links, rule="each file of links is one to choose")
    *found, truth = files.find_together(*links, gold)
    none = GoldLinks(frozenset(), frozenset())
    true = _read(truth, gold, partial(read_gold, one_based=one_based), rest=none)
    named = zip(found, links, strict=True)
    read = [_read(*each, read_links, rest=frozenset()) for each in named]
    golden, *predicted = _together([true, *read])
    score: AlignmentScore | CrossValidation = (
        validated(dict(zip(map(str, links), predicted, strict=True)), golden)
        if cross_validate
        else score_links(predicted[0], golden)
    )
    print(json.dumps(score.summary(), indent=2) if as_json else score)


class _Links(NamedTuple):
    """What a file has for each sentence, and for those behind its last, if it does not tell."""

    name: Path
    sentences: Any  # an iterable of sets of links, or of gold links
    rest: Any  # None if all sentences are in the file


def _read(path: Path, name: Path, reader: Callable[..., Any], *, rest: Any) -> _Links:
    """Returns what a reader finds in a file; `rest` is what a sentence without links has."""
    from nmt.data import files
    from nmt.evaluation.link_formats import is_wpt
    from nmt.evaluation.pharaoh import begun

    first, lines = begun(files.lines(path))
    return _Links(name, reader(lines, name=name), rest if is_wpt(first) else None)


def _pairs(left: _Links, right: _Links) -> Iterator[tuple[Any, Any]]:
    """Returns what two files have for the same sentence."""
    from nmt.data.files import side_by_side

    return side_by_side(
        left.sentences,
        right.sentences,
        names=(left.name, right.name),
        unit="sentence",
        rests=(left.rest, right.rest),
    )


def _together(read: Sequence[_Links]) -> list[list[Any]]:
    """Returns what each file has for the same sentences, as many as the longest one has."""
    listed = [each._replace(sentences=list(each.sentences)) for each in read]
    longest = max(listed, key=lambda each: len(each.sentences))
    return [[mine for mine, _ in _pairs(each, longest)] for each in listed]
