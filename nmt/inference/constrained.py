"""The search for sentences of which some have constraints, and what becomes of impossible ones."""

from collections.abc import Iterator, Sequence
from typing import Any

from nmt.config import BeamConfig, GreedyConfig
from nmt.data.constraints import Constraints
from nmt.errors import DataError
from nmt.inference.limits import Warn
from nmt.inference.plans import Plan
from nmt.inference.searcher import Found, Searcher
from nmt.inference.spelling import Spelling


def search(
    searcher: Searcher,
    sentences: Sequence[Any],
    real: Sequence[int],
    constraints: Sequence[Constraints],
    *,
    n_best: int,
    numbers: Sequence[int],
    warn: Warn,
) -> Iterator[tuple[int, list[Found]]]:
    """Does what `Searcher.all` does, for sentences of which some have constraints.

    Where these cannot be satisfied, a warning names the line, by these `numbers`, and the sentence
    is translated without them.

    Raises:
        DataError: the model or the strategy of the search has no such constraints.
    """
    plans, reasons = dict[int, Plan](), dict[int, str]()
    for number in real:
        if wanted := constraints[number]:
            _check(searcher, wanted)
            plan = Plan.of(wanted, Spelling.of(searcher.tokenizers))
            longest = searcher.longest(len(sentences[number]))
            if reason := plan.impossible(longest):
                reasons[number] = reason
            else:
                plans[number] = plan
    decode = searcher.tokenizers.target.decode
    for number, ranked in searcher.all(sentences, list(plans), n_best=n_best, plans=plans):
        missed = [plans[number].missed(decode(found.tokens)) for found in ranked]
        if kept := [found for found, reason in zip(ranked, missed, strict=True) if not reason]:
            yield number, kept
        else:
            reasons[number] = next(iter(missed), None) or "no translation satisfies its constraints"
    for reason in dict.fromkeys(reasons[number] for number in sorted(reasons)):
        lines = sorted({numbers[number] for number in reasons if reasons[number] == reason})
        what = "it is translated without its constraints"
        if len(lines) > 1:
            what = "they are translated without their constraints"
        warn(lines, f"{reason}; {what}")
    free = [number for number in real if number not in plans or number in reasons]
    yield from searcher.all(sentences, free, n_best=n_best)


def _check(searcher: Searcher, constraints: Constraints) -> None:
    if constraints.prefix and searcher.tokenizers.reverse_target:
        raise DataError(
            "a model that writes from right to left cannot begin with a prefix; require it as a "
            "phrase, or translate by a model from left to right"
        )
    strategy = searcher.config.strategy
    if constraints.require and not isinstance(strategy, BeamConfig | GreedyConfig):
        raise DataError(
            f"required phrases are not for decoding.strategy={strategy.kind}; choose beam"
        )
