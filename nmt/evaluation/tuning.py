"""Weights of systems that score the same n-best lists, found by the BLEU of what they choose.

The weights are tried in tenths: all non-negative ones that sum to 1. For two systems these are 11
choices, for three 66, for four 286. Nothing is random, and no choice is overlooked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU

from nmt.evaluation.metrics import metric

TENTHS = 10

SystemWeights = tuple[float, ...]


@dataclass(frozen=True)
class Hypotheses:
    """The hypotheses of one sentence, and the score of each by each system."""

    texts: Sequence[str]
    scores: Sequence[Sequence[float]]  # (hypothesis, system)


def grid(systems: int) -> list[SystemWeights]:
    """Returns all weights of so many systems in tenths that sum to 1."""
    places = TENTHS + systems - 1
    dividers = combinations(range(places), systems - 1)
    return [
        tuple((after - before - 1) / TENTHS for before, after in pairwise((-1, *each, places)))
        for each in dividers
    ]


def tune(
    lists: Sequence[Hypotheses], references: Sequence[str], *, tokenize: str = "13a"
) -> dict[SystemWeights, float]:
    """Returns the BLEU that each choice of weights reaches.

    The hypothesis with the largest weighted sum of its scores is chosen, of equal ones the first.
    """
    bleu = metric("bleu", tokenize=tokenize)
    choices = grid(len(lists[0].scores[0]))
    sums = np.zeros((len(choices), 10), np.int64)
    for hypotheses, reference in zip(lists, references, strict=True):
        combined = np.asarray(hypotheses.scores) @ np.transpose(choices)
        counts = np.array([_counts(bleu, text, reference) for text in hypotheses.texts])
        sums += counts[combined.argmax(axis=0)]
    return dict(zip(choices, map(_bleu, sums), strict=True))


def best(reached: Mapping[SystemWeights, float]) -> SystemWeights:
    """Returns the weights with the highest BLEU; of equal ones those that are most even."""
    return max(reached, key=lambda weights: (reached[weights], -np.square(weights).sum()))


def _counts(bleu: Metric, text: str, reference: str) -> list[int]:
    """Returns what BLEU adds up over a corpus: 1- to 4-grams that match, all, and both lengths."""
    score: Any = bleu.corpus_score([text], [[reference]])
    return [*score.counts, *score.totals, score.sys_len, score.ref_len]


def _bleu(sums: npt.NDArray[np.int64]) -> float:
    counts = sums.tolist()
    return BLEU.compute_bleu(counts[:4], counts[4:8], *counts[8:], smooth_method="exp").score
