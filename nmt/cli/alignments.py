"""The commands about word alignments: find, join, score and draw them."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from nmt.cli import terminal
from nmt.cli.terminal import AsJson, Beam, Output, RunPath
from nmt.errors import DataError


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
    aligned = stream_links(terminal.translator(run, None), pairs, threshold=threshold)
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


def plot(
    run: RunPath,
    sentence: Annotated[str, typer.Argument(help="A sentence to translate.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .png, .svg or .pdf file.")
    ] = Path("heatmap.png"),
    target: Annotated[
        str | None,
        typer.Option(help="Show the attention of this translation instead of the model's own."),
    ] = None,
    words: Annotated[bool, typer.Option(help="Words, not subword pieces.")] = True,
    beam: Beam = None,
) -> None:
    """Draw what the model attends to: a heat map of source against target.

    Example: nmt plot runs/demo "Der Hund schläft im Garten." -o heatmap.svg
    """
    from nmt import plotting

    plotting.check_ending(output)
    translator = terminal.translator(run, beam)
    if target is None:
        translation = translator.translate([sentence])[0]
    else:
        translation = translator.align([sentence], [target])[0]
    if not translation.attention.size:
        raise DataError("nothing to draw: the sentence or its translation is empty")
    plotting.save(plotting.plot_alignment(translation, words=words), output)
    print(translation.text)
