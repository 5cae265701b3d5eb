"""Limits of length: longer sentences are cut, and a warning names their lines."""

import warnings
from collections.abc import Iterable, Sequence

NAMED = 10  # lines that a warning names


def cut(
    encoded: Sequence[list[int]], *, eos: int, longest: int, numbers: Iterable[int], side: str
) -> list[list[int]]:
    """Returns the ids of lines, cut to the longest allowed, each with the end of sentence.

    The warning names the number of a line, and the `side`, source or target.
    """
    for number, ids in zip(numbers, encoded, strict=True):
        if len(ids) >= longest:
            warnings.warn(
                f"line {number}: the {side} has {len(ids)} pieces, cut to {longest - 1}; "
                "decoding.max_pieces sets the limit",
                stacklevel=2,
            )
    return [[*ids[: longest - 1], eos] for ids in encoded]


def warn_of_cut(lines: Iterable[int]) -> None:
    """Warns of the lines, counted from 1, whose translation reached its longest length."""
    numbers = list(lines)
    if not numbers:
        return
    shown = ", ".join(map(str, numbers[:NAMED]))
    more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    what = "line" if len(numbers) == 1 else "lines"
    warnings.warn(
        f"{what} {shown}{more}: the translation is cut at its longest length, which "
        "decoding.max_output_ratio and decoding.max_extra set",
        stacklevel=2,
    )
