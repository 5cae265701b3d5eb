"""Luong's local attention: soft attention in a window around one source position."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float, Shaped

from nmt.attention.interface import AttentionOutput, EncodedSource, Stateless, weighted_sum
from nmt.attention.soft import ScoredAttention
from nmt.config import LocalConfig, LocalPConfig
from nmt.precision import wide_sum
from nmt.types import Annotations, Context, Keys, Position, Query, SourceMask


class WindowedAttention(ScoredAttention):
    """The base of both kinds: align(h_t, h_s) over the real positions in [p_t - D, p_t + D].

    Only these are computed, so that the cost does not grow with the source. The score must compare
    a query with one key at a time, as all but `location` do.
    """

    def __init__(
        self, config: LocalConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        super().__init__(config, query_size, annotation_size, rngs=rngs)
        self.window = config.window

    def near(
        self, query: Query, encoded: EncodedSource, center: Float[Array, " batch"]
    ) -> tuple[Float[Array, "batch width"], Float[Array, "batch width"], Position]:
        """Returns the weights of a window, distances from its center, and its first position.

        Windows of the keys are not stored for the gradient: those of all target positions would
        fill the memory.
        """
        src = encoded.mask.shape[1]
        width = min(2 * self.window + 1, src)
        first = jnp.round(center).astype(jnp.int32) - self.window
        first = jnp.clip(first, 0, src - width)
        distance = (first[:, None] + jnp.arange(width)[None, :]) - center[:, None]
        inside = _windows(encoded.mask, first, width) & (jnp.abs(distance) <= self.window)

        @jax.checkpoint
        def scored(query: Query, keys: Keys, first: Position) -> Float[Array, "batch width"]:
            return self.score(query, _windows(keys, first, width))

        scores = scored(query, encoded.keys, first)
        return self.normalize(scores, inside), distance, first


class LocalMonotonicAttention(WindowedAttention):
    """Soft attention near the diagonal: local-m of Luong et al. (2015), section 3.2.

    p_t = t, weights_s = align(h_t, h_s) for s in [p_t - D, p_t + D]

    Both count from 0. When a translation is longer than its source, p_t stays at the last
    position, so that there is always something to attend to.
    """

    def initial_state(self, encoded: EncodedSource) -> Position:
        """Returns t = 0."""
        return jnp.zeros(encoded.mask.shape[0], jnp.int32)

    def __call__(
        self, query: Query, encoded: EncodedSource, state: Position
    ) -> tuple[Context, AttentionOutput, Position]:
        """Returns the context, the weights, which are zero outside the window, and t + 1."""
        last = jnp.maximum(encoded.mask.sum(axis=-1) - 1, 0)
        center = jnp.minimum(state, last).astype(jnp.float32)
        weights, _, first = self.near(query, encoded, center)
        return *_attended(weights, first, encoded), state + 1


class LocalPredictiveAttention(Stateless, WindowedAttention):
    """Soft attention near a predicted position: local-p of Luong et al. (2015), section 3.2.

    p_t = S sigmoid(v_p . tanh(W_p h_t))                                         (equation 9)
    weights_s = align(h_t, h_s) exp(-(s - p_t)^2 / (2 sigma^2)),  sigma = D / 2  (equation 10)

    S is the length of the source, whose positions s count from 0. As in the paper, the products
    are not normalized again, so that weights sum to one at most. p_t learns through the bell
    curve alone.
    """

    def __init__(
        self, config: LocalPConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        super().__init__(config, query_size, annotation_size, rngs=rngs)
        self.hidden = nnx.Linear(query_size, query_size, use_bias=False, rngs=rngs)
        self.position = nnx.Linear(query_size, 1, use_bias=False, rngs=rngs)

    def __call__(
        self, query: Query, encoded: EncodedSource, state: tuple[()]
    ) -> tuple[Context, AttentionOutput, tuple[()]]:
        """Returns the context, and the weights, which are zero outside the window."""
        weights, distance, first = self.near(query, encoded, self.center(query, encoded.mask))
        weights = weights * jnp.exp(-2 * (distance / self.window) ** 2)
        return *_attended(weights, first, encoded), state

    def center(self, query: Query, mask: SourceMask) -> Float[Array, " batch"]:
        """Returns p_t, in [0, S], in float32 or wider: bfloat16 cannot count beyond 256."""
        hidden = jnp.tanh(self.hidden(query))
        v = self.position.kernel[...].squeeze(-1)
        return mask.sum(axis=-1) * jax.nn.sigmoid(wide_sum("bq,q->b", hidden, v))


def _attended(
    weights: Float[Array, "batch window"], first: Position, encoded: EncodedSource
) -> tuple[Context, AttentionOutput]:
    """Returns the context, and the weights of windows in their places, among zeros.

    `first` is the first position of each window. Windows of the annotations are not stored for the
    gradient, as those of the keys are not.
    """

    @jax.checkpoint
    def context(
        weights: Float[Array, "batch window"], annotations: Annotations, first: Position
    ) -> Context:
        return weighted_sum(weights, _windows(annotations, first, weights.shape[1]))

    zeros = jnp.zeros(encoded.mask.shape, weights.dtype)
    spread = jax.vmap(partial(lax.dynamic_update_slice_in_dim, axis=0))(zeros, weights, first)
    return context(weights, encoded.annotations, first), AttentionOutput(spread)


def _windows(
    rows: Shaped[Array, "batch src *rest"], first: Position, width: int
) -> Shaped[Array, "batch {width} *rest"]:
    """Returns `width` positions of each row, from its first one on."""
    return jax.vmap(partial(lax.dynamic_slice_in_dim, slice_size=width))(rows, first)
