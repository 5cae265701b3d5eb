"""The commands. Each is one call of the Python API, with files and a terminal around it."""

import contextlib
import dataclasses
import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from nmt.errors import DataError, UserError

app = typer.Typer(
    name="nmt",
    help="Attention-based recurrent neural machine translation.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

RunPath = Annotated[Path, typer.Argument(help="A run folder, as `nmt train` leaves it.")]
Beam = Annotated[int | None, typer.Option(min=1, help="Hypotheses kept; 1 is greedy search.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def demo(
    overrides: Annotated[list[str] | None, typer.Argument(help="section.key=value")] = None,
) -> None:
    """Train, evaluate and plot on the embedded German-English corpus, in a few minutes.

    Example: nmt demo run=runs/my-demo
    """
    from nmt.demo import demonstrate

    demonstrate(overrides or [])


@app.command()
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

    run_training(loaded)


@app.command()
def translate(
    run: RunPath,
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[INPUT]", help="Text, one sentence a line; standard input if not given."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Standard output if not given.")
    ] = None,
    beam: Beam = None,
    n_best: Annotated[
        int | None, typer.Option(min=1, help="Print so many translations a line, with scores.")
    ] = None,
    alignments: Annotated[
        Path | None,
        typer.Option(help="Also write attention (.npz) or Pharaoh links (any other ending)."),
    ] = None,
) -> None:
    """Translate text, line for line.

    Example: echo "Ein Hund schläft." | nmt translate runs/demo --beam 5
    """
    from nmt.decoding.output import open_alignments

    translations = _translator(run, beam).stream(_lines(source), n_best=n_best or 1)
    with _writer(output) as out, contextlib.ExitStack() as stack:
        links = stack.enter_context(open_alignments(alignments)) if alignments else None
        for number, found in enumerate(translations):
            if n_best is None:
                out.write(found[0].text + "\n")
            else:
                for each in found:
                    out.write(
                        f"{number} ||| {each.text} ||| {each.log_prob:.4f} ||| {each.score:.4f}\n"
                    )
            if links is not None:
                links.write(found[0])


@app.command()
def evaluate(
    run: RunPath,
    source: Annotated[Path, typer.Option(help="Text to translate, one sentence a line.")],
    reference: Annotated[
        list[Path],
        typer.Option(help="Its translation; give it several times for several references."),
    ],
    beam: Beam = None,
    as_json: AsJson = False,
) -> None:
    """Translate a test set and score it: BLEU and chrF with their sacreBLEU signatures.

    Example: nmt evaluate runs/demo --source test.de --reference test.en --json
    """
    from nmt.evaluation import metrics

    lines = list(_lines(source))
    references = [list(_lines(path)) for path in reference]
    for path, sentences in zip(reference, references, strict=True):
        if len(sentences) != len(lines):
            raise DataError(f"{source} has {len(lines)} lines and {path} has {len(sentences)}")
    translations = _translator(run, beam).translate(lines)
    scores = metrics.evaluate([each.text for each in translations], *references)
    print(metrics.as_json(scores) if as_json else "\n".join(map(str, scores)))


@app.command()
def align(
    run: RunPath,
    source: Annotated[Path, typer.Option(help="Source text, one sentence a line.")],
    target: Annotated[Path, typer.Option(help="Its translation, line for line.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Standard output if not given.")
    ] = None,
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
        golden = read_gold(gold, source_lines=_lines(source), target_lines=_lines(target))
    aligned = stream_links(_translator(run, None), pairs, threshold=threshold)
    scored = []
    with _writer(output) as out:
        for links in aligned:
            out.write(format_links(links) + "\n")
            if golden is not None:
                scored.append(links)
    if golden is not None:
        print(score_links(scored, golden), file=sys.stderr)


@app.command()
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
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Standard output if not given.")
    ] = None,
) -> None:
    """Make one alignment of those of two directions, as Moses' symal does.

    Example: nmt symmetrise de-en.align en-de.align --reversed -o test.align
    """
    from nmt.evaluation import symmetrise as symmetrisation
    from nmt.evaluation.pharaoh import format_links, read_links, side_by_side

    left, right = (read_links(_lines(path), name=path) for path in (forward, backward))
    with _writer(output) as out:
        for there, back in side_by_side(left, right, names=(forward, backward)):
            if reverse:
                back = frozenset((source, target) for target, source in back)
            links = symmetrisation.symmetrise(there, back, method=method)
            out.write(format_links(links) + "\n")


@app.command()
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
    from nmt.evaluation.alignment import score_links
    from nmt.evaluation.pharaoh import read_gold, read_links, side_by_side

    predicted = read_links(_lines(links), name=links)
    pairs = list(side_by_side(predicted, read_gold(gold), names=(links, gold)))
    score = score_links([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    print(json.dumps(dataclasses.asdict(score), indent=2) if as_json else score)


@app.command()
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
    translator = _translator(run, beam)
    if target is None:
        translation = translator.translate([sentence])[0]
    else:
        translation = translator.align([sentence], [target])[0]
    if not translation.attention.size:
        raise DataError("nothing to draw: the sentence or its translation is empty")
    plotting.save(plotting.plot_alignment(translation, words=words), output)
    print(translation.text)


@app.command()
def info(run: RunPath, as_json: AsJson = False) -> None:
    """Show what a run folder holds: parameters by part, vocabulary, training and scores so far.

    Example: nmt info runs/demo
    """
    from nmt.info import describe, render

    description = describe(run)
    print(json.dumps(description, indent=2) if as_json else render(description))


@app.command()
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


def main() -> None:
    """Runs a command; a user's mistake becomes one clear line and exit code 2."""
    warnings.showwarning = _show_warning
    _keep_compiled_programs()
    try:
        app(standalone_mode=True)
    except BrokenPipeError:  # the reader of the output has seen enough, as in `| head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except UserError as error:
        for line in str(error).splitlines():
            print(f"nmt: {line}", file=sys.stderr)
        sys.exit(2)


def _keep_compiled_programs() -> None:
    """Has jax, when it is imported, keep what it compiles for the next start of a command."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(home / "nmt"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"nmt: warning: {message}", file=sys.stderr)


def _translator(run: Path, beam: int | None) -> Any:
    from nmt.decoding.translator import Translator

    overrides: dict[str, Any] = {} if beam is None else {"beam": beam}
    return Translator.load(run, **overrides)


def _lines(path: Path | None) -> Iterator[str]:
    from nmt.data import files

    return files.lines(None if path is None else files.find(path))


@contextlib.contextmanager
def _writer(path: Path | None) -> Iterator[TextIO]:
    """Yields where output goes; a file appears under its name only when it is complete."""
    if path is None:
        yield sys.stdout
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from None
