"""Utilities of minimum Bayes risk decoding: sentence chrF and BLEU, of all pairs of texts at once.

The expected utility of a text h, if each of the texts r_i is right with a probability p_i, is

    u(h) = sum_i p_i U(h, r_i)                      of all pairs (Kumar and Byrne 2004)
    u(h) = U(h, sum_i p_i counts(r_i))              aggregated

U is computed from the numbers of n-grams of both, and of those that they share. Aggregated, there
is one reference, with the mean numbers: DeNero et al. (2009) for BLEU, Vamvas and Sennrich (2024)
for chrF. Then time grows with the number of texts, and not with its square.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nmt.evaluation import metrics

Numbers = npt.NDArray[np.float64]


@runtime_checkable
class Utility(Protocol):
    """A score of a text by a reference, from 0 to 100, from the n-grams of both."""

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""

    def units(self, text: str) -> Sequence[Hashable]:
        """Returns that which n-grams consist of: characters or tokens."""

    def score(self, texts: Numbers, references: Numbers, shared: Numbers) -> Numbers:
        """Returns (text, reference) scores.

        Args:
            texts: (n, text, 1), the number of n-grams of each text.
            references: (n, 1, reference), those of each reference.
            shared: (n, text, reference), those that both have.
        """


@dataclass(frozen=True)
class ChrF:
    """sacreBLEU's sentence chrF (Popović 2015), with its defaults."""

    order: int = 6
    beta: int = 2

    def units(self, text: str) -> str:
        """Returns the text without white space."""
        return "".join(text.split())

    def score(self, texts: Numbers, references: Numbers, shared: Numbers) -> Numbers:
        """Returns F-beta of the mean precision and recall, over those n that both texts have."""
        both = (texts > 0) & (references > 0)
        number = np.maximum(both.sum(axis=0), 1)
        precision, recall = (
            (np.where(both, shared, 0) / np.where(both, total, 1)).sum(axis=0) / number
            for total in (texts, references)
        )
        factor = self.beta**2
        weighted = factor * precision + recall
        return 100 * ((1 + factor) * precision * recall / np.where(weighted > 0, weighted, 1))


class Bleu:
    """sacreBLEU's sentence BLEU, with effective order and its default smoothing, `exp`.

    A precision of zero is 1/2 of one n-gram the first time, then 1/4 and so on (Chen and Cherry
    2014, method 3); there are no n-grams longer than the text.

    Raises:
        DataError: there is no such tokenizer, or it needs a package or a download.
    """

    order = 4

    def __init__(self, tokenize: str = "13a") -> None:
        self._bleu: Any = metrics.metric("bleu", tokenize=tokenize)

    def units(self, text: str) -> list[str]:
        """Returns the tokens."""
        tokens: list[str] = self._bleu._preprocess_segment(text).split()
        return tokens

    def score(self, texts: Numbers, references: Numbers, shared: Numbers) -> Numbers:
        """Returns the geometric mean of precisions, times the brevity penalty."""
        there = np.broadcast_to(texts > 0, shared.shape)
        halved = 0.5 ** np.cumsum(there & (shared == 0), axis=0)
        precision = np.where(shared > 0, shared, halved) / np.maximum(texts, 1)
        logs = np.log(precision, where=there, out=np.zeros_like(shared)).sum(axis=0)
        brevity = np.minimum(0, 1 - references[0] / np.maximum(texts[0], 1))
        mean = np.exp(brevity + logs / np.maximum(there.sum(axis=0), 1))
        return np.where(shared.any(axis=0), 100 * mean, 0)


def expected(
    utility: Utility, texts: Sequence[str], weights: Numbers, *, aggregate: bool = False
) -> Numbers:
    """Returns the expected utility of each text; the weights are the probabilities of the texts."""
    counts = list(_counts(utility, texts))
    if not aggregate:
        return _scores(utility, counts, counts) @ weights
    return _scores(utility, counts, [weights[None] @ each for each in counts])[:, 0]


def _scores(utility: Utility, texts: list[Numbers], references: list[Numbers]) -> Numbers:
    """Returns (text, reference) scores from the numbers of each n-gram, for each n."""
    return utility.score(
        np.array([each.sum(axis=1)[:, None] for each in texts]),
        np.array([each.sum(axis=1)[None, :] for each in references]),
        np.array([_shared(*each) for each in zip(texts, references, strict=True)]),
    )


def _shared(texts: Numbers, references: Numbers) -> Numbers:
    """Returns the (text, reference) number of shared n-grams: the sum of the smaller numbers."""
    if texts is not references:
        return np.minimum(texts[:, None, :], references[None, :, :]).sum(axis=-1)
    # The smaller of two whole numbers is the number of k from 1 on that neither is below.
    total = np.zeros((len(texts), len(texts)))
    for k in range(1, int(texts.max(initial=0)) + 1):
        often = texts >= k
        often = often[:, often.any(axis=0)].astype(np.float32)
        total += often @ often.T
    return total


def _counts(utility: Utility, texts: Sequence[str]) -> Iterator[Numbers]:
    """Yields, for each n, how often each text has each n-gram: (text, n-gram)."""
    numbers: dict[Hashable, int] = {}
    units = [list(utility.units(text)) for text in texts]
    unit = np.array(
        [numbers.setdefault(each, len(numbers)) for text in units for each in text], int
    )
    ends = np.cumsum(list(map(len, units)))
    text_of = np.repeat(np.arange(len(texts)), list(map(len, units)))
    begin, n_gram = np.arange(len(unit)), unit
    for n in range(1, utility.order + 1):
        size = int(n_gram.max(initial=-1)) + 1
        places = text_of[begin] * size + n_gram
        counts = np.bincount(places, minlength=len(texts) * size)
        yield counts.reshape(len(texts), size).astype(float)
        # An n-gram with the unit behind it, where the text goes on, is an (n + 1)-gram.
        longer = begin + n < ends[text_of[begin]]
        begin, n_gram = begin[longer], n_gram[longer]
        _, n_gram = np.unique(n_gram * len(numbers) + unit[begin + n], return_inverse=True)
