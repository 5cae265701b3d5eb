"""The command that scores translations."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import captions, ensembles, options
from nmt.cli import pointing as of_boxes
from nmt.cli.options import AsJson, Beam, Checkpoint, Trust
from nmt.cli.pointing import Pointing
from nmt.counting import counted
from nmt.errors import DataError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

    from nmt.evaluation.pointing import PointingScore

Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]... [decoding.KEY=VALUE]...",
        help="Run folders or bundles, or ensembles of them, A+B; and decoding settings "
        "instead of their own.",
    ),
]
Source = Annotated[Path | None, typer.Option(help="Source text, one sentence per line.")]
References = Annotated[
    list[Path] | None,
    typer.Option(help="Reference translation; repeat it for several references."),
]
Hypotheses = Annotated[
    list[Path] | None, typer.Option(help="Translation to score; repeat it for several systems.")
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(help="bleu, chrf, chrf++, ter or comet, repeatedly; bleu and chrf if not given."),
]
Tokenize = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="sacreBLEU's tokenizer for BLEU: 13a, intl, zh, ja-mecab, ko-mecab, char, flores200, "
        "none; else that of the target language.",
    ),
]
Lowercase = Annotated[bool, typer.Option("--lowercase", help="Ignore case in BLEU and chrF.")]
Confidence = Annotated[
    bool,
    typer.Option(
        "--confidence", help="Estimate 95 % confidence intervals; always done for several systems."
    ),
]
CometModel = Annotated[
    str | None, typer.Option(metavar="NAME", help="Model of COMET on the hub, or a .ckpt file.")
]


def evaluate(
    arguments: Arguments = None,
    source: Source = None,
    reference: References = None,
    hypothesis: Hypotheses = None,
    metric: Metrics = None,
    tokenize: Tokenize = None,
    lowercase: Lowercase = False,
    confidence: Confidence = False,
    comet_model: CometModel = None,
    pointing: Pointing = None,
    beam: Beam = None,
    as_json: AsJson = False,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Score the translations of runs, or given ones.

    By BLEU and chrF, with sacreBLEU signatures, or by other metrics. The test set is the first
    run's own, data.test, unless --source and --reference are given.
    Several systems are compared with the first one by paired bootstrap resampling.

    Example: nmt evaluate runs/demo decoding.beam=8 --json

    Example: nmt evaluate --hypothesis a.txt --hypothesis b.txt --reference test.en
    """
    from nmt.evaluation import metrics

    names, decoding = options.settings_apart(arguments, beam=beam)
    runs, files = [Path(name) for name in names], hypothesis or []
    _check_systems(runs, files)
    if not runs and (decoding or trust or checkpoint != "best"):
        raise DataError("decoding settings, --checkpoint and --trust are for a RUN; give one")
    if pointing:
        of_boxes.check(pointing, runs, len(runs) + len(files), source)
    sources, references, given = _texts(runs, source, reference or [], files)
    wanted = metric or ["bleu", "chrf"]
    _check_read("--tokenize", tokenize, wanted, by=("bleu",))
    _check_read("--lowercase", lowercase, wanted, by=("bleu", "chrf", "chrf++"))
    _check_read("--comet-model", comet_model, wanted, by=("comet",))
    if tokenize is None and "bleu" in wanted:
        tokenize = _tokenizer(runs, reference or [])
    for run in filter(captions.are_written_by, runs):
        captions.check(run, {"--metric comet": "comet" in wanted})
    how = {"tokenize": tokenize or "13a", "lowercase": lowercase}
    chosen = _metrics(wanted, sources, comet_model=comet_model, **how)
    systems = dict[str, list[str]]()
    for run in runs:
        load = ensembles.captioner if captions.are_written_by(run) else ensembles.translator
        translator = load(run, settings=decoding, checkpoint=checkpoint, trust=trust)
        systems[str(run)] = [each.text for each in translator.translate(sources)]
    systems |= given
    if len(systems) > 1:
        compared = metrics.compare(systems, *references, metrics=chosen)
        print(metrics.as_json(compared) if as_json else metrics.as_table(compared))
    else:
        (hypotheses,) = systems.values()
        resamples = metrics.RESAMPLES if confidence else 1
        scores = metrics.evaluate(hypotheses, *references, metrics=chosen, resamples=resamples)
        found: dict[str, PointingScore] = {}
        if pointing:
            assert sources is not None  # those of the run's own test set
            found = of_boxes.scores(runs[0], translator, (sources, references[0]), pointing)
        if as_json:
            print(metrics.as_json([*scores, *of_boxes.as_objects(found)]))
        else:
            lines = [*map(str, scores), *(f"{name}: {each}" for name, each in found.items())]
            print("\n".join(lines))


