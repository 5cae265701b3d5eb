"""The commands for word alignments: align, symmetrize and score."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import cluster, ensembles, options
from nmt.cli.ensembles import RunOrEnsemble
from nmt.cli.options import AsJson, Checkpoint, OneBased, Output, Settings, Trust
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.evaluation.alignment import GoldLinks, Link
    from nmt.inference.translator import Translator

LINK_METHODS = "intersection, union, grow-diag, grow-diag-final or grow-diag-final-and."
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
        help="How to combine both: soft-intersection (if not given) or soft-union, which link "
        "words with a mean weight of at least --threshold (0.3 or 0.5, if not given), or a "
        "method of nmt symmetrize."
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
    ray: cluster.Ray = None,
    column: cluster.Column = None,
    actors: cluster.Actors = None,
    cores_per_actor: cluster.Cores = None,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Align given sentence pairs by the attention of the model (forced decoding).

    Example: nmt align runs/demo --source test.de --target test.en --gold test.align
    """
    from nmt.data import files
    from nmt.evaluation.alignment import score_links
    from nmt.evaluation.pharaoh import format_links
    from nmt.evaluation.words import Ambiguity

    decoding = options.only_settings(settings)
    load = partial(ensembles.translator, settings=decoding, checkpoint=checkpoint, trust=trust)
    how: dict[str, Any] = {"threshold": threshold, "method": method}
    alone: dict[str, object] = {"--gold": gold, "--one-based": one_based, "--backward": backward}
    alone |= {"--symmetrization": symmetrization}
    corpus = cluster.asked(ray, column, actors, cores_per_actor, never=alone)
    if corpus is not None:
        how["method"] = method or ensembles.method(run)
        _align_corpus(corpus, source, target, output, load=partial(load, run), **how)
        return
    boundaries = ensembles.data(run).word_boundaries
    texts = files.find_together(source, target, *([gold] if gold else []))
    pairs: Iterable[tuple[str, str]] = files.parallel(*texts[:2])
    if gold is not None:  # it is checked against the text, and a pipe cannot be read twice
        pairs = list(pairs)
    golden = _gold(gold, pairs, one_based=one_based, word_boundaries=boundaries)
    if golden is None:  # otherwise reading the gold links has looked at the text
        pairs = Ambiguity(f"{source} and {target}", boundaries).watch(pairs)
    aligned = _aligned(load, run, backward, pairs, symmetrization=symmetrization, **how)
    scored = []
    with options.writer(output) as out:
        for links in aligned:
            out.write(format_links(links) + "\n")
            if golden is not None:
                scored.append(links)
    if golden is not None:
        print(score_links(scored, golden), file=sys.stderr)


def _align_corpus(
    corpus: cluster.Corpus,
    source: Path,
    target: Path,
    output: Path | None,
    *,
    load: Callable[[], Any],
    **how: Any,
) -> None:
    """Aligns the files of a corpus, of which `source` and `target` are patterns."""
    corpus.process(
        [source],
        [target],
        folders=[output],
        read=corpus.pairs(),
        load=load,
        write=partial(_links, **how),
        how={f"--{name}": value for name, value in how.items()},
    )


def _links(
    translator: "Translator",
    pairs: Sequence[tuple[str, str]],
    before: int,
    *,
    threshold: float | None,
    method: str,
) -> list[str]:
    """Returns the links of a window, behind `before` pairs, as the text of a file."""
    from nmt.inference.output import as_links

    aligned = translator.align_window(pairs, before=before, method=method)
    return [as_links(aligned, threshold=threshold)]


def _gold(
    gold: Path | None, pairs: Iterable[tuple[str, str]], *, one_based: bool, word_boundaries: Any
) -> "list[GoldLinks] | None":
    """Returns the gold links of the text, if there are any."""
    from nmt.evaluation.pharaoh import read_gold

    if gold is not None:
        return read_gold(
            options.lines(gold),
            name=gold,
            one_based=one_based,
            source_lines=(source for source, _ in pairs),
            target_lines=(target for _, target in pairs),
            word_boundaries=word_boundaries,
        )
    if one_based:
        raise DataError("--one-based says how --gold counts words; give --gold, or leave it out")
    return None


