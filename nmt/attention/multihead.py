"""Multi-head attention: several small attentions side by side."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.interface import AttentionOutput, EncodedSource, Stateless, weighted_sum
from nmt.attention.normalizers import build_normalizer
from nmt.attention.scores import ScoreFunction, build_score
from nmt.config import MultiHeadConfig
from nmt.types import Annotations, Context, Keys, Query, Weights


class MultiHeadAttention(Stateless, nnx.Module):
    """The multi-head attention of Vaswani et al. (2017), section 3.2.2, in a recurrent decoder.

    weights_nj = softmax over j of score(Q_n s, K_n h_j)
    context = W_o [head_1; ...; head_N],  head_n = V_n sum_j weights_nj h_j

    Each of the N heads is an Nth of an annotation wide. All heads share one score function and its
    parameters: theirs is `scaled_dot`, but any can be chosen. V_n is applied to the weighted sum,
    which saves storing all V_n h_j. The weights that are returned are the mean over the heads.
    """

    def __init__(
        self, config: MultiHeadConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.heads, self.size = config.heads, annotation_size // config.heads
        width = self.heads * self.size
        self.query = nnx.Linear(query_size, width, use_bias=False, rngs=rngs)
        self.key = nnx.Linear(annotation_size, width, use_bias=False, rngs=rngs)
        self.value = nnx.Linear(annotation_size, width, use_bias=False, rngs=rngs)
        self.output = nnx.Linear(width, annotation_size, use_bias=False, rngs=rngs)
        self.score: ScoreFunction = build_score(config, self.size, self.size, rngs=rngs)
        self.normalize = build_normalizer(config)

    def keys(self, annotations: Annotations) -> Keys:
        """Returns the keys of the score function, all heads side by side."""
        keys = jax.vmap(self.score.keys, in_axes=2, out_axes=2)(self._split(self.key(annotations)))
        return keys.reshape(*annotations.shape[:2], self.heads * keys.shape[-1])

    def __call__(
        self, query: Query, encoded: EncodedSource, state: tuple[()]
    ) -> tuple[Context, AttentionOutput, tuple[()]]:
        """Returns the context, and the mean of the heads' weights."""

        def attend(query: Float[Array, "batch size"], keys: Keys) -> tuple[Context, Weights]:
            weights = self.normalize(self.score(query, keys), encoded.mask)
            return weighted_sum(weights, encoded.annotations), weights

        queries, keys = self._split(self.query(query)), self._split(encoded.keys)
        sums, weights = jax.vmap(attend, in_axes=(1, 2), out_axes=1)(queries, keys)
        values = self.value.kernel[...].reshape(-1, self.heads, self.size)
        heads = jnp.einsum("bna,ans->bns", sums, values)
        context = self.output(heads.reshape(query.shape[0], -1))
        return context, AttentionOutput(weights.mean(axis=1)), state

    def _split(self, rows: Float[Array, "*rows width"]) -> Float[Array, "*rows {self.heads} part"]:
        """Splits the last axis into the parts of the heads."""
        return rows.reshape(*rows.shape[:-1], self.heads, rows.shape[-1] // self.heads)
