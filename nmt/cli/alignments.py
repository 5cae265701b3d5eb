"""The commands about word alignments: find, join and score them."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from nmt.cli import terminal
from nmt.cli.terminal import AsJson, Output, RunPath, Trust


def align(
    run: RunPath,
    source: Annotated[Path, typer.Option(help="Source text, one sentence a line.")],
    target: Annotated[Path, typer.Option(help="Its translation, line for line.")],
    output: Output = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Link all words with so much attention or more, not the most attended alone.",
        ),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            help="Gold links (`i-j` sure, `ipj` possible): print the alignment error rate."
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help=f"What words are linked by: {terminal.METHODS}.")
    ] = "attention",
    trust: Trust = False,
) -> None:
    """Align given pairs by what the model attends to when forced to write the target.

    Example: nmt align runs/demo --source test.de --target test.en --gold test.align
    """
    from nmt.data import files
    from nmt.decoding.output import stream_links
    from nmt.evaluation.alignment import score_links
    from nmt.evaluation.pharaoh import format_links, read_gold

    pairs = files.parallel(files.find(source), files.find(target))
    golden = None
    if gold is not None:
        golden = read_gold(
            terminal.lines(gold),
            name=gold,
            source_lines=terminal.lines(source),
            target_lines=terminal.lines(target),
        )
    translator = terminal.translator(run, None, trust=trust)
    aligned = stream_links(translator, pairs, threshold=threshold, method=method)
    scored = []
    with terminal.writer(output) as out:
        for links in aligned:
            out.write(format_links(links) + "\n")
            if golden is not None:
                scored.append(links)
    if golden is not None:
        print(score_links(scored, golden), file=sys.stderr)


def symmetrise(
    forward: Annotated[Path, typer.Argument(help="Pharaoh links of one direction.")],
    backward: Annotated[Path, typer.Argument(help="Those of the other, line for line.")],
    method: Annotated[
        str,
        typer.Option(
            help="intersection, union, grow-diag, grow-diag-final or grow-diag-final-and."
        ),
    ] = "grow-diag-final-and",
    reverse: Annotated[
        bool, typer.Option("--reversed", help="The links of BACKWARD are target-source.")
    ] = False,
    output: Output = None,
) -> None:
    """Make one alignment of those of two directions, as Moses' symal does.

    Example: nmt symmetrise de-en.align en-de.align --reversed -o test.align
    """
    from nmt.data.files import side_by_side
    from nmt.evaluation import symmetrise as symmetrisation
    from nmt.evaluation.pharaoh import format_links, read_links

    left, right = (read_links(terminal.lines(path), name=path) for path in (forward, backward))
    with terminal.writer(output) as out:
        for there, back in side_by_side(left, right, names=(forward, backward)):
            if reverse:
                back = frozenset((source, target) for target, source in back)
            links = symmetrisation.symmetrise(there, back, method=method)
            out.write(format_links(links) + "\n")


def aer(
    links: Annotated[Path, typer.Argument(help="Pharaoh links, a sentence a line.")],
    gold: Annotated[
        Path, typer.Option(help="Gold links, line for line: `i-j` sure, `ipj` possible.")
    ],
    as_json: AsJson = False,
) -> None:
    """Score links against gold ones: alignment error rate, precision, recall and F1.

    Example: nmt aer test.align --gold gold.align --json
    """
    from nmt.data.files import side_by_side
    from nmt.evaluation.alignment import score_links
    from nmt.evaluation.pharaoh import read_gold, read_links

    predicted = read_links(terminal.lines(links), name=links)
    golden = read_gold(terminal.lines(gold), name=gold)
    pairs = list(side_by_side(predicted, golden, names=(links, gold)))
    score = score_links([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    print(json.dumps(dataclasses.asdict(score), indent=2) if as_json else score)
