"""Attention mechanisms: from scores to weights over the source, and to the context they give."""

from functools import partial
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped

from nmt.attention.normalisers import build_normaliser
from nmt.attention.products import float32_sum
from nmt.attention.scores import Score, build_score
from nmt.config import AttentionConfig


@struct.dataclass
class Memory:
    """What a decoder can attend to: computed once a sentence, read at every target position."""

    annotations: Float[Array, "batch src annotation"]
    keys: Float[Array, "batch src key"]  # the score's projection of the annotations
    mask: Bool[Array, "batch src"]  # True where a token stands, False on padding
    summary: Float[Array, "batch annotation"]  # last states of both directions, side by side


@runtime_checkable
class Attention(Protocol):
    """What a decoder asks of a mechanism."""

    def keys(
        self, annotations: Float[Array, "batch src annotation"]
    ) -> Float[Array, "batch src key"]:
        """Returns what of the annotations is the same at every target position."""
        ...

    def __call__(
        self, query: Float[Array, "batch query"], memory: Memory
    ) -> tuple[Float[Array, "batch annotation"], Float[Array, "batch src"]]:
        """Returns the context, in the type of the annotations, and weights in float32 or wider."""
        ...


class GlobalAttention(nnx.Module):
    """Soft attention over all source positions (Bahdanau et al. 2015; Luong et al. 2015, 3.1).

    weights_j = exp(score(s, h_j)) / sum_k exp(score(s, h_k)),  context = sum_j weights_j h_j

    Another normaliser than the softmax may take its place.
    """

    def __init__(
        self, config: AttentionConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.score: Score = build_score(config, query_size, annotation_size, rngs=rngs)
        self.normalise = build_normaliser(config)

    def keys(
        self, annotations: Float[Array, "batch src annotation"]
    ) -> Float[Array, "batch src key"]:
        """Returns what the score compares a query with."""
        return self.score.keys(annotations)

    def __call__(
        self, query: Float[Array, "batch query"], memory: Memory
    ) -> tuple[Float[Array, "batch annotation"], Float[Array, "batch src"]]:
        """Returns the context and the weights."""
        weights = self.normalise(self.score(query, memory.keys), memory.mask)
        return _context(weights, memory.annotations), weights


class LocalAttention(nnx.Module):
    """Soft attention near a predicted position: local-p of Luong et al. (2015), section 3.2.

    p_t = S sigmoid(v_p . tanh(W_p h_t))                                         (equation 9)
    weights_s = align(h_t, h_s) exp(-(s - p_t)^2 / (2 sigma^2)),  sigma = D / 2  (equation 10)

    S is the length of the source, whose positions s count from 0. align normalises the scores of
    the real positions in [p_t - D, p_t + D], which are all that is computed: the cost of a score
    does not grow with the source. As in the paper, the products are not normalised again, so that
    weights sum to one at most. p_t learns through the bell curve alone.

    The score must compare a query with one key at a time, as all but `location` do.
    """

    def __init__(
        self, config: AttentionConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.score: Score = build_score(config, query_size, annotation_size, rngs=rngs)
        self.normalise = build_normaliser(config)
        self.window = config.window
        self.hidden = nnx.Linear(query_size, query_size, use_bias=False, rngs=rngs)
        self.position = nnx.Linear(query_size, 1, use_bias=False, rngs=rngs)

    def keys(
        self, annotations: Float[Array, "batch src annotation"]
    ) -> Float[Array, "batch src key"]:
        """Returns what the score compares a query with."""
        return self.score.keys(annotations)

    def __call__(
        self, query: Float[Array, "batch query"], memory: Memory
    ) -> tuple[Float[Array, "batch annotation"], Float[Array, "batch src"]]:
        """Returns the context and the weights, which are zero outside the window."""
        src = memory.mask.shape[1]
        width = min(2 * self.window + 1, src)
        centre = self.centre(query, memory.mask)
        first = jnp.round(centre).astype(jnp.int32) - self.window
        first = jnp.clip(first, 0, src - width)
        distance = (first[:, None] + jnp.arange(width)[None, :]) - centre[:, None]
        inside = _windows(memory.mask, first, width) & (jnp.abs(distance) <= self.window)
        scores = self.score(query, _windows(memory.keys, first, width))
        weights = self.normalise(scores, inside) * jnp.exp(-2 * (distance / self.window) ** 2)
        context = _context_of_windows(weights, memory.annotations, first)
        return context, _spread(weights, first, src)

    def centre(
        self, query: Float[Array, "batch query"], mask: Bool[Array, "batch src"]
    ) -> Float[Array, " batch"]:
        """Returns p_t, in [0, S], in float32 or wider: bfloat16 cannot count beyond 256."""
        hidden = jnp.tanh(self.hidden(query))
        v = self.position.kernel[...].squeeze(-1)
        return mask.sum(axis=-1) * jax.nn.sigmoid(float32_sum("bq,q->b", hidden, v))


class UniformAttention(nnx.Module):
    """The mean of the annotations at every step: a baseline whose attention learns nothing."""

    def keys(
        self, annotations: Float[Array, "batch src annotation"]
    ) -> Float[Array, "batch src 0"]:
        """Returns empty keys: nothing is compared."""
        return annotations[..., :0]

    def __call__(
        self, query: Float[Array, "batch query"], memory: Memory
    ) -> tuple[Float[Array, "batch annotation"], Float[Array, "batch src"]]:
        """Returns the mean of the real annotations, and one weight for all real positions."""
        real = memory.mask.astype(jnp.float32)
        weights = real / jnp.maximum(real.sum(axis=-1, keepdims=True), 1.0)
        return _context(weights, memory.annotations), weights


class NoAttention(nnx.Module):
    """The fixed-vector encoder-decoder of Cho et al. (2014): the baseline without attention.

    The context is the same at every step, the encoder's two final states; all weights are zero.
    """

    def keys(
        self, annotations: Float[Array, "batch src annotation"]
    ) -> Float[Array, "batch src 0"]:
        """Returns empty keys: nothing is compared."""
        return annotations[..., :0]

    def __call__(
        self, query: Float[Array, "batch query"], memory: Memory
    ) -> tuple[Float[Array, "batch annotation"], Float[Array, "batch src"]]:
        """Returns the summary of the source, and weights of zero."""
        return memory.summary, jnp.zeros(memory.mask.shape, jnp.float32)


def build_attention(
    config: AttentionConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
) -> Attention:
    """Returns the mechanism that the configuration names."""
    match config.mechanism:
        case "global":
            return GlobalAttention(config, query_size, annotation_size, rngs=rngs)
        case "local_p":
            return LocalAttention(config, query_size, annotation_size, rngs=rngs)
        case "uniform":
            return UniformAttention()
        case "none":
            return NoAttention()


def _context(
    weights: Float[Array, "batch src"], annotations: Float[Array, "batch src annotation"]
) -> Float[Array, "batch annotation"]:
    """Returns the weighted sum of the annotations, in their type."""
    return jnp.einsum("bs,bsa->ba", weights.astype(annotations.dtype), annotations)


@jax.checkpoint
def _context_of_windows(
    weights: Float[Array, "batch window"],
    annotations: Float[Array, "batch src annotation"],
    first: Int[Array, " batch"],
) -> Float[Array, "batch annotation"]:
    """Returns the weighted sum of the annotations from each row's first position on.

    Kept for the gradient, the windows of every target position would fill the memory.
    """
    return _context(weights, _windows(annotations, first, weights.shape[1]))


def _windows(
    rows: Shaped[Array, "batch src *rest"], first: Int[Array, " batch"], width: int
) -> Shaped[Array, "batch {width} *rest"]:
    """Returns `width` positions of each row, from its first one on."""
    return jax.vmap(partial(lax.dynamic_slice_in_dim, slice_size=width))(rows, first)


def _spread(
    weights: Float[Array, "batch window"], first: Int[Array, " batch"], src: int
) -> Float[Array, "batch {src}"]:
    """Returns the weights of windows in their places, among zeros."""
    zeros = jnp.zeros((weights.shape[0], src), weights.dtype)
    return jax.vmap(partial(lax.dynamic_update_slice_in_dim, axis=0))(zeros, weights, first)
