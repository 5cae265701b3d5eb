"""The commands that draw attention, and learning curves."""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import captions, drawing, ensembles, options
from nmt.cli.ensembles import RunOrEnsemble
from nmt.cli.options import Beam, Checkpoint, OneBased, Trust
from nmt.counting import counted
from nmt.data import files, writing
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.evaluation.alignment import GoldLinks

Column = list[str] | None  # a value for each sentence, if given

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

    if method and ensembles.aligns(run):
        raise DataError(f"--method is for networks that translate, and {run} aligns: leave it out")
    unnamed = output is None and page is None
    if unnamed:
        output = Path("heatmap.png")
    if output is not None:
        plotting.check_ending(output)
    how: dict[str, Any] = {"methods": _checked_methods(method), "output": output, "page": page}
    how |= {"words": words, "end": end}
    if end and not words:
        raise DataError(
            "--end keeps the end of sentence beside words, and pieces have it anyway: "
            "leave out --end, or --no-words"
        )
    given, settings = options.settings_apart(sentences, beam=beam)
    load: Any = ensembles.translator
    noun = "sentence"
    read = [] if file is None else [files.find(file)]
    if captions.are_written_by(run):
        captions.check(run, {"--gold": gold, "--one-based": one_based})
        load, noun = ensembles.captioner, "source"
        sources = captions.given(run, given, file)
        read += [Path(each) for each in sources if isinstance(each, str)]
    else:
        sources, target, gold = _texts(given, target, gold, file=file)
    for written in (output, page):
        writing.check_apart(written, *read)
    if ensembles.aligns(run):
        load = ensembles.aligner
        if target is None:
            place = "behind a tab in --file" if file else "by --target"
            raise DataError(f"{run} aligns and does not translate: give translations {place}")
    target = None if target is None else list(map(options.sentence, target))
    _check_given(sources, target, gold, n_best, noun=noun)
    name = file or "--gold"
    links = _gold_links(run, sources, target, gold, name=name, one_based=one_based, words=words)
    model = load(run, settings=settings, checkpoint=checkpoint, trust=trust)
    drawn = drawing.found(model, sources, target, n_best=n_best or 1, noun=noun)
    drawing.draw(model, drawn, gold=links, **how)
    if unnamed:
        assert output is not None
        _tell(output)


def _checked_methods(given: list[str] | None) -> list[str]:
    """Returns the given methods of explanation, each once."""
    from nmt.inference.explanations import check_method

    methods = list(dict.fromkeys(given or []))
    for name in methods:
        check_method(name)
    return methods


def _texts(
    given: list[str], target: Column, gold: Column, *, file: Path | None
) -> tuple[list[Any], Column, Column]:
    """Returns sentences, translations and gold links, which are given or in a file."""
    if file is not None:
        if given or target or gold:
            raise DataError("--file has sentences, targets and gold links; leave the others out")
        return _read_file(file)
    for each in filter(os.path.isfile, given):
        raise DataError(f"{each}: is a file; give --file {shlex.quote(each)}")
    return list(map(options.sentence, given)), target, gold


def _read_file(file: Path) -> tuple[list[Any], Column, Column]:
    """Returns the sentences in a file, and the columns of translations and gold links, if any."""
    rows = [line.split("\t") for line in options.lines(file)]
    for number, row in enumerate(rows, start=1):
        if len(row) > 3 or len(row) != len(rows[0]):
            raise DataError(
                f"{file}, line {number}: {len(row)} tab-separated columns; each line has a "
                "sentence, or also its translation, or also gold links"
            )
    sentences, target, gold, *_ = (*map(list, zip(*rows, strict=True)), None, None, None)
    return sentences or [], target, gold


def _check_given(
    sources: list[Any], target: Column, gold: Column, n_best: int | None, *, noun: str
) -> None:
    """Checks that sources (each a `noun`), translations, gold links and --n-best fit together."""
    if not sources:
        raise DataError(f"no {noun} to draw; give one, or a --file of them")
    for option, given in (("--target", target), ("--gold", gold)):
        if given is not None and len(given) != len(sources):
            raise DataError(
                f"{len(given)} times {option} for {counted(len(sources), noun)}; give it once for "
                "each"
            )
    if target is not None and n_best is not None:
        raise DataError("--n-best shows what the model writes itself; leave out the targets")


def _gold_links(
    run: Path,
    sentences: list[Any],
    target: Column,
    gold: Column,
    *,
    name: Path | str,
    one_based: bool,
    words: bool,
) -> "list[GoldLinks] | None":
    """Returns the gold links of each sentence, if given; `name` is their file or option."""
    from nmt.evaluation.pharaoh import read_gold

    if gold is None:
        if one_based:
            raise DataError("--one-based says how gold links count words; give them, or leave it")
        return None
    if target is None:
        raise DataError("gold links count the words of a given translation; give it by --target")
    if not words:
        raise DataError("gold links are between words; leave out --no-words, or the links")
    return read_gold(
        gold,
        name=name,
        one_based=one_based,
        source_lines=sentences,
        target_lines=target,
        word_boundaries=ensembles.data(run).word_boundaries,
    )


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
