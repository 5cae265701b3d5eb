"""Scores of translations by sacreBLEU; each has the signature that makes it comparable."""

import dataclasses
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from nmt.arguments import check, checked
from nmt.errors import DataError

NAMES = ("bleu", "chrf", "chrf++", "ter")  # of `metric`
RESAMPLES = 1000  # of the sentences, in bootstrap tests; sacreBLEU's default
TOKENIZED = 100  # sentences that end like tokenized ones, above which sacreBLEU warns


@dataclasses.dataclass(frozen=True)
class MetricScore:
    """A corpus score, with sacreBLEU's signature of how it was computed.

    BLEU, chrF and COMET are better if higher, TER if lower; all have the scale of 0 to 100.
    """

    name: str
    value: float
    signature: str
    mean: float | None = None  # over bootstrap resamples of the sentences
    margin: float | None = None  # half the width of the 95 % confidence interval around the mean
    p_value: float | None = None  # of the difference from the first system

    @property
    def figures(self) -> str:
        """The value, and what else is known: `36.40 (μ = 36.38 ± 0.91, p = 0.0120)`."""
        known = [] if self.mean is None else [f"μ = {self.mean:.2f} ± {self.margin:.2f}"]
        known += [] if self.p_value is None else [f"p = {self.p_value:.4f}"]
        return f"{self.value:.2f}" + (f" ({', '.join(known)})" if known else "")

    def __str__(self) -> str:
        return f"{self.name} {self.figures} ({self.signature})"


def metric(name: str, *, tokenize: str = "13a", lowercase: bool = False) -> Metric:
    """Returns a metric of sacreBLEU, with its defaults for whatever is not given here.

    Args:
        name: `bleu` (Papineni et al. 2002; Post 2018), `chrf` (Popović 2015), `chrf++` (Popović
            2017) or `ter` (Snover et al. 2006).
        tokenize: The tokenizer of BLEU; the others need none.
        lowercase: Whether BLEU and chrF ignore case; TER always does.

    Raises:
        DataError: there is no such metric or tokenizer, or what the tokenizer needs is missing.
    """
    match name:
        case "bleu":
            return _bleu(tokenize, lowercase=lowercase)
        case "chrf":
            return CHRF(lowercase=lowercase)
        case "chrf++":
            return CHRF(lowercase=lowercase, word_order=2)
        case "ter":
            return TER()
    raise DataError(f"{name}: no such metric; there are {', '.join(NAMES)} and comet")


def evaluate(
    hypotheses: Sequence[str],
    *references: Sequence[str],
    metrics: Iterable[Metric] | None = None,
    resamples: int = 1,
) -> list[MetricScore]:
    """Returns the corpus score by each metric.

    Args:
        hypotheses: Translations, as detokenized text.
        references: One or several lists, each as long as `hypotheses`.
        metrics: sacreBLEU metrics; BLEU and chrF if not given.
        resamples: If above 1, the confidence interval is estimated from as many resamples.

    Raises:
        DataError: there are no sentences, or their numbers differ.
        TypeError: a text is no list of strings, a metric is none of sacreBLEU, or `resamples` is no
            number.
    """
    check(resamples, Integral, "resamples is a whole number")
    sentences, *others = map(_sentences, (hypotheses, *references))
    metrics = _checked(metrics, {"": sentences}, others)
    scores = []
    for each in metrics:
        result = each.corpus_score(sentences, others, n_bootstrap=resamples)
        interval = (float(result._mean), float(result._ci)) if resamples > 1 else ()
        signature = each.get_signature().format()
        scores.append(MetricScore(result.name, float(result.score), signature, *interval))
    return scores


def compare(
    systems: Mapping[str, Sequence[str]],
    *references: Sequence[str],
    metrics: Iterable[Metric] | None = None,
) -> dict[str, list[MetricScore]]:
    """Returns the scores of several systems, tested against those of the first one.

    The test is paired bootstrap resampling (Koehn 2004), as sacreBLEU has it; it estimates the
    confidence intervals too.

    Args:
        systems: The translations of each system, as detokenized text.
        references: As for `evaluate`.
        metrics: As for `evaluate`.

    Raises:
        DataError: there are no sentences, or their numbers differ.
    """
    from sacrebleu.significance import PairedTest

    metrics = _checked(metrics, systems, references)
    test = PairedTest(
        list(systems.items()),
        {str(number): each for number, each in enumerate(metrics)},
        references=references,
        test_type="bs",
        n_samples=RESAMPLES,
    )
    signatures, columns = test()
    results: Mapping[str, Sequence[Any]] = columns
    baseline = list(next(iter(systems.values())))
    return {
        system: [
            _tested(name, results[name][row], signature.format(), equal=list(texts) == baseline)
            for name, signature in signatures.items()
        ]
        for row, (system, texts) in enumerate(systems.items())
    }


