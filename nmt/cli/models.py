"""The commands that make a model, use it, and say what it is and how fast."""

import contextlib
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import terminal
from nmt.cli.progress import Progress
from nmt.cli.terminal import AsJson, Beam, Output, RunPath, Trust
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.decoding.translation import Translation


def demo(
    overrides: Annotated[list[str] | None, typer.Argument(help="section.key=value")] = None,
) -> None:
    """Train, evaluate and plot on the embedded German-English corpus, in a few minutes.

    Example: nmt demo run=runs/my-demo
    """
    from nmt.demo import demonstrate

    terminal.look_for_classes_here()
    demonstrate(overrides or [])


def train(
    config: Annotated[Path, typer.Argument(help="A YAML configuration.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="section.key=value")] = None,
) -> None:
    """Train a model; the same command again goes on where it stopped.

    Example: nmt train configs/multi30k-de-en.yaml run=runs/small model.dropout=0.2
    """
    from nmt import configfile

    loaded = configfile.load(config, overrides or [])
    from nmt.training.trainer import train as run_training

    terminal.look_for_classes_here()
    run = run_training(loaded)
    data = run.config.data
    files = f" --source FILE.{data.source} --reference FILE.{data.target}"
    arguments = shlex.quote(str(run.path)) + ("" if data.test else files)
    print(f"next: nmt evaluate {arguments}", file=sys.stderr)


def translate(
    run: RunPath,
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[INPUT]", help="Text, one sentence a line; standard input if not given."
        ),
    ] = None,
    output: Output = None,
    beam: Beam = None,
    n_best: Annotated[
        int | None, typer.Option(min=1, help="Print so many translations a line, with scores.")
    ] = None,
    alignments: Annotated[
        Path | None,
        typer.Option(help="Also write attention (.npz) or Pharaoh links (any other ending)."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an output file that was not finished.")
    ] = False,
    trust: Trust = False,
) -> None:
    """Translate text, line for line.

    Example: echo "Ein Hund schläft." | nmt translate runs/demo --beam 5
    """
    from nmt.decoding.output import open_alignments

    if resume and (source is None or output is None or alignments is not None):
        raise DataError(
            "--resume goes on with a translation of a file to a file: give INPUT and --output, "
            "and find the --alignments by `nmt align` when it is finished"
        )
    translator = terminal.translator(run, beam, trust=trust)
    progress, done = None, 0
    if source is not None and output is not None:
        progress = Progress.of(translator, source, output, n_best=n_best, resume=resume)
        done = progress.lines
    translations = translator.stream(
        terminal.lines(source, replace=True), n_best=n_best or 1, skip=done
    )
    with terminal.writer(output, append=done > 0) as out, contextlib.ExitStack() as stack:
        links = stack.enter_context(open_alignments(alignments)) if alignments else None
        for number, found in enumerate(translations, start=done):
            out.writelines(_entries(found, None if n_best is None else number))
            if links is not None:
                links.write(found[0])
            if progress is not None and (number + 1) % translator.window == 0:
                progress.save(out, number + 1)
    if progress is not None:
        progress.remove()


def _entries(found: "list[Translation]", number: int | None) -> Iterator[str]:
    """Yields the best translation of a line, or with its number all of them with scores."""
    if number is None:
        yield f"{found[0].text}\n"
        return
    for each in found:
        yield f"{number} ||| {each.text} ||| {each.log_prob:.4f} ||| {each.score:.4f}\n"


def evaluate(
    run: RunPath,
    source: Annotated[Path, typer.Option(help="Text to translate, one sentence a line.")],
    reference: Annotated[
        list[Path],
        typer.Option(help="Its translation; give it several times for several references."),
    ],
    beam: Beam = None,
    as_json: AsJson = False,
    trust: Trust = False,
) -> None:
    """Translate a test set and score it: BLEU and chrF with their sacreBLEU signatures.

    Example: nmt evaluate runs/demo --source test.de --reference test.en --json
    """
    from nmt.evaluation import metrics

    lines = list(terminal.lines(source))
    references = [list(terminal.lines(path)) for path in reference]
    for path, sentences in zip(reference, references, strict=True):
        if len(sentences) != len(lines):
            raise DataError(f"{source} has {len(lines)} lines and {path} has {len(sentences)}")
    translations = terminal.translator(run, beam, trust=trust).translate(lines)
    scores = metrics.evaluate([each.text for each in translations], *references)
    print(metrics.as_json(scores) if as_json else "\n".join(map(str, scores)))


def shortlist(run: RunPath) -> None:
    """Learn which words a search may leave out: the table that `decoding.shortlist` needs.

    Example: nmt shortlist runs/demo, then `shortlist: 5` under `decoding:` in its config.yaml
    """
    from nmt.decoding.shortlist import make
    from nmt.run import Run

    print(make(Run.open(run)))


def info(
    run: RunPath,
    as_json: AsJson = False,
    svg: Annotated[
        Path | None, typer.Option(help="Also write a block diagram of the model, as SVG.")
    ] = None,
    trust: Trust = False,
) -> None:
    """Show what a run folder holds: parameters by part, vocabulary, training and scores so far.

    Example: nmt info runs/demo
    """
    from nmt.info import describe, draw, render
    from nmt.run import Run

    if trust:
        terminal.look_for_classes_here()
    found = Run.open(run)
    found.check_imports(trust=trust)
    description = describe(found)
    if svg is not None:
        with terminal.writer(svg) as out:
            out.write(draw(description, found.config.model))
    print(json.dumps(description, indent=2) if as_json else render(description))


def bench(
    size: Annotated[
        list[str] | None,
        typer.Option(help="multi30k or rnnsearch50, repeatable; all sizes if not given."),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Sentences of a batch, on each device.")
    ] = None,
    compute_type: Annotated[
        str, typer.Option("--type", help="What training computes in: float32 or bfloat16.")
    ] = "float32",
    as_json: AsJson = False,
) -> None:
    """Measure training and decoding speed beside this machine's matrix-multiply limit.

    Example: nmt bench --size multi30k --json
    """
    from nmt.bench import choose, measure, render

    figures = measure(choose(size or [], rows=rows), compute_type=compute_type)
    print(json.dumps(figures, indent=2) if as_json else render(figures))
