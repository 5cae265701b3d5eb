"""Multiplicative scores: products of a decoder state with each source position."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.errors import ConfigError
from nmt.precision import wide_sum
from nmt.types import Annotations, Query, Scores

QueryKeys = Float[Array, "batch src query"]  # keys as wide as the query


class DotScore(nnx.Module):
    """The dot score of Luong et al. (2015), section 3.1: score(s, h_j) = s . h_j.

    The query must be as wide as an annotation.
    """

    def __init__(self, query_size: int, annotation_size: int, *, rngs: nnx.Rngs) -> None:
        if query_size != annotation_size:
            raise ConfigError(
                f"model.attention.score: dot and scaled_dot need a query as wide as an "
                f"annotation, not {query_size} and {annotation_size}; choose 'general'"
            )

    def keys(self, annotations: Annotations) -> Annotations:
        """Returns the annotations."""
        return annotations

    def __call__(self, query: Query, keys: QueryKeys) -> Scores:
        """Returns s . h_j for each j."""
        return wide_sum("bq,bsq->bs", query, keys)


class ScaledDotScore(DotScore):
    """The scaled dot score of Vaswani et al. (2017), eq. 1: score(s, h_j) = s . h_j / sqrt(d).

    d is the width of the query, which keeps the variance of a score near one at any width.
    """

    def __call__(self, query: Query, keys: QueryKeys) -> Scores:
        """Returns s . h_j / sqrt(d) for each j."""
        return super().__call__(query, keys) / query.shape[-1] ** 0.5


class GeneralScore(nnx.Module):
    """The general (bilinear) score of Luong et al. (2015, 3.1): score(s, h_j) = s . W h_j."""

    def __init__(self, query_size: int, annotation_size: int, *, rngs: nnx.Rngs) -> None:
        self.key = nnx.Linear(annotation_size, query_size, use_bias=False, rngs=rngs)

    def keys(self, annotations: Annotations) -> QueryKeys:
        """Returns W h_j."""
        return self.key(annotations)

    def __call__(self, query: Query, keys: QueryKeys) -> Scores:
        """Returns s . W h_j for each j."""
        return wide_sum("bq,bsq->bs", query, keys)


class ScaledGeneralScore(nnx.Module):
    """The general score times a learned scalar that starts at one: score(s, h_j) = g s . W h_j.

    It is the scaled_luong attention of the tensorflow/nmt toolkit.
    """

    def __init__(self, query_size: int, annotation_size: int, *, rngs: nnx.Rngs) -> None:
        self.general = GeneralScore(query_size, annotation_size, rngs=rngs)
        self.scale = nnx.Param(jnp.ones(()))

    def keys(self, annotations: Annotations) -> QueryKeys:
        """Returns W h_j."""
        return self.general.keys(annotations)

    def __call__(self, query: Query, keys: QueryKeys) -> Scores:
        """Returns g s . W h_j for each j."""
        return self.general(query, keys) * self.scale[...]