def bleu(
    hypotheses: Sequence[str], *references: Sequence[str], tokenize: str = "13a"
) -> MetricScore:
    """Returns cased corpus BLEU; arguments and errors as for `evaluate` and `metric`."""
    return evaluate(hypotheses, *references, metrics=[metric("bleu", tokenize=tokenize)])[0]


def as_json(
    scores: Sequence[MetricScore | Mapping[str, Any]] | Mapping[str, Sequence[MetricScore]],
) -> str:
    """Returns JSON: a list of scores, or an object with such a list for each system.

    A score is an object with the fields that are known; scores of another kind are given as such.
    """

    def known(score: MetricScore) -> dict[str, Any]:
        fields = dataclasses.asdict(score)
        return {name: value for name, value in fields.items() if value is not None}

    return json.dumps(scores, indent=2, default=known, ensure_ascii=False)


def as_table(scores: Mapping[str, Sequence[MetricScore]]) -> str:
    """Returns a table with a row for each system; below it, what it means and the signatures."""
    baseline, first = next(iter(scores.items()))
    rows = [("system", *(score.name for score in first))]
    rows += [(system, *(score.figures for score in row)) for system, row in scores.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    legend = f"μ ±: 95 % confidence interval; p: paired bootstrap resampling, against {baseline}"
    signatures = [f"{score.name}: {score.signature}" for score in first]
    return "\n".join([*table, "", legend, *signatures])


def _bleu(tokenize: str, *, lowercase: bool) -> BLEU:
    """Returns BLEU, whose tokenizer may need a package or a download."""
    if tokenize not in BLEU.TOKENIZERS:
        raise DataError(f"{tokenize}: no such tokenizer; there are {', '.join(BLEU.TOKENIZERS)}")
    try:
        return BLEU(tokenize=tokenize, lowercase=lowercase, force=True)  # we warn ourselves
    except (AssertionError, OSError, RuntimeError, SystemExit) as error:
        language, mecab = tokenize.removesuffix("-mecab"), tokenize.endswith("-mecab")
        needs = (
            f'pip install "sacrebleu[{language}]"' if mecab else f"a download, not made ({error})"
        )
        raise DataError(
            f"BLEU tokenizer {tokenize} needs {needs}; or choose another, such as char, with "
            "data.bleu_tokenizer=char in training, with --tokenize char in nmt evaluate"
        ) from None


def _tested(name: str, result: Any, signature: str, *, equal: bool) -> MetricScore:
    """Returns the score of one system of sacreBLEU's paired test; the first has no p-value.

    To translations that are `equal` to those of the first system, sacreBLEU gives the least
    p-value that there is, 1 / 1001.
    """
    score, mean, margin = map(float, (result.score, result.mean, result.ci))
    p_value = result.p_value and (1.0 if equal else float(result.p_value))
    return MetricScore(name, score, signature, mean, margin, p_value)


def _sentences(text: Sequence[str]) -> list[str]:
    return list(checked(text, str, "evaluate takes lists of strings"))


def _checked(
    metrics: Iterable[Metric] | None,
    systems: Mapping[str, Sequence[str]],
    references: Sequence[Sequence[str]],
) -> Sequence[Metric]:
    """Returns the metrics, or the default ones, if the sentences correspond; warns of tokens."""
    if not references:
        raise DataError("no references to score against; give at least one list of sentences")
    for hypotheses in systems.values():
        if not hypotheses:
            raise DataError("no hypotheses to score; give at least one sentence")
        for reference in references:  # sacreBLEU would silently cut the longer of the two
            if len(reference) != len(hypotheses):
                raise DataError(
                    f"{len(hypotheses)} hypotheses but {len(reference)} references; "
                    "they must correspond sentence for sentence"
                )
    if metrics is None:
        metrics = [metric("bleu"), metric("chrf")]
    kind: Any = Metric  # it is abstract
    metrics = list(checked(metrics, kind, "metrics are a list of those of sacreBLEU"))
    detokenized = any(
        isinstance(each, BLEU) and each.tokenizer_signature != "none" for each in metrics
    )
    if detokenized and any(_look_tokenized(reference) for reference in references):
        warnings.warn(
            f"{TOKENIZED} references and more end in ' .', as tokenized text does: this BLEU is "
            "not comparable with BLEU of detokenized text",
            stacklevel=3,
        )
    return metrics


def _look_tokenized(sentences: Sequence[str]) -> bool:
    return sum(line.endswith(" .") for line in sentences) >= TOKENIZED
