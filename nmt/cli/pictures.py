"""The commands that draw attention, and learning curves."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.cli import captions, drawing, ensembles, options
from nmt.cli.ensembles import RunOrEnsemble
from nmt.cli.options import Beam, Checkpoint, OneBased, Trust
from nmt.cli.sentences import Examples
from nmt.data import writing
from nmt.errors import DataError

HEATMAP = Path("heatmap.png")  # where nothing is chosen

Sentences = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SENTENCE]... [decoding.KEY=VALUE]...",
        help="Sentences to translate, or files of pictures or vectors if the run reads those; "
        "decoding settings replace the run's own.",
    ),
]
SentenceFile = Annotated[
    Path | None,
    typer.Option(
        help="Draw the sentences of a file, one per line; optional further columns, separated by "
        "tabs, are the translation and gold links. Of a run that reads pictures: a list or a table "
        "of them."
    ),
]
Picture = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="A .png, .svg or .pdf file; heatmap.png if neither this nor --html is given.",
    ),
]
Page = Annotated[
    Path | None,
    typer.Option(
        "--html", help="Also write an HTML page where words that are pointed at show their links."
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(help="Show this translation instead of the model's; one per sentence."),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(help=f"{options.METHODS}; repeat it to see several side by side."),
]
Gold = Annotated[
    list[str] | None,
    typer.Option(help="Outline gold links `i-j` (sure) and `ipj` (possible); one per --target."),
]
Words = Annotated[bool, typer.Option(help="Show words instead of subword pieces.")]
End = Annotated[bool, typer.Option("--end", help="Show the end of sentence besides words.")]
NBest = Annotated[int | None, typer.Option(min=1, help="Show this many hypotheses of the beam.")]


def plot(
    run: RunOrEnsemble,
    sentences: Sentences = None,
    file: SentenceFile = None,
    output: Picture = None,
    page: Page = None,
    target: Targets = None,
    method: Methods = None,
    gold: Gold = None,
    one_based: OneBased = False,
    words: Words = True,
    end: End = False,
    beam: Beam = None,
    n_best: NBest = None,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Draw the attention between source and target words.

    As heat maps, or over pictures.

    Example: nmt plot runs/demo "Der Hund schläft im Garten." -o heatmap.svg

    Example: nmt plot runs/scenes photo.jpg --method attention --method saliency
    """
    from nmt import plotting

    picture = output or (None if page else HEATMAP)
    if picture is not None:
        plotting.check_ending(picture)
    writing.check_distinct(picture, page, options=("--output", "--html"))
    how: dict[str, Any] = {"methods": _checked(run, method), "words": words, "end": end}
    if end and not words:
        raise DataError(
            "--end keeps the end of sentence beside words, and pieces have it anyway: "
            "leave out --end, or --no-words"
        )
    arguments, settings = options.settings_apart(sentences, beam=beam)
    load: Any = ensembles.aligner if ensembles.aligns(run) else ensembles.translator
    if captions.are_written_by(run):
        captions.check(run, {"--gold": gold, "--one-based": one_based})
        load = ensembles.captioner
    examples = Examples.of(run, arguments, target, gold, file=file)
    for written in (picture, page):
        writing.check_apart(written, *examples.files)
    examples.check(run, n_best)
    links = examples.links(run, one_based=one_based, words=words)
    model = load(run, settings=settings, checkpoint=checkpoint, trust=trust)
    drawn = drawing.found(model, examples, n_best=n_best or 1)
    drawing.draw(model, drawn, gold=links, output=picture, page=page, **how)
    if picture is HEATMAP:
        _tell(HEATMAP)


def _checked(run: Path, methods: list[str] | None) -> list[str]:
    """Returns the given methods of explanation, each once."""
    from nmt.inference.explanations import check_method

    if methods and ensembles.aligns(run):
        raise DataError(f"--method is for networks that translate, and {run} aligns: leave it out")
    chosen = list(dict.fromkeys(methods or []))
    for name in chosen:
        check_method(name)
    return chosen


def curves(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .png, .svg or .pdf file; curves.png if not given."),
    ] = None,
) -> None:
    """Draw learning curves.

    Loss, perplexity, BLEU, learning rate and gradient norm.

    Example: nmt curves runs/one runs/two -o curves.svg
    """
    from nmt import plotting
    from nmt.curves import draw

    path = output or Path("curves.png")
    plotting.check_ending(path)
    plotting.save(draw(runs), path)
    if output is None:
        _tell(path)


def _tell(path: Path) -> None:
    """Says where a picture is of which nobody has chosen the name."""
    print(f"{path} written", file=sys.stderr)
