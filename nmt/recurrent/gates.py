"""What gated cells share: how their matrices start, and how the gates add input and state."""

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.recurrent.normalization import GateNorm
from nmt.types import CellInput, Gates, RandomKey


def input_matrices(
    key: RandomKey, shape: tuple[int, int], dtype: Any
) -> Float[Array, "input gates"]:
    """Initializes the matrices that read the input; without input they have no rows."""
    initialize = nnx.initializers.lecun_normal() if shape[0] else nnx.initializers.zeros
    return initialize(key, shape, dtype)


def orthogonal_matrices(size: int, number: int, *, rngs: nnx.Rngs) -> Float[Array, "size gates"]:
    """Returns orthogonal (size, size) matrices side by side, one for each gate."""
    orthogonal = nnx.initializers.orthogonal()
    return jnp.concatenate([orthogonal(rngs.params(), (size, size)) for _ in range(number)], axis=1)


def project(layer: nnx.Linear, norm: GateNorm | None, inputs: CellInput) -> Gates:
    """Returns W x + b for all gates; with layer normalization W x, and `terms` adds b."""
    return layer(inputs) if norm is None else inputs @ layer.kernel[...]


def terms(
    layer: nnx.Linear, norm: GateNorm | None, projected: Gates, recurrent: Gates
) -> tuple[Gates, Gates]:
    """Returns what input and state add to all gates, given what `project` returns, and U s."""
    return (projected, recurrent) if norm is None else norm(layer, projected, recurrent)
