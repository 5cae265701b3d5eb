"""What `nmt evaluate --pointing` scores: whether words point at their objects in pictures."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import ensembles, options
from nmt.counting import counted
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.evaluation.pointing import PointingScore

Pointing = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METHOD",
        help="Also score where words of the references point in pictures with known boxes, by "
        f"{options.METHODS}; repeat it for several.",
    ),
]


def check(methods: Sequence[str], runs: Sequence[Path], systems: int, source: Path | None) -> None:
    """Checks that the methods exist, and that there is one run, of pictures, with its own test set.

    Raises:
        DataError: they do not, or there is not.
    """
    from nmt.inference.explanations import check_method

    for name in methods:
        check_method(name)
    if systems > 1 or not runs:
        raise DataError("--pointing is of one RUN at a time, and compares methods; give one RUN")
    if source is not None:
        raise DataError("--pointing needs the boxes of data.test; leave out --source, or it")
    kind = ensembles.data(runs[0]).input.kind
    if kind != "pictures":
        raise DataError(f"--pointing is for runs that read pictures, and {runs[0]} reads {kind}")


def scores(
    run: Path, captioner: Any, pairs: tuple[Sequence[Any], Sequence[str]], methods: Sequence[str]
) -> "dict[str, PointingScore]":
    """Returns the score of each method on the test set of a run, whose pairs are given.

    Raises:
        DataError: the test set has no boxes, or not those of its words.
    """
    from nmt.data import boxes
    from nmt.evaluation.pointing import GroundedCaption, score_pointing

    data = ensembles.data(run)
    assert data.test is not None  # the pairs are of it
    try:
        gold = list(boxes.gold(data.test, languages=data.languages))
    except DataError as error:
        raise DataError(f"data.test of {run}: {error}") from None
    found = dict[str, "PointingScore"]()
    for method in dict.fromkeys(methods):
        captions = captioner.align(*pairs, method=method)
        for number, (each, known) in enumerate(zip(captions, gold, strict=True), start=1):
            if len(known.boxes) != len(each.words.target):
                raise DataError(
                    f"data.test of {run}, row {number}: boxes of "
                    f"{counted(len(known.boxes), 'word')}, and the caption "
                    f"has {len(each.words.target)} between spaces"
                )
        found[method] = score_pointing(
            [
                GroundedCaption(each.words.weights, known.boxes, known.size, each.grid)
                for each, known in zip(captions, gold, strict=True)
            ]
        )
    return found


def as_objects(scores: "dict[str, PointingScore]") -> list[dict[str, Any]]:
    """Returns what `--json` writes of the scores."""
    return [
        {"name": "pointing", "method": method, **dataclasses.asdict(score)}
        for method, score in scores.items()
    ]
