"""The command that scores translations."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import captions, ensembles, options, systems
from nmt.cli import pointing as of_boxes
from nmt.cli.options import AsJson, Beam, Checkpoint, Trust
from nmt.cli.pointing import Pointing
from nmt.errors import DataError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

# The options that say how a metric scores, and the metrics that read each.
READ_BY = {
    "tokenize": {"bleu"},
    "lowercase": {"bleu", "chrf", "chrf++"},
    "comet_model": {"comet"},
}

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
    systems.check(runs, files)
    if not runs and (decoding or trust or checkpoint != "best"):
        raise DataError("decoding settings, --checkpoint and --trust are for a RUN; give one")
    if pointing:
        of_boxes.check(pointing, runs, len(runs) + len(files), source)
    texts = systems.texts(runs, source, reference or [], files)
    wanted = metric or ["bleu", "chrf"]
    _check_read(wanted, tokenize=tokenize, lowercase=lowercase, comet_model=comet_model)
    if tokenize is None and "bleu" in wanted:
        tokenize = _tokenizer(runs, reference or [])
    for run in filter(captions.are_written_by, runs):
        captions.check(run, {"--metric comet": "comet" in wanted})
    how = {"tokenize": tokenize or "13a", "lowercase": lowercase}
    chosen = _metrics(wanted, texts.sources, comet_model=comet_model, **how)
    model: dict[str, Any] = {"settings": decoding, "checkpoint": checkpoint, "trust": trust}
    hypotheses, translator = dict[str, list[str]](), None
    for run in runs:
        load = ensembles.captioner if captions.are_written_by(run) else ensembles.translator
        translator = load(run, **model)
        hypotheses[str(run)] = [each.text for each in translator.translate(texts.sources)]
    hypotheses |= texts.given
    systems.warn_of_forms(hypotheses, texts.references)
    if len(hypotheses) > 1:
        compared = metrics.compare(hypotheses, *texts.references, metrics=chosen)
        print(metrics.as_json(compared) if as_json else metrics.as_table(compared))
        return
    (only,) = hypotheses.values()
    resamples = metrics.RESAMPLES if confidence else 1
    scores = metrics.evaluate(only, *texts.references, metrics=chosen, resamples=resamples)
    pointed = {}
    if pointing:
        assert texts.sources is not None  # those of the run's own test set
        pairs = texts.sources, texts.references[0]
        pointed = of_boxes.scores(runs[0], translator, pairs, pointing)
    if as_json:
        print(metrics.as_json([*scores, *of_boxes.as_objects(pointed)]))
    else:
        lines = [*map(str, scores), *(f"{name}: {each}" for name, each in pointed.items())]
        print("\n".join(lines))


def _check_read(names: Sequence[str], **given: object) -> None:
    """Checks that a metric reads each option that is given."""
    for name, metrics in READ_BY.items():
        if given[name] and not metrics & set(names):
            option = name.replace("_", "-")
            raise DataError(f"--{option} is for --metric {' or '.join(sorted(metrics))}; give both")


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
