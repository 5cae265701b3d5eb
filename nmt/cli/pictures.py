"""The commands that draw: what a model attends to, and how training went."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.cli import terminal
from nmt.cli.terminal import Beam, RunPath, Trust
from nmt.errors import DataError


def plot(
    run: RunPath,
    sentences: Annotated[list[str], typer.Argument(metavar="SENTENCE...", help="To translate.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A .png, .svg or .pdf file; heatmap.png if neither this nor --html is given.",
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--html", help="Also write a page: pointing at a word shows what it saw."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="Show this translation instead of the model's own; one a sentence."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help=f"{terminal.METHODS}; repeat it to see several side by side."),
    ] = None,
    gold: Annotated[
        list[str] | None,
        typer.Option(help="Outline the links `i-j` (sure) and `ipj` (possible); one a --target."),
    ] = None,
    words: Annotated[bool, typer.Option(help="Words, not subword pieces.")] = True,
    beam: Beam = None,
    n_best: Annotated[
        int | None, typer.Option(min=1, help="Show so many hypotheses of the beam.")
    ] = None,
    trust: Trust = False,
) -> None:
    """Draw what the model attends to: heat maps of source against target.

    Example: nmt plot runs/demo "Der Hund schläft im Garten." -o heatmap.svg
    """
    from nmt import plotting
    from nmt.decoding.explanations import check_method

    if output is None and page is None:
        output = Path("heatmap.png")
    if output is not None:
        plotting.check_ending(output)
    methods = list(dict.fromkeys(method or ["attention"]))
    for name in methods:
        check_method(name)
    _check_given(sentences, target, gold, words=words, n_best=n_best)
    translator = terminal.translator(run, beam, trust=trust)
    if target is not None:
        shown = translator.align(sentences, target)
    else:
        shown = [
            each for found in translator.stream(sentences, n_best=n_best or 1) for each in found
        ]
    if not all(each.attention.size for each in shown):
        raise DataError("nothing to draw: a sentence or its translation is empty")
    panels = _panels(translator, shown, methods, words=words, gold=gold)
    if output is not None:
        rows = [list(each.values()) for each in panels]
        if len(methods) == 1:
            rows = plotting.wrapped([row[0] for row in rows])
        plotting.save(plotting.grid(rows), output)
    if page is not None:
        with terminal.writer(page) as out:
            out.write(plotting.page(panels))
    for each in shown:
        print(each.text)


def _check_given(
    sentences: list[str],
    target: list[str] | None,
    gold: list[str] | None,
    *,
    words: bool,
    n_best: int | None,
) -> None:
    """Checks that what is given of each sentence is given of all, and can be drawn together."""
    for name, given in (("--target", target), ("--gold", gold)):
        if given is not None and len(given) != len(sentences):
            raise DataError(
                f"{len(given)} times {name} for {len(sentences)} sentences; give it once for each"
            )
    if target is not None and n_best is not None:
        raise DataError("--n-best shows what the model writes itself; leave out --target")
    if gold is not None and target is None:
        raise DataError("gold links count the words of a given translation; give it by --target")
    if gold is not None and not words:
        raise DataError("gold links are between words; leave out --no-words, or --gold")


def _panels(
    translator: Any, shown: list[Any], methods: list[str], *, words: bool, gold: list[str] | None
) -> list[dict[str, Any]]:
    """Returns the heat map of each translation by each method."""
    from nmt import plotting
    from nmt.evaluation.pharaoh import parse_links

    links = [parse_links(line) for line in gold] if gold else [None] * len(shown)
    panels: list[dict[str, Any]] = [{} for _ in shown]
    for name in methods:
        title = name if len(methods) > 1 else None
        for row, each in enumerate(translator.explain(shown, method=name)):
            panels[row][name] = plotting.panel(each, words=words, title=title, gold=links[row])
    return panels


def curves(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .png, .svg or .pdf file.")
    ] = Path("curves.png"),
) -> None:
    """Draw how training went: loss, perplexity, BLEU, learning rate and gradient norm.

    Example: nmt curves runs/one runs/two -o curves.svg
    """
    from nmt import plotting
    from nmt.curves import draw

    plotting.check_ending(output)
    plotting.save(draw(runs), output)
