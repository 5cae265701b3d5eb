"""BLEU and chrF by sacreBLEU; each score has the signature that makes it comparable."""

import dataclasses
import json
import warnings
from collections.abc import Sequence

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from nmt.errors import DataError

TOKENIZED = 100  # sentences that end like tokenized ones, above which sacreBLEU warns


@dataclasses.dataclass(frozen=True)
class MetricScore:
    """A corpus score between 0 and 100, with sacreBLEU's signature of how it was computed."""

    name: str
    value: float
    signature: str

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f} ({self.signature})"


def bleu(hypotheses: Sequence[str], *references: Sequence[str]) -> MetricScore:
    """Returns corpus BLEU (Papineni et al. 2002; Post 2018): cased, 13a, exponential smoothing.

    Sentences are detokenized text. Each argument of `references` is as long as `hypotheses`.

    Raises:
        DataError: there are no sentences, or their numbers differ.
    """
    if any(sum(line.endswith(" .") for line in part) >= TOKENIZED for part in references):
        warnings.warn(
            f"{TOKENIZED} references and more end in ' .', as tokenized text does: this BLEU is "
            "not comparable with BLEU of detokenized text",
            stacklevel=2,
        )
    return _score(BLEU(force=True), hypotheses, references)  # sacreBLEU's warning is off


def chrf(hypotheses: Sequence[str], *references: Sequence[str]) -> MetricScore:
    """Returns corpus chrF2 (Popović 2015), character n-grams up to 6; arguments as for `bleu`."""
    return _score(CHRF(), hypotheses, references)


def evaluate(hypotheses: Sequence[str], *references: Sequence[str]) -> list[MetricScore]:
    """Returns BLEU and chrF, in this order; arguments and errors as for `bleu`."""
    return [bleu(hypotheses, *references), chrf(hypotheses, *references)]


def as_json(scores: Sequence[MetricScore]) -> str:
    """Returns a JSON list of objects with `name`, `value` and `signature`."""
    return json.dumps([dataclasses.asdict(score) for score in scores], indent=2)


def _score(
    metric: BLEU | CHRF, hypotheses: Sequence[str], references: Sequence[Sequence[str]]
) -> MetricScore:
    if not hypotheses:
        raise DataError("no hypotheses to score; give at least one sentence")
    if not references:
        raise DataError("no references to score against; give at least one list of sentences")
    for reference in references:  # sacreBLEU would silently cut the longer of the two
        if len(reference) != len(hypotheses):
            raise DataError(
                f"{len(hypotheses)} hypotheses but {len(reference)} references; "
                "they must correspond sentence for sentence"
            )
    result = metric.corpus_score(hypotheses, references)
    return MetricScore(result.name, result.score, metric.get_signature().format())
