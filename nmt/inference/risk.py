"""Minimum Bayes risk decoding: the candidate that is, in expectation, most like the others.

Of the candidates h, the translation is the one with the highest expected utility, the mean of
U(h, r) over all candidates r, itself and repetitions among them (Kumar and Byrne 2004; Eikema and
Aziz 2020). Of samples, this is a Monte Carlo estimate. Hypotheses of a beam count equally too:
weighted by their probability, they would prefer short ones, as a search without length penalty.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from nmt.config import BleuRiskConfig, DecodingConfig
from nmt.evaluation.utility import Bleu, ChrF, Utility, expected
from nmt.evaluation.words import split
from nmt.inference.translation import Translation, distinct


def ranking(config: DecodingConfig) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """Returns what ranks the candidates of a line: as they come, or by risk; each text once.

    Raises:
        DataError: as `Risk`.
    """
    return distinct if config.mbr is None else Risk(config).ranked


class Risk:
    """Ranks the candidates of a line by their expected utility; `mbr` is set.

    Raises:
        DataError: the tokenizer of BLEU needs a package or a download.
    """

    def __init__(self, config: DecodingConfig) -> None:
        risk = config.mbr
        assert risk is not None  # see `ranking`
        self.utility: Utility = Bleu(risk.tokenize) if isinstance(risk, BleuRiskConfig) else ChrF()
        self.aggregate = risk.aggregate
        self.number = config.candidates

    def ranked(self, candidates: Iterable[Translation]) -> list[Translation]:
        """Returns candidates of different words, those of the highest expected utility first.

        The candidates come best first, and of equally useful ones the first is best. Those that
        were cut at the longest length count only if there are no others.
        """
        known = list(islice(candidates, self.number))
        whole = [each for each in known if not each.is_cut] or known
        best = list(distinct(whole))
        numbers = Counter(split(each.text, each.word_boundaries) for each in whole)  # in this order
        shares = np.array(list(numbers.values())) / max(1, len(whole))
        texts = [each.text for each in best]
        utilities = expected(self.utility, texts, shares, aggregate=self.aggregate)
        order = np.argsort(-utilities, kind="stable").tolist()
        return [replace(best[i], utility=float(utilities[i])) for i in order]
