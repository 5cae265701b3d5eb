"""Two-fold cross-validation: the error of a choice on sentences that had no part in it.

A threshold, a way of joining two directions, or an aligner that is chosen because it has the lowest
error on some sentences has too low an error there. So each half of the sentences is scored with
what is best on the other half. The halves are the sentences 1, 3, 5, ... and 2, 4, 6, ...
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nmt.counting import counted
from nmt.errors import DataError
from nmt.evaluation.alignment import AlignmentScore, GoldLinks, Link, score_links

HALVES = {"odd": slice(0, None, 2), "even": slice(1, None, 2)}  # sentences are counted from 1


@dataclass(frozen=True)
class Choice:
    """What one half of the sentences is scored with, because it is best on the other half."""

    half: str  # `odd` or `even`: the half that is scored
    candidate: str
    aer: float  # on this half
    aer_of_choice: float  # on the other half, by which it was chosen


@dataclass(frozen=True)
class CrossValidation:
    """The score of all sentences, each linked by what was chosen without its half."""

    score: AlignmentScore
    choices: tuple[Choice, ...]
    links: tuple[frozenset[Link], ...]

    def __str__(self) -> str:
        lines = [f"{self.score} (cross-validated)"]
        for each in self.choices:
            lines.append(
                f"{each.half} lines: AER {each.aer:.3f} by {each.candidate}, which has "
                f"{each.aer_of_choice:.3f} on the others"
            )
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """Returns the score and the choices, without the links, as values of JSON."""
        return {**self.score.summary(), "choices": [asdict(each) for each in self.choices]}


def cross_validate(
    candidates: Mapping[str, Sequence[frozenset[Link]]], gold: Sequence[GoldLinks]
) -> CrossValidation:
    """Scores each half of the sentences with the candidate of the lowest AER on the other half.

    Of several that are equal, the first is taken. `candidates` has the links of all sentences by
    each candidate. The score sums the counts of both halves before it divides them, as
    `score_links` does; its error is not the mean of the two.

    Raises:
        DataError: there are fewer than two sentences or candidates, or their numbers of sentences
            differ from that of `gold`.
    """
    if len(gold) < 2 or len(candidates) < 2:
        raise DataError(
            f"{counted(len(gold), 'sentence')} with gold links and "
            f"{counted(len(candidates), 'way')} to link them: "
            "cross-validation needs two or more of both"
        )
    for name, links in candidates.items():
        if len(links) != len(gold):
            raise DataError(
                f"{name}: {counted(len(links), 'sentence')} of links but {len(gold):,} of gold "
                "links; they must correspond sentence for sentence"
            )
    errors = {
        name: {half: score_links(links[part], gold[part]).aer for half, part in HALVES.items()}
        for name, links in candidates.items()
    }
    chosen: list[frozenset[Link]] = [frozenset()] * len(gold)
    choices = []
    for half, other in zip(HALVES, reversed(HALVES), strict=True):
        best = min(errors, key=lambda name: errors[name][other])
        chosen[HALVES[half]] = candidates[best][HALVES[half]]
        choices.append(Choice(half, best, errors[best][half], errors[best][other]))
    return CrossValidation(score_links(chosen, gold), tuple(choices), tuple(chosen))
