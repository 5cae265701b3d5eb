"""The links of sentence pairs by each way to get them from matrices, for cross-validation."""

from collections.abc import Sequence
from itertools import product

from nmt.evaluation.alignment import Link
from nmt.evaluation.symmetrization import METHODS, SOFT
from nmt.inference.output import symmetrized_links, word_links
from nmt.inference.translation import Translation

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 13))  # 0.1, 0.15, ..., 0.6


def alternatives(
    forward: Sequence[Translation],
    backward: Sequence[Translation] | None = None,
    *,
    symmetrization: str | None = None,
    threshold: float | None = None,
) -> dict[str, list[frozenset[Link]]]:
    """Returns the links of all pairs by each threshold and symmetrization that is not given.

    The thresholds are THRESHOLDS and, except for soft symmetrizations, none: the most attended word
    is linked. With `backward`, the pairs translated from target to source, the symmetrizations are
    those of `symmetrized_links`; without, there are only thresholds. The names say what was chosen:
    `soft-union 0.35`, `intersection`, `threshold 0.35`, or `most attended`.

    Raises:
        ConfigError: there is no such symmetrization.
    """
    thresholds = (None, *THRESHOLDS) if threshold is None else (threshold,)
    if backward is None:
        return {
            "most attended" if least is None else f"threshold {least:g}": [
                word_links(each, threshold=least) for each in forward
            ]
            for least in thresholds
        }
    kinds = (*METHODS, *SOFT) if symmetrization is None else (symmetrization,)
    pairs = list(zip(forward, backward, strict=True))
    return {
        kind if least is None else f"{kind} {least:g}": [
            symmetrized_links(*pair, symmetrization=kind, threshold=least) for pair in pairs
        ]
        for kind, least in product(kinds, thresholds)
        if least is not None or kind not in SOFT
    }
