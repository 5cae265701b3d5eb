"""The commands that train a model, translate with it, describe it and measure its speed."""

import contextlib
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import options
from nmt.cli.options import AsJson, Beam, Checkpoint, Output, RunPath, Settings, Trust
from nmt.cli.resumption import Resumption
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.inference.translation import Translation


Overrides = Annotated[list[str] | None, typer.Argument(help="section.key=value")]
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
Resume = Annotated[
    bool, typer.Option("--resume", help="Resume an interrupted translation to a file.")
]


def demo(overrides: Overrides = None) -> None:
    """Train, evaluate and plot on the embedded German-English corpus, in a few minutes.

    Example: nmt demo run=runs/my-demo
    """
    from nmt.demo import demonstrate

    options.look_for_classes_here()
    demonstrate(overrides or [])


def train(
    config: Annotated[Path, typer.Argument(help="A YAML configuration.")],
    overrides: Overrides = None,
) -> None:
    """Train a model; the same command again resumes an interrupted training.

    Example: nmt train configs/multi30k-de-en.yaml run=runs/small model.dropout=0.2
    """
    from nmt import configfile

    loaded = configfile.load(config, overrides or [])
    from nmt.training.trainer import train as run_training

    options.look_for_classes_here()
    run = run_training(loaded)
    data = run.config.data
    files = f" --source FILE.{data.source} --reference FILE.{data.target}"
    trust = " --trust" if run.config.model.attention.imported else ""
    arguments = shlex.quote(str(run.path)) + trust + ("" if data.test else files)
    print(f"next: nmt evaluate {arguments}", file=sys.stderr)


def translate(
    run: RunPath,
    arguments: Arguments = None,
    output: Output = None,
    beam: Beam = None,
    n_best: NBest = None,
    alignments: Alignments = None,
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


def evaluate(
    run: RunPath,
    settings: Settings = None,
    source: Annotated[
        Path | None, typer.Option(help="Text to translate, one sentence per line.")
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(help="Reference translation; repeat it for several references."),
    ] = None,
    beam: Beam = None,
    as_json: AsJson = False,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Translate a test set and score it: BLEU and chrF with their sacreBLEU signatures.

    The test set is the run's own, data.test, unless --source and --reference are given.

    Example: nmt evaluate runs/demo decoding.beam=8 --json
    """
    from nmt.evaluation import metrics

    decoding = options.only_settings(settings, beam=beam)
    if (source is None) != (not reference):
        raise DataError("give both --source and --reference, or neither to score data.test")
    if source is None:
        lines, *references = _test_set(run)
    else:
        given = reference or []
        lines, *references = (list(options.lines(path)) for path in (source, *given))
        for path, sentences in zip(given, references, strict=True):
            if len(sentences) != len(lines):
                raise DataError(f"{source} has {len(lines)} lines and {path} has {len(sentences)}")
    translator = options.translator(run, decoding, checkpoint=checkpoint, trust=trust)
    texts = [each.text for each in translator.translate(lines)]
    scores = metrics.evaluate(texts, *references)
    print(metrics.as_json(scores) if as_json else "\n".join(map(str, scores)))


def _test_set(path: Path) -> tuple[list[str], list[str]]:
    """Returns source and reference of a run's own test set."""
    from nmt.data import corpus
    from nmt.run import Run

    data = Run.open(path).config.data
    if data.test is None:
        raise DataError(
            f"{path}: its configuration has no data.test; give --source FILE --reference FILE"
        )
    try:
        test = corpus.load(data.test, source=data.source, target=data.target)
    except DataError as error:
        raise DataError(f"data.test of {path}: {error}; or give --source and --reference") from None
    return list(test["source"]), list(test["target"])


def shortlist(run: RunPath) -> None:
    """Make the table of likely translations that `decoding.shortlist` needs.

    Example: nmt shortlist runs/demo, then nmt translate runs/demo in.txt decoding.shortlist=5
    """
    from nmt.inference.shortlist import make
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
    """Describe a run folder: parameters by part, vocabulary, training and scores so far.

    Example: nmt info runs/demo
    """
    from nmt.info import describe, draw, render
    from nmt.run import Run

    if trust:
        options.look_for_classes_here()
    found = Run.open(run)
    found.check_imports(trust=trust)
    description = describe(found)
    if svg is not None:
        with options.writer(svg) as out:
            out.write(draw(description, found.config.model))
    print(json.dumps(description, indent=2) if as_json else render(description))


def bench(
    size: Annotated[
        list[str] | None,
        typer.Option(help="multi30k or rnnsearch50; repeat it for both. All sizes if not given."),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Sentence pairs per batch and device.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="Floating-point type of training: float32 or bfloat16.")
    ] = "float32",
    as_json: AsJson = False,
) -> None:
    """Measure speed of training and decoding, and the matrix-multiply rate of this machine.

    Example: nmt bench --size multi30k --json
    """
    from nmt.bench import choose, measure, render

    figures = measure(choose(size or [], rows=rows), dtype=dtype)
    print(json.dumps(figures, indent=2) if as_json else render(figures))
