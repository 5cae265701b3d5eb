"""The lexical model: it predicts target words from the attended source words alone."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.model.vocabulary import embedding_table
from nmt.types import AttentionMatrix, Readouts, SourceVectors


class LexicalModel(nnx.Module):
    """The lexical model of Nguyen and Chiang (2018), section 4, beside the readout.

        l_t = tanh(sum_j weights_tj x_j)            x_j: the embedding of source token j
        h_t = tanh(W l_t) + l_t

    The logits are V r_t + V_l h_t + b, r_t being the readout of the decoder. It uses embeddings,
    not annotations, which depend on the whole sentence: so words are learned from little text.
    """

    def __init__(self, embedding_size: int, vocabulary_size: int, *, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(embedding_size, embedding_size, use_bias=False, rngs=rngs)
        self.output = embedding_table(vocabulary_size, embedding_size, rngs=rngs)

    def __call__(
        self, readouts: Readouts, weights: AttentionMatrix, embedded: SourceVectors
    ) -> Float[Array, "batch tgt readout_embed"]:
        """Returns [r_t; h_t], to be multiplied with [V, V_l]."""
        words = jnp.tanh(jnp.einsum("bts,bse->bte", weights.astype(embedded.dtype), embedded))
        return jnp.concatenate([readouts, jnp.tanh(self.hidden(words)) + words], axis=-1)
