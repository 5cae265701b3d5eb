"""Baselines without learned attention, to compare the mechanisms with."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.interface import AttentionOutput, EncodedSource, Stateless, weighted_sum
from nmt.config import MechanismConfig
from nmt.types import Annotations, Context, Query


class Baseline(Stateless, nnx.Module):
    """A mechanism without parameters, keys and state."""

    def __init__(
        self, config: MechanismConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        pass  # there is nothing to learn

    def keys(self, annotations: Annotations) -> Float[Array, "batch src 0"]:
        """Returns empty keys."""
        return annotations[..., :0]


class UniformAttention(Baseline):
    """The mean of the annotations at every step."""

    def __call__(
        self, query: Query, encoded: EncodedSource, state: tuple[()]
    ) -> tuple[Context, AttentionOutput, tuple[()]]:
        """Returns the mean of the annotations, and equal weights for all real positions."""
        real = encoded.mask.astype(jnp.float32)
        weights = real / jnp.maximum(real.sum(axis=-1, keepdims=True), 1.0)
        return weighted_sum(weights, encoded.annotations), AttentionOutput(weights), state


class NoAttention(Baseline):
    """The fixed-vector encoder-decoder of Cho et al. (2014), without attention.

    The context is the same at every step, the encoder's two final states; all weights are zero.
    """

    def __call__(
        self, query: Query, encoded: EncodedSource, state: tuple[()]
    ) -> tuple[Context, AttentionOutput, tuple[()]]:
        """Returns the summary of the source, and weights of zero."""
        weights = jnp.zeros(encoded.mask.shape, jnp.float32)
        return encoded.summary, AttentionOutput(weights), state
