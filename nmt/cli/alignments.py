"""The command that aligns sentence pairs by one run, or by two of both directions."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import cluster, ensembles, options
from nmt.cli.ensembles import RunOrEnsemble
from nmt.cli.linking import Linker
from nmt.cli.options import Checkpoint, OneBased, Output, Settings, Trust
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.evaluation.alignment import GoldLinks
    from nmt.inference.translator import Translator

MOST = "Link all words with at least this attention, instead of the most attended word."

Source = Annotated[Path, typer.Option(help="Source text, one sentence per line.")]
Target = Annotated[Path, typer.Option(help="Its translation, line by line.")]
Threshold = Annotated[float | None, typer.Option(min=0, max=1, help=MOST)]
Gold = Annotated[
    Path | None,
    typer.Option(help="Gold links (`i-j` sure, `ipj` possible): print the alignment error rate."),
]
Method = Annotated[
    str | None,
    typer.Option(
        help=f"Weights to link words by: {options.METHODS}; if not given, guided where the run has "
        "a guided head, else attention."
    ),
]
Backward = Annotated[
    Path | None, typer.Option(metavar="RUN", help="A run of the other direction, to use both.")
]
Symmetrization = Annotated[
    str | None,
    typer.Option(
        help="How to combine both: soft-intersection (if not given; of an aligner, soft-union) or "
        "soft-union, which link words with a mean weight of at least --threshold (0.3 or 0.5, if "
        "not given), or a method of nmt symmetrize."
    ),
]
CrossValidate = Annotated[
    bool,
    typer.Option(
        "--cross-validate",
        help="Choose threshold and symmetrization on half of the gold links, and score the other "
        "half; both ways.",
    ),
]
Fit = Annotated[
    bool,
    typer.Option(
        "--fit",
        help="Of an aligner: train a copy of it further on these pairs, without their links, "
        "before they are aligned.",
    ),
]
ScoreAsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the error rate as JSON; on standard error, but with --output."
    ),
]


def align(
    run: RunOrEnsemble,
    settings: Settings = None,
    *,
    source: Source,
    target: Target,
    output: Output = None,
    threshold: Threshold = None,
    gold: Gold = None,
    one_based: OneBased = False,
    method: Method = None,
    backward: Backward = None,
    symmetrization: Symmetrization = None,
    cross_validate: CrossValidate = False,
    fit: Fit = False,
    as_json: ScoreAsJson = False,
    ray: cluster.Ray = None,
    column: cluster.Column = None,
    actors: cluster.Actors = None,
    cores_per_actor: cluster.Cores = None,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Align the words of given sentence pairs.

    By the attention of a model, or by an aligner.

    Example: nmt align runs/demo --source test.de --target test.en --gold test.align
    """
    from nmt.evaluation.alignment import score_links
    from nmt.evaluation.pharaoh import format_links

    decoding = options.only_settings(settings)
    model: dict[str, Any] = {"settings": decoding, "checkpoint": checkpoint, "trust": trust}
    how: dict[str, Any] = {"threshold": threshold, "method": method}
    of_gold = {"--one-based": one_based, "--cross-validate": cross_validate, "--json": as_json}
    alone: dict[str, object] = {"--gold": gold, **of_gold, "--backward": backward}
    alone |= {"--symmetrization": symmetrization, "--fit": fit}
    corpus = cluster.asked(ray, column, actors, cores_per_actor, never=alone)
    if corpus is not None:
        _align_corpus(corpus, run, (source, target, output), model=model, **how)
        return
    _check_gold(gold, of_gold)
    pairs, golden = _texts(run, (source, target, gold), output=output, one_based=one_based)
    linker = Linker(run, backward, symmetrization=symmetrization, fit=fit, model=model, **how)
    validated = None
    if golden is not None and cross_validate:
        validated = linker.cross_validated(list(pairs), golden)
    aligned = validated.links if validated else linker.links(pairs)
    scored = []
    with options.writer(output) as out:
        for links in aligned:
            out.write(format_links(links) + "\n")
            if golden is not None:
                scored.append(links)
    if golden is not None:
        score = validated or score_links(scored, golden)
        text = json.dumps(score.summary(), indent=2) if as_json else score
        print(text, file=sys.stdout if as_json and output else sys.stderr)


def _align_corpus(
    corpus: cluster.Corpus,
    run: Path,
    paths: tuple[Path, Path, Path | None],
    *,
    model: Mapping[str, Any],
    **how: Any,
) -> None:
    """Aligns the files of a corpus; `paths` are patterns of source and target, and the output."""
    if ensembles.is_model(run) and ensembles.aligns(run):
        raise DataError(f"--ray is for networks that translate, and {run} aligns: leave it out")
    source, target, output = paths
    corpus.process(
        [source],
        [target],
        folders=[output],
        read=corpus.pairs(),
        load=partial(ensembles.translator, run, **model),
        write=partial(_links, **how),
        how={f"--{name}": value for name, value in how.items()},
    )


def _links(
    translator: "Translator",
    pairs: Sequence[tuple[str, str]],
    before: int,
    *,
    threshold: float | None,
    method: str | None,
) -> list[str]:
    """Returns the links of a window, behind `before` pairs, as the text of a file."""
    from nmt.inference.output import as_links

    aligned = translator.align_window(pairs, before=before, method=method)
    return [as_links(aligned, threshold=threshold)]


def _texts(
    run: Path, paths: tuple[Path, Path, Path | None], *, output: Path | None, one_based: bool
) -> "tuple[Iterable[tuple[str, str]], list[GoldLinks] | None]":
    """Returns the pairs of source and target, and their gold links if there is a file of them."""
    from nmt.data import files, writing
    from nmt.evaluation.pharaoh import read_gold
    from nmt.evaluation.words import Ambiguity

    source, target, gold = paths
    boundaries = ensembles.data(run).word_boundaries
    found = files.find_together(source, target, *([gold] if gold else []))
    writing.check_apart(output, *found)
    pairs = files.parallel(*found[:2])
    if gold is None:
        return Ambiguity(f"{source} and {target}", boundaries).watch(pairs), None
    kept = list(pairs)  # the links are checked against them, and a pipe cannot be read twice
    golden = read_gold(
        options.lines(gold),
        name=gold,
        one_based=one_based,
        source_lines=(source for source, _ in kept),
        target_lines=(target for _, target in kept),
        word_boundaries=boundaries,
    )
    return kept, golden


def _check_gold(gold: Path | None, options_of_gold: Mapping[str, bool]) -> None:
    """Checks that options about gold links are given only with some."""
    purposes = {
        "--one-based": "says how --gold counts words",
        "--cross-validate": "scores links by --gold",
        "--json": "prints the error rate of --gold",
    }
    for name, given in options_of_gold.items():
        if given and gold is None:
            raise DataError(f"{name} {purposes[name]}; give --gold, or leave it out")
