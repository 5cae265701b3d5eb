"""The guided head: an attention beside that of the decoder, which aligns and does not translate."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.normalizers import masked_softmax
from nmt.config import GuidedHeadConfig
from nmt.precision import wide_sum
from nmt.types import Annotations, GuidedKeys, SourceMask, SourceVectors


class GuidedHead(nnx.Module):
    """An alignment module after that of Chen et al. (2020), with one head of scaled dot products.

        q_t = W s_t + V E y_{t-1}             s_t: the decoder's state after it has read y_{t-1}
        k_j = U h_j + X x_j                   x_j: the embedding of source token j
        weights_tj = softmax over j of q_t . k_j / sqrt(d)

    They are the weights of y_{t-1}, the token that step t has read: whatever the decoder, this step
    knows which token is to be aligned, and the step before it could only guess. No context is made
    of them, so that no prediction depends on the head.

    The terms of the embeddings are ours: of a recurrent state, the token that it has read last is
    only a part. Theirs is trained after the network. Here both are trained together, and an
    `isolated` head passes no gradient on, so that the network learns nothing of the links.
    """

    def __init__(
        self,
        config: GuidedHeadConfig,
        embedding_size: int,
        hidden_size: int,
        annotation_size: int,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.isolated = config.isolated
        self.state = nnx.Linear(hidden_size, config.size, use_bias=False, rngs=rngs)
        self.token = nnx.Linear(embedding_size, config.size, use_bias=False, rngs=rngs)
        self.annotation = nnx.Linear(annotation_size, config.size, use_bias=False, rngs=rngs)
        self.source = nnx.Linear(embedding_size, config.size, use_bias=False, rngs=rngs)

    def keys(self, annotations: Annotations, embedded: SourceVectors) -> GuidedKeys:
        """Returns k_j, which are the same at every target position."""
        annotations, embedded = self._apart((annotations, embedded))
        return self.annotation(annotations) + self.source(embedded)

    def __call__(
        self,
        hidden: Float[Array, "batch tgt hidden"],
        embedded: Float[Array, "batch tgt embed"],
        keys: GuidedKeys,
        mask: SourceMask,
    ) -> Float[Array, "batch tgt src"]:
        """Returns the weights of the tokens that steps have read, given the states after them."""
        hidden, embedded = self._apart((hidden, embedded))
        queries = self.state(hidden) + self.token(embedded)
        scores = wide_sum("btg,bsg->bts", queries, keys) / keys.shape[-1] ** 0.5
        return masked_softmax(scores, jnp.broadcast_to(mask[:, None, :], scores.shape))

    def _apart(self, inputs: tuple[Array, Array]) -> tuple[Array, Array]:
        """Returns what the head reads of the network, without its gradient if it is isolated."""
        return jax.lax.stop_gradient(inputs) if self.isolated else inputs
