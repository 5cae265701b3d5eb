"""Precision: what is float32 or wider, whatever the type of the computation."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float


def wide(dtype: Any) -> jnp.dtype:
    """Returns float32, or the type itself if it is wider."""
    return jnp.promote_types(dtype, jnp.float32)


def widened(values: Float[Array, "*axes"]) -> Float[Array, "*axes"]:
    """Returns values in float32 or wider."""
    return values.astype(wide(values.dtype))


def wide_sum(equation: str, *factors: Float[Array, "..."]) -> Float[Array, "..."]:
    """Returns an einsum that is summed and returned in float32 or wider."""
    return jnp.einsum(equation, *factors, preferred_element_type=wide(factors[0].dtype))
