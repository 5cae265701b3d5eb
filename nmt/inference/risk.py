"""Minimum Bayes risk decoding: the candidate that is, in expectation, most like the others.

Of the candidates h, the translation is the one with the highest expected utility sum_r p(r) U(h, r)
over all candidates r, itself among them (Kumar and Byrne 2004; Eikema and Aziz 2020). p(r) is

- of samples, the share of r among them: an estimate by Monte Carlo, in which repetitions count;
- of hypotheses of a beam, p(r | x), normalized over the candidates.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import numpy as np

from nmt.config import BleuRiskConfig, DecodingConfig, SampleConfig
from nmt.evaluation.utility import Bleu, ChrF, Utility, expected
from nmt.evaluation.words import split
from nmt.inference.translation import Translation


class Risk:
    """Ranks the candidates of a line by their expected utility.

    Raises:
        DataError: the tokenizer of BLEU needs a package or a download.
    """

    def __init__(self, config: DecodingConfig) -> None:
        risk = config.mbr
        self.utility: Utility = Bleu(risk.tokenize) if isinstance(risk, BleuRiskConfig) else ChrF()
        self.aggregate = risk is not None and risk.aggregate
        self.sampled = isinstance(config.strategy, SampleConfig)
        self.number = config.candidates

    def ranked(self, candidates: Iterable[Translation]) -> list[Translation]:
        """Returns candidates of different words, those of the highest expected utility first.

        The candidates come best first, and of equally useful ones the first is best. Those that
        were cut at the longest length count only if there are no others.
        """
        known = list(islice(candidates, self.number))
        alike: dict[tuple[str, ...], list[Translation]] = {}
        for each in [whole for whole in known if not whole.is_cut] or known:
            alike.setdefault(split(each.text, each.word_boundaries), []).append(each)
        best = [group[0] for group in alike.values()]
        weights = np.array([self._weight(group) for group in alike.values()])
        utilities = expected(
            self.utility,
            [each.text for each in best],
            np.exp(weights - np.logaddexp.reduce(weights)),
            aggregate=self.aggregate,
        )
        order = np.argsort(-utilities, kind="stable").tolist()
        return [replace(best[i], utility=float(utilities[i])) for i in order]

    def _weight(self, alike: list[Translation]) -> float:
        """Returns the logarithm of the weight of candidates with the same words."""
        if self.sampled:
            return float(np.log(len(alike)))
        return float(np.logaddexp.reduce([each.log_prob for each in alike]))
