"""Word alignment: links from the attention between words, and their error rate.

Weights are (target, source) matrices. A link is a pair (source word, target word), counted from 0.
The end of sentence is never linked.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from nmt.counting import counted
from nmt.errors import DataError

Link = tuple[int, int]


@dataclass(frozen=True)
class GoldLinks:
    """Links that annotators call `sure` or `possible`; the possible links include the sure ones."""

    sure: frozenset[Link]
    possible: frozenset[Link]

    def __post_init__(self) -> None:
        object.__setattr__(self, "possible", self.possible | self.sure)


@dataclass(frozen=True)
class AlignmentScore:
    """Scores of a corpus between 0 and 1; a lower `aer`, the alignment error rate, is better."""

    aer: float
    precision: float
    recall: float
    f1: float

    def __str__(self) -> str:
        accuracy = f"precision {self.precision:.3f} recall {self.recall:.3f} F1 {self.f1:.3f}"
        return f"AER {self.aer:.3f} {accuracy}"

    def summary(self) -> dict[str, float]:
        """Returns the scores as values of JSON."""
        return asdict(self)


def argmax_links(word_weights: npt.NDArray[np.float32]) -> frozenset[Link]:
    """Links each target word to its most attended source word, if it attends to any."""
    if not word_weights.size:
        return frozenset()
    best = word_weights.argmax(axis=1).tolist()
    return frozenset(
        (source, target) for target, source in enumerate(best) if word_weights[target, source] > 0
    )


def threshold_links(word_weights: npt.NDArray[np.float32], threshold: float) -> frozenset[Link]:
    """Links each target word to all source words whose weight is at least the threshold.

    A word may have several links or none. Since rows sum to at most 1, a target word has at most
    one link if the threshold is above 0.5.
    """
    targets, sources = np.nonzero(word_weights >= threshold)
    return frozenset(zip(sources.tolist(), targets.tolist(), strict=True))


def score_links(predicted: Sequence[frozenset[Link]], gold: Sequence[GoldLinks]) -> AlignmentScore:
    """Scores predicted links A against sure S and possible P (Och & Ney 2003, section 6).

    recall = |A ∩ S| / |S|,  precision = |A ∩ P| / |A|,
    AER = 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|),  F1 = 2 precision recall / (precision + recall)

    Counts are summed over the corpus before they are divided; 0 / 0 is 1.

    Raises:
        DataError: there are no sentences, or their numbers differ.
    """
    if len(predicted) != len(gold):
        raise DataError(
            f"{counted(len(predicted), 'sentence')} of links but {len(gold):,} of gold links; "
            "they must correspond sentence for sentence"
        )
    if not gold:
        raise DataError("no alignments to score; give at least one sentence")
    pairs = list(zip(predicted, gold, strict=True))
    in_sure = sum(len(links & truth.sure) for links, truth in pairs)
    in_possible = sum(len(links & truth.possible) for links, truth in pairs)
    links_total = sum(len(links) for links in predicted)
    sure_total = sum(len(truth.sure) for truth in gold)
    precision, recall = _ratio(in_possible, links_total), _ratio(in_sure, sure_total)
    return AlignmentScore(
        aer=1 - _ratio(in_sure + in_possible, links_total + sure_total),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if precision + recall else 0.0,
    )


def aer(predicted: Sequence[frozenset[Link]], gold: Sequence[GoldLinks]) -> float:
    """Returns the alignment error rate only; see `score_links`."""
    return score_links(predicted, gold).aer


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
