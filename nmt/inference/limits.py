"""Limits: of length, where a warning names the lines that are cut; of translations of a line."""

import warnings
from collections.abc import Callable, Iterable, Sequence

from nmt.config import DecodingConfig
from nmt.counting import counted, first
from nmt.errors import DataError

NAMED = 10  # lines that a warning names
CUT = (
    "the translation is cut at its longest length, which decoding.max_output_ratio and "
    "decoding.max_extra set"
)
TOO_LARGE = (
    "too long for an alignment of the whole line, which has none therefore; put each sentence in "
    "a line of its own"
)

Warn = Callable[[Sequence[int], str], None]  # takes the numbers of lines, and what is to be known


def warn_of(numbers: Sequence[int], message: str, *, unit: str = "line") -> None:
    """Warns of lines, or of other units, that are counted from 1."""
    what = unit if len(numbers) == 1 else f"{unit}s"
    warnings.warn(f"{what} {first(numbers, NAMED)}: {message}", stacklevel=2)


def most(config: DecodingConfig) -> int | None:
    """Returns how many translations of a line there can be; none: as many as wanted."""
    return config.candidates or config.strategy.most(config.beam)


def check_number(n_best: int, config: DecodingConfig) -> None:
    """Checks that the strategy of the search can give so many translations of a line.

    Raises:
        DataError: it cannot.
    """
    greatest = most(config)
    if n_best >= 1 and (greatest is None or n_best <= greatest):
        return
    refused = f"{n_best} translations of a line cannot be had"
    if n_best < 1:
        raise DataError(f"{refused}; ask for 1 at least")
    found = config.strategy.most(config.beam)
    if config.mbr is not None and (found is None or n_best <= found):
        raise DataError(
            f"{refused} from {greatest} candidates; ask for {greatest} at most, or set "
            f"decoding.mbr.candidates={n_best}"
        )
    if config.strategy.kind == "greedy":
        raise DataError(
            f"{refused} by greedy search; ask for 1, or choose decoding.strategy=beam or sample"
        )
    raise DataError(
        f"{n_best} translations of a line need a beam of {n_best} at least, and it is "
        f"{config.beam}; set decoding.beam={n_best}, as --beam {n_best} does"
    )


def cut(
    encoded: Sequence[list[int]],
    *,
    eos: int,
    longest: int,
    numbers: Iterable[int],
    side: str,
    warn: Warn = warn_of,
) -> list[list[int]]:
    """Returns the ids of lines, cut to the longest allowed, each with the end of sentence.

    One warning has the numbers of all that are longer, and the `side`, source or target.
    """
    room = longest - 1  # for pieces, before the end of sentence
    long = [number for number, ids in zip(numbers, encoded, strict=True) if len(ids) > room]
    if long:
        warn(
            list(dict.fromkeys(long)),  # a line may have several parts
            f"the {side} has more than {counted(room, 'piece')}, and is cut; "
            "decoding.max_pieces sets the limit",
        )
    return [[*ids[:room], eos] for ids in encoded]
