"""The commands for files of word links: symmetrize and score."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import options
from nmt.cli.options import AsJson, OneBased, Output
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.evaluation.alignment import GoldLinks, Link

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

    found = files.find_together(forward, backward)
    writing.check_apart(output, *found)
    left, right = (read_links(files.lines(path), name=path) for path in found)
    with options.writer(output) as out:
        names = forward, backward
        for there, back in files.side_by_side(left, right, names=names, unit="sentence"):
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
    from nmt.evaluation.alignment import AlignmentScore, score_links
    from nmt.evaluation.cross_validation import CrossValidation
    from nmt.evaluation.cross_validation import cross_validate as validated
    from nmt.evaluation.pharaoh import read_gold

    if cross_validate != (len(links) > 1):
        raise DataError(
            "--cross-validate chooses among files of links: give two or more"
            if cross_validate
            else "several files of links: give --cross-validate to choose among them, or only one"
        )
    *found, truth = files.find_together(*links, gold)
    golden = read_gold(files.lines(truth), name=gold, one_based=one_based)
    read = [_predicted(*each, golden, gold=gold) for each in zip(found, links, strict=True)]
    score: AlignmentScore | CrossValidation = (
        validated(dict(zip(map(str, links), read, strict=True)), golden)
        if cross_validate
        else score_links(read[0], golden)
    )
    print(json.dumps(score.summary(), indent=2) if as_json else score)


def _predicted(
    path: Path, name: Path, golden: "list[GoldLinks]", *, gold: Path
) -> "list[frozenset[Link]]":
    """Returns the links of a file, one set for each sentence of the gold links."""
    from nmt.data import files
    from nmt.evaluation.pharaoh import read_links

    predicted = read_links(files.lines(path), name=name, sentences=len(golden))
    found = files.side_by_side(predicted, golden, names=(name, gold), unit="sentence")
    return [links for links, _ in found]