def _check_systems(runs: Sequence[Path], files: Sequence[Path]) -> None:
    """Checks that there are systems to score, each of them once, and that the runs are folders."""
    if not runs and not files:
        raise DataError("nothing to score; give a RUN, or --hypothesis FILE --reference FILE")
    for number, path in enumerate(systems := [*runs, *files]):
        if path in systems[:number]:
            raise DataError(f"{path}: given twice; each system is scored once")
    for run in runs:
        if os.path.isfile(run):
            raise DataError(
                f"{run}: no run folder; files are --source, --reference or --hypothesis FILE"
            )


def _check_read(option: str, value: object, names: Sequence[str], *, by: Sequence[str]) -> None:
    """Checks that a metric reads an option, if it is given."""
    if value and not set(by) & set(names):
        raise DataError(f"{option} is for --metric {' or '.join(by)}; give both")


def _texts(
    runs: Sequence[Path], source: Path | None, references: Sequence[Path], files: Sequence[Path]
) -> tuple[list[Any] | None, list[list[str]], dict[str, list[str]]]:
    """Returns sources, each reference, and the given translations by their names.

    Without files, source and reference are those of the first run's own test set.
    """
    from nmt.data import files as read

    if not references and not runs:
        raise DataError("--hypothesis FILE is scored against --reference FILE; give both")
    if bool(references) != (source is not None) and (runs or not references):
        raise DataError("give both --source and --reference, or neither to score data.test")
    paths = [*([source] if source else []), *references, *files]
    found = read.find_together(*paths)
    texts = dict[str, list[Any]]()
    for path, each in zip(paths, found, strict=True):
        given = path == source and runs and captions.are_written_by(runs[0])
        texts[str(path)] = (
            captions.sources(ensembles.data(runs[0]), path) if given else list(read.lines(each))
        )
    if references:
        sources = texts[str(source)] if source else None
        targets = [texts[str(path)] for path in references]
        sizes = texts
    else:
        sources, target = _test_set(runs[0])
        targets = [target]
        sizes = {f"data.test of {runs[0]}": target} | texts
    first, *others = sizes.items()
    for name, lines in others:
        if len(lines) != len(first[1]):
            raise DataError(
                f"{first[0]} has {counted(len(first[1]), 'line')} and {name} has {len(lines):,}"
            )
    return sources, targets, {str(path): texts[str(path)] for path in files}


def _tokenizer(runs: Sequence[Path], references: Sequence[Path]) -> str:
    """Returns the BLEU tokenizer of the runs, or of the language that ends a reference's name."""
    from nmt.config.endings import language
    from nmt.evaluation import bleu_tokenizers

    if not runs:
        return bleu_tokenizers.for_language(language(references[0]))
    found = {run: bleu_tokenizers.for_target(ensembles.data(run)) for run in runs}
    for run, tokenizer in found.items():
        if tokenizer != found[runs[0]]:
            raise DataError(
                f"{runs[0]} is scored with BLEU tokenizer {found[runs[0]]} and {run} with "
                f"{tokenizer}; choose one with --tokenize"
            )
    return found[runs[0]]


def _metrics(
    names: Sequence[str],
    sources: list[Any] | None,
    *,
    comet_model: str | None,
    **how: Any,
) -> "list[Metric]":
    from nmt.evaluation import comet, metrics

    chosen: list[Metric] = []
    for name in dict.fromkeys(names):
        if name != "comet":
            chosen.append(metrics.metric(name, **how))
        elif sources is None:
            raise DataError("--metric comet reads the source sentences too; give --source FILE")
        elif not all(isinstance(source, str) for source in sources):
            raise DataError(
                "--metric comet reads source sentences, and these are none; leave it out"
            )
        else:
            chosen.append(comet.Comet(sources, comet_model or comet.MODEL))
    return chosen


def _test_set(path: Path) -> tuple[list[Any], list[str]]:
    """Returns source and reference of a run's own test set."""
    from nmt.data import corpora

    data = ensembles.data(path)
    if data.test is None:
        raise DataError(
            f"{path}: its configuration has no data.test; give --source FILE --reference FILE"
        )
    try:
        test = corpora.held_out(data, "test")
    except DataError as error:
        raise DataError(f"data.test of {path}: {error}; or give --source and --reference") from None
    return list(test["source"]), list(test["target"])
