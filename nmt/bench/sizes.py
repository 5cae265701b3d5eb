"""The sizes that are measured: the shape of a training batch, and the network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from nmt.errors import ConfigError

REPEATS = 7


@dataclass(frozen=True)
class Size:
    """A benchmark size: the shape of a training batch, and the network."""

    rows: int  # sentence pairs on each device
    length: int  # pieces of each source and target
    vocabulary: int
    model: dict[str, Any]  # the section `model` of a configuration
    repeats: int = REPEATS


SIZES = {
    "multi30k": Size(
        rows=64,
        length=16,
        vocabulary=8000,
        model={
            "embedding_size": 256,
            "encoder": {"hidden_size": 256},
            "decoder": {"kind": "luong", "hidden_size": 512},
            "dropout": 0.3,
        },
    ),
    # Bahdanau et al. (2015), appendices A.2.3 and B; a step takes seconds on a processor
    "rnnsearch50": Size(
        rows=80,
        length=30,
        vocabulary=30000,
        model={
            "embedding_size": 620,
            "encoder": {"hidden_size": 1000},
            "decoder": {"kind": "bahdanau", "hidden_size": 1000, "readout_size": 500},
            "dropout": 0.0,
        },
        repeats=3,
    ),
}


def choose(names: Sequence[str], *, rows: int | None = None) -> dict[str, Size]:
    """Returns the named sizes, or all; `rows` replaces their number of sentence pairs.

    Raises:
        ConfigError: there is no size of that name.
    """
    for name in names:
        if name not in SIZES:
            raise ConfigError(f"{name}: no such size; choose {' or '.join(SIZES)}")
    chosen = {name: SIZES[name] for name in names or SIZES}
    return {name: replace(size, rows=rows or size.rows) for name, size in chosen.items()}
