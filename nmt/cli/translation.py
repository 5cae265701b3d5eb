"""The command that translates text."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import options
from nmt.cli.options import Beam, Checkpoint, Output, RunPath, Trust
from nmt.cli.resumption import Resumption
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.inference.translation import Translation

Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[INPUT] [decoding.KEY=VALUE]...",
        help="Text file, one sentence per line; standard input if - or not given. Decoding "
        "settings replace the run's own.",
    ),
]
NBest = Annotated[
    int | None, typer.Option(min=1, help="Print this many translations per line, with scores.")
]
Alignments = Annotated[
    Path | None, typer.Option(help="Also write attention (.npz) or Pharaoh links (other endings).")
]
Dictionary = Annotated[
    Path | None,
    typer.Option(help="Translations of words the vocabulary lacks: lines of WORD, a tab, WORD."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Resume an interrupted translation to a file.")
]


def translate(
    run: RunPath,
    arguments: Arguments = None,
    output: Output = None,
    beam: Beam = None,
    n_best: NBest = None,
    alignments: Alignments = None,
    dictionary: Dictionary = None,
    resume: Resume = False,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Translate text line by line.

    Example: echo "Ein Hund schläft." | nmt translate runs/demo decoding.beam=8
    """
    from nmt.inference.output import open_alignments

    inputs, settings = options.settings_apart(arguments, beam=beam)
    if len(inputs) > 1:
        raise DataError(f"{' and '.join(inputs)}: one INPUT at a time is translated")
    source = Path(inputs[0]) if inputs and inputs != ["-"] else None
    if resume and (source is None or output is None or alignments is not None):
        raise DataError(
            "--resume goes on with a translation of a file to a file: give INPUT and --output, "
            "and find the --alignments by `nmt align` when it is finished"
        )
    translator = options.translator(run, settings, checkpoint=checkpoint, trust=trust)
    if dictionary is not None:
        translator.dictionary = options.dictionary(dictionary)
    progress, done = None, 0
    if source is not None and output is not None:
        progress = Resumption(translator, source, output, n_best=n_best, resume=resume)
        done = progress.lines
    translations = translator.stream(
        options.lines(source, replace=True), n_best=n_best or 1, skip=done
    )
    with options.writer(output, append=done > 0) as out, contextlib.ExitStack() as stack:
        align = stack.enter_context(open_alignments(alignments)) if alignments else None
        for number, found in enumerate(translations, start=done):
            out.writelines(_entries(found, None if n_best is None else number))
            if align is not None:
                align(found[0])
            if progress is not None and (number + 1) % translator.window == 0:
                progress.save(out, number + 1)
    if progress is not None:
        progress.remove()


def _entries(found: "list[Translation]", number: int | None) -> Iterator[str]:
    """Yields the best translation of a line; with `number`, all translations with scores."""
    if number is None:
        yield f"{found[0].text}\n"
        return
    for each in found:
        yield f"{number} ||| {each.text} ||| {each.log_prob:.4f} ||| {each.score:.4f}\n"
