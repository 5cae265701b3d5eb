"""The command that ranks the entries of an n-best list anew."""

import math
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import ensembles, options
from nmt.cli.ensembles import RunOrEnsemble
from nmt.cli.options import Checkpoint, Output, Trust
from nmt.data import files, writing
from nmt.data.n_best import feature_names, read, with_sources
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.inference.rescoring import Scored

Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]... [INPUT] [decoding.KEY=VALUE]...",
        help="More runs or ensembles, each with a score of its own. An n-best list, of `nmt "
        "translate --n-best` or Moses; standard input if - or not given. Decoding settings replace "
        "those of all runs.",
    ),
]
Source = Annotated[Path, typer.Option(help="The text that was translated.")]
Weights = Annotated[
    str | None,
    typer.Option(metavar="W,W,...", help="Weight of the score of each run; equal if not given."),
]
Tune = Annotated[
    Path | None,
    typer.Option(metavar="REFERENCE", help="Print the weights that reach the highest BLEU."),
]
NBest = Annotated[
    int | None,
    typer.Option(min=1, help="Print this many entries per line, with scores; else the best text."),
]


def rescore(
    run: RunOrEnsemble,
    arguments: Arguments = None,
    *,
    source: Source,
    weights: Weights = None,
    tune: Tune = None,
    output: Output = None,
    n_best: NBest = None,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Rank an n-best list anew by the scores of runs.

    One may write from right to left, as the one that made the list may not.

    Example: nmt rescore runs/a+runs/b runs/right-to-left list.txt --source test.de -o best.txt
    """
    from nmt.evaluation import bleu_tokenizers
    from nmt.inference import rescoring

    others, settings = options.settings_apart(arguments, beam=None)
    more, given = ensembles.inputs_apart(run, others)
    systems = [run, *more]
    chosen = _weights(weights, systems)
    if tune is not None and (weights or n_best or output):
        raise DataError("--tune prints weights alone: leave out --weights, --n-best and --output")
    if tune is not None and not more:
        raise DataError(f"{run}: one run alone leaves nothing to weigh; give two or more")
    listed, text, *held_out = files.find_together(given, source, *([tune] if tune else []))
    writing.check_apart(output, text)
    writing.check_apart(output, listed, in_place=n_best is not None)
    sources: Iterable[str] = files.lines(text, replace=True)
    if held_out:
        pairs = list(files.parallel(text, held_out[0], replace=True))
        sources = [sentence for sentence, _ in pairs]
    names = files.named(given), files.named(source)
    entries = with_sources(read(files.lines(listed), name=names[0]), sources, names=names)
    load = partial(ensembles.translator, settings=settings, checkpoint=checkpoint, trust=trust)
    lists = rescoring.score(list(map(load, systems)), entries)
    features = list(map(ensembles.name, systems))
    if held_out:
        tokenize = bleu_tokenizers.for_target(ensembles.data(run))
        print(_tuned(list(lists), [line for _, line in pairs], systems, tokenize=tokenize))
        return
    with options.writer(output) as out:
        for number, scored in enumerate(lists):
            if number == 0:
                features = feature_names(features, scored[0].entry)
            ranked = rescoring.ranked(scored, chosen, names=features)
            best = f"{ranked[0].text}\n"
            out.writelines([best] if n_best is None else [each.line() for each in ranked[:n_best]])


def _weights(given: str | None, systems: Sequence[Path]) -> list[float]:
    """Returns the weight of each system."""
    if given is None:
        return [1 / len(systems)] * len(systems)
    try:
        weights = [float(each) for each in given.split(",")]
    except ValueError:
        weights = [math.nan]
    if not all(map(math.isfinite, weights)):
        raise DataError(f"--weights takes numbers with commas, such as 0.4,0.6, not {given!r}")
    if len(weights) != len(systems):
        names = ", ".join(map(str, systems))
        raise DataError(f"--weights {given}: give one number for each of {names}")
    return weights


def _tuned(
    lists: "Sequence[Sequence[Scored]]",
    references: Sequence[str],
    systems: Sequence[Path],
    *,
    tokenize: str,
) -> str:
    """Returns the best weights, and prints on standard error what they and others reach."""
    from nmt.evaluation import metrics, tuning

    hypotheses = [
        tuning.Hypotheses([each.entry.text for each in scored], [each.scores for each in scored])
        for scored in lists
    ]
    firsts = metrics.bleu([each.texts[0] for each in hypotheses], references, tokenize=tokenize)
    reached = tuning.tune(hypotheses, references, tokenize=tokenize)
    best = tuning.best(reached)
    written = ",".join(f"{weight:g}" for weight in best)
    rows = [("the first entries", firsts.value)]
    for place, system in enumerate(systems):
        alone = tuple(float(i == place) for i in range(len(systems)))
        rows.append((f"{system} alone", reached[alone]))
    rows.append((f"--weights {written}", reached[best]))
    for row, value in rows:
        print(f"BLEU {value:.2f}  {row}", file=sys.stderr)
    return written
