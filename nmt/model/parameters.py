"""The names of parameters, as `nmt info` prints them: `encoder.layers.0.forward.recurrent`."""

from typing import Any

import jax

from nmt.types import Params

# Prefixes of names, in the order of the computation; all other parameters are output.
PARTS = (
    "source_embedding",
    "target_embedding",
    "encoder",
    "decoder.attention",
    "decoder",
    "guided_head",
)


def name(path: tuple[Any, ...]) -> str:
    """Returns the dotted name of a parameter from its path in the tree of a model."""
    return jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value")


def named(params: Params) -> dict[str, Any]:
    """Returns the arrays of a model by name."""
    return {name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(params)}


def part(name: str) -> str:
    """Returns the part of a model that a parameter belongs to: one of `PARTS`, or `output`."""
    return next((each for each in PARTS if f"{name}.".startswith(f"{each}.")), "output")
