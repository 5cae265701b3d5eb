"""Attention mechanisms: from scores to weights over the source, and to the context they give."""

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Bool, Float

from nmt.attention.scores import Score, build_score
from nmt.config import AttentionConfig


@struct.dataclass
class Memory:
    """What a decoder can attend to: computed once a sentence, read at every target position."""

    annotations: Float[Array, "batch src annotation"]
    keys: Float[Array, "batch src key"]  # the score's projection of the annotations
    mask: Bool[Array, "batch src"]  # True where a token stands, False on padding
    summary: Float[Array, "batch annotation"]  # last states of both directions, side by side


def masked_softmax(
    scores: Float[Array, "*rows src"], mask: Bool[Array, "*rows src"]
) -> Float[Array, "*rows src"]:
    """Returns float32 weights that sum to one over real positions and are zero on padding.

    A row without any real position yields zeros; neither its value nor its gradient is NaN.
    """
    scores = jnp.where(mask, scores.astype(jnp.float32), jnp.finfo(jnp.float32).min)
    return jnp.where(mask, jax.nn.softmax(scores, axis=-1), 0.0)


class GlobalAttention(nnx.Module):
    """Soft attention over all source positions (Bahdanau et al. 2015; Luong et al. 2015, 3.1).

    weights_j = exp(score(s, h_j)) / sum_k exp(score(s, h_k)),  context = sum_j weights_j h_j
    """

    def __init__(
        self, config: AttentionConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.score: Score = build_score(config, query_size, annotation_size, rngs=rngs)

    def keys(
        self, annotations: Float[Array, "batch src annotation"]
    ) -> Float[Array, "batch src key"]:
        """Returns what the score compares a query with."""
        return self.score.keys(annotations)

    def __call__(
        self, query: Float[Array, "batch query"], memory: Memory
    ) -> tuple[Float[Array, "batch annotation"], Float[Array, "batch src"]]:
        """Returns the context, in the type of the annotations, and the float32 weights."""
        weights = masked_softmax(self.score(query, memory.keys), memory.mask)
        context = jnp.einsum(
            "bs,bsa->ba", weights.astype(memory.annotations.dtype), memory.annotations
        )
        return context, weights


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
) -> GlobalAttention | NoAttention:
    """Returns the mechanism that the configuration names."""
    match config.mechanism:
        case "global":
            return GlobalAttention(config, query_size, annotation_size, rngs=rngs)
        case "none":
            return NoAttention()
