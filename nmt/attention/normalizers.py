"""Normalizers: from attention scores to attention weights.

Each takes scores and the mask of real positions, and returns weights in float32 or wider that sum
to one over the real positions of a row and are zero on padding. In a row without any real position
they are zeros; neither its weights nor its gradient is NaN.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from nmt.config import NormalizedConfig
from nmt.precision import widened

Rows = Float[Array, "*rows src"]
Mask = Bool[Array, "*rows src"]
Normalizer = Callable[[Rows, Mask], Rows]


def masked_softmax(scores: Rows, mask: Mask) -> Rows:
    """Returns the softmax: every real position has some weight."""
    scores = _masked(scores, mask)
    return jnp.where(mask, jax.nn.softmax(scores, axis=-1), 0.0)


@jax.custom_jvp
def masked_sparsemax(scores: Rows, mask: Mask) -> Rows:
    """Returns the sparsemax of Martins and Astudillo (2016): weights of zero for low scores.

    weights_j = max(0, z_j - tau), with the tau that makes them sum to one

    It is the point of the simplex that is nearest to the scores z.
    """
    scores, ranked, ranks = _ranked(scores, mask)
    sums = jnp.cumsum(ranked, axis=-1)
    threshold = _threshold((sums - 1) / ranks, ranked)
    return jnp.where(mask, jnp.maximum(scores - threshold, 0.0), 0.0)


@jax.custom_jvp
def masked_entmax15(scores: Rows, mask: Mask) -> Rows:
    """Returns the 1.5-entmax of Peters et al. (2019), between softmax and sparsemax.

    weights_j = max(0, z_j / 2 - tau)^2, with the tau that makes them sum to one

    This is their exact algorithm 2: if the k highest have weight, tau is the root of a quadratic.
    """
    scores, ranked, ranks = _ranked(scores / 2, mask)
    mean = jnp.cumsum(ranked, axis=-1) / ranks
    spread = jnp.cumsum(ranked**2, axis=-1) / ranks - mean**2
    threshold = _threshold(mean - jnp.sqrt(jnp.maximum(1 / ranks - spread, 0.0)), ranked)
    roots = jnp.maximum(scores - threshold, 0.0)
    # Long sums of squares round: weights of 500 positions are 1e-4 off. A step of Newton's method.
    excess = (roots**2).sum(axis=-1, keepdims=True) - 1
    threshold = threshold + excess / (2 * roots.sum(axis=-1, keepdims=True))
    return jnp.where(mask, jnp.maximum(scores - threshold, 0.0) ** 2, 0.0)


def build_normalizer(config: NormalizedConfig) -> Normalizer:
    """Returns the normalizer that the configuration names."""
    match config.normalizer:
        case "softmax":
            return masked_softmax
        case "sparsemax":
            return masked_sparsemax
        case "entmax15":
            return masked_entmax15


@masked_sparsemax.defjvp
def _sparsemax_derivative(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Rows, Rows]:
    weights = masked_sparsemax(*primals)
    return weights, _derivative((weights > 0).astype(weights.dtype), tangents[0])


@masked_entmax15.defjvp
def _entmax15_derivative(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Rows, Rows]:
    weights = masked_entmax15(*primals)
    return weights, _derivative(jnp.sqrt(weights), tangents[0])


def _derivative(slopes: Rows, tangent: Rows) -> Rows:
    """Returns the derivative of the weights in direction `tangent` (Peters et al. 2019, section 3).

    slopes_j = weights_j^(2 - alpha), where alpha is 2 for sparsemax and 1.5 for entmax. Their sum
    is one at least, except in a row without any real position, where it is zero.
    """
    total = jnp.maximum(slopes.sum(axis=-1, keepdims=True), 1.0)
    mean = (slopes * tangent).sum(axis=-1, keepdims=True) / total
    return slopes * (tangent - mean)


def _masked(scores: Rows, mask: Mask) -> Rows:
    """Returns the scores in float32 or wider, the lowest number on padding."""
    scores = widened(scores)
    return jnp.where(mask, scores, jnp.finfo(scores.dtype).min)


def _ranked(scores: Rows, mask: Mask) -> tuple[Rows, Rows, Rows]:
    """Returns the scores minus the highest one, the same in descending order, and their ranks.

    The threshold is at most one below the highest score. So scores that are lower than two below,
    padding too, are set to two below: sums of squares then stay small and exact.
    """
    scores = _masked(scores, mask)
    scores = jnp.maximum(scores - scores.max(axis=-1, keepdims=True), -2.0)
    ranks = lax.broadcasted_iota(scores.dtype, scores.shape, scores.ndim - 1) + 1
    return scores, jnp.sort(scores, axis=-1, descending=True), ranks


def _threshold(candidates: Rows, ranked: Rows) -> Float[Array, "*rows 1"]:
    """Returns tau; candidate k is the tau of the case that only the k highest scores have weight.

    Where the k-th score lies above candidate k, k is right or too small, and too small a k gives
    too low a tau. So the highest of these candidates is tau.
    """
    return jnp.where(candidates < ranked, candidates, -1.0).max(axis=-1, keepdims=True)