def _aligned(
    load: Callable[[Path], Any],
    run: Path,
    backward: Path | None,
    pairs: Iterable[tuple[str, str]],
    *,
    symmetrization: str | None,
    **how: Any,
) -> "Iterator[frozenset[Link]]":
    """Returns the links of each pair by a run, or by two runs of both directions."""
    from nmt.inference.output import stream_links, stream_symmetrized

    if backward is None:
        if symmetrization is not None:
            raise DataError("--symmetrization needs a second model: give --backward RUN")
        return stream_links(load(run), pairs, **how)
    _check_fit(run, backward)
    if symmetrization is not None:
        how["symmetrization"] = symmetrization
    return stream_symmetrized(load(run), load(backward), pairs, **how)


def _check_fit(run: Path, backward: Path) -> None:
    """Checks that two runs translate in opposite directions, and count the same words."""
    here, there = ensembles.data(run), ensembles.data(backward)
    if (here.source, here.target) != (there.target, there.source):
        raise DataError(
            f"{run} translates {here.source} to {here.target}, and {backward} {there.source} to "
            f"{there.target}; --backward takes a run from {here.target} to {here.source}"
        )
    if here.word_boundaries != there.word_boundaries:
        raise DataError(
            f"{run} has data.word_boundaries: {here.word_boundaries}, and {backward} "
            f"{there.word_boundaries}; edit the config.yaml of one, so that both count the same "
            "words"
        )


def symmetrize(
    forward: Annotated[Path, typer.Argument(help="Links of one direction.")],
    backward: Annotated[Path, typer.Argument(help="Links of the other direction, line by line.")],
    symmetrization: Annotated[str, typer.Option(help=LINK_METHODS)] = "grow-diag-final-and",
    reverse: Annotated[
        bool, typer.Option("--reversed", help="The links of BACKWARD are target-source.")
    ] = False,
    output: Output = None,
) -> None:
    """Combine the alignments of two directions, as Moses' symal does.

    Example: nmt symmetrize de-en.align en-de.align --reversed -o test.align
    """
    from nmt.data import files
    from nmt.evaluation import symmetrization as joining
    from nmt.evaluation.pharaoh import format_links, read_links

    found = files.find_together(forward, backward)
    left, right = (read_links(files.lines(path), name=path) for path in found)
    with options.writer(output) as out:
        for there, back in files.side_by_side(left, right, names=(forward, backward)):
            if reverse:
                back = joining.turned(back)
            links = joining.symmetrize(there, back, method=symmetrization)
            out.write(format_links(links) + "\n")


def aer(
    links: Annotated[Path, typer.Argument(help="Links of some sentences.")],
    gold: Annotated[Path, typer.Option(help="Their gold links: `i-j` sure, `ipj` possible.")],
    one_based: OneBased = False,
    as_json: AsJson = False,
) -> None:
    """Score links against gold links: alignment error rate, precision, recall and F1.

    Both files are in Pharaoh format, or in that of GIZA++ (A3.final) or WPT, which are recognized.

    Example: nmt aer test.align --gold gold.align --json
    """
    from nmt.data import files
    from nmt.evaluation.alignment import score_links
    from nmt.evaluation.pharaoh import read_gold, read_links

    found = files.find_together(links, gold)
    golden = read_gold(files.lines(found[1]), name=gold, one_based=one_based)
    predicted = read_links(files.lines(found[0]), name=links, sentences=len(golden))
    pairs = list(files.side_by_side(predicted, golden, names=(links, gold)))
    score = score_links([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    print(json.dumps(dataclasses.asdict(score), indent=2) if as_json else score)
