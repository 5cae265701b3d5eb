"""BLEU and chrF by sacreBLEU: each score carries the signature that makes it comparable."""

import dataclasses
import json
import warnings
from collections.abc import Sequence

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from nmt.errors import DataError

TOKENISED = 100  # sentences that end as tokenised ones do, where sacreBLEU warns


@dataclasses.dataclass(frozen=True)
class MetricScore:
    """A corpus score between 0 and 100, with sacreBLEU's record of how it was computed."""

    name: str
    value: float
    signature: str

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f} ({self.signature})"


def bleu(hypotheses: Sequence[str], *references: Sequence[str]) -> MetricScore:
    """Corpus BLEU (Papineni et al. 2002; Post 2018): cased, 13a tokens, exponential smoothing.

    Sentences are detokenised text. Several references are several arguments, each as long as
    `hypotheses`.

    Raises:
        DataError: there is nothing to score, or the counts of sentences differ.
    """
    if any(sum(line.endswith(" .") for line in part) >= TOKENISED for part in references):
        warnings.warn(
            f"{TOKENISED} references and more end in ' .', as tokenised text does: this BLEU does "
            "not compare with that of detokenised text",
            stacklevel=2,
        )
    return _score(BLEU(force=True), hypotheses, references)  # its own warning names no remedy


def chrf(hypotheses: Sequence[str], *references: Sequence[str]) -> MetricScore:
    """Corpus chrF2 (Popović 2015): character n-grams up to 6. Arguments and errors as `bleu`."""
    return _score(CHRF(), hypotheses, references)


def evaluate(hypotheses: Sequence[str], *references: Sequence[str]) -> list[MetricScore]:
    """BLEU and chrF, in this order. Arguments and errors as `bleu`."""
    return [bleu(hypotheses, *references), chrf(hypotheses, *references)]


def as_json(scores: Sequence[MetricScore]) -> str:
    """The scores as a JSON list of objects with `name`, `value` and `signature`."""
    return json.dumps([dataclasses.asdict(score) for score in scores], indent=2)


def _score(
    metric: BLEU | CHRF, hypotheses: Sequence[str], references: Sequence[Sequence[str]]
) -> MetricScore:
    if not hypotheses:
        raise DataError("no hypotheses to score; give at least one sentence")
    if not references:
        raise DataError("no references to score against; give at least one list of sentences")
    for reference in references:
        # sacreBLEU would silently score the shorter of the two.
        if len(reference) != len(hypotheses):
            raise DataError(
                f"{len(hypotheses)} hypotheses but {len(reference)} references; "
                "they must correspond sentence for sentence"
            )
    result = metric.corpus_score(hypotheses, references)
    return MetricScore(result.name, result.score, metric.get_signature().format())
