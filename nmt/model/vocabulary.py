"""The target vocabulary of a model: the embeddings and the output layer, and shortlists."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Bool, Float, Int

from nmt.precision import wide_sum
from nmt.types import Lengths, OutputBias, OutputMatrix, TargetTokens

Arrays = TypeVar("Arrays", bound=tuple[Any, ...])


@struct.dataclass
class Vocabulary:
    """The embedding of each target token, and its row of the output layer."""

    embedding: Float[Array, "vocab embed"]
    matrix: Float[Array, "entry readout"]  # of the logits
    bias: Float[Array, " entry"]

    def embed(self, tokens: Int[Array, "*places"]) -> Float[Array, "*places embed"]:
        """Returns the embedding of each token."""
        return self.embedding[tokens]

    def only(self, tokens: Int[Array, " some"]) -> "Vocabulary":
        """Returns the vocabulary that predicts only some tokens, in the given order."""
        return Vocabulary(self.embedding, self.matrix[tokens], self.bias[tokens])

    def logits(self, readouts: Float[Array, "batch readout"]) -> Float[Array, "batch entry"]:
        """Returns the logits of the predicted tokens."""
        return logits(readouts, self.matrix, self.bias)


@struct.dataclass
class OwnTokens:
    """The tokens of each sentence's shortlist; leaves lead with the axis batch."""

    listed: Int[Array, "batch entry"]  # common tokens, then the sentence's own
    matrix: Float[Array, "batch own readout"]
    bias: Float[Array, "batch own"]  # -inf where a sentence has fewer tokens of its own

    @classmethod
    def of(
        cls, whole: Vocabulary, common: Int[Array, " common"], own: Int[Array, "batch own"]
    ) -> "OwnTokens":
        """Returns the shortlists of sentences with these tokens of their own, -1 for none."""
        return cls(
            listed=listed_tokens(common, own),
            matrix=whole.matrix[own],
            bias=jnp.where(own >= 0, whole.bias[own], -jnp.inf),
        )

    def tokens(self, entries: Int[Array, " batch *places"]) -> Int[Array, " batch *places"]:
        """Returns the tokens of entries in each row's list."""
        return tokens_of(self.listed, entries)


def listed_tokens(
    common: Int[Array, " common"], own: Int[Array, "batch own"]
) -> Int[Array, "batch entry"]:
    """Returns the tokens of each sentence's shortlist: the common ones, then its own."""
    shared = jnp.broadcast_to(common[None, :], (len(own), len(common)))
    return jnp.concatenate([shared, own], axis=1)


def tokens_of(
    listed: Int[Array, "batch entry"], entries: Int[Array, " batch *places"]
) -> Int[Array, " batch *places"]:
    """Returns the tokens of entries in each row's list."""
    flat = entries.reshape(len(entries), -1)
    return jnp.take_along_axis(listed, flat, axis=1).reshape(entries.shape)


@struct.dataclass
class Shortlist:
    """Some tokens of a vocabulary for each sentence, which depend on that sentence alone.

    Instead of tokens, a model reads and predicts entries of the list: first the common tokens,
    which are the same for all sentences, then the sentence's own ones.
    """

    common: Vocabulary  # embeds all tokens, and predicts the common ones
    own: OwnTokens

    def embed(self, entries: Int[Array, " batch *places"]) -> Float[Array, "batch *places embed"]:
        """Returns the embeddings of entries in each row's list."""
        return self.common.embed(self.own.tokens(entries))

    def logits(self, readouts: Float[Array, "batch readout"]) -> Float[Array, "batch entry"]:
        """Returns the logits of every entry."""
        own = wide_sum("br,bor->bo", readouts, self.own.matrix)
        shared = self.common.logits(readouts)
        return jnp.concatenate([shared, own + self.own.bias.astype(own.dtype)], axis=-1)


def logits(
    readouts: Float[Array, "*rows readout"], matrix: OutputMatrix, bias: OutputBias
) -> Float[Array, "*rows vocab"]:
    """Returns `readouts @ matrix.T + bias` in float32 or wider."""
    products = wide_sum("...r,vr->...v", readouts, matrix)
    return products + jnp.broadcast_to(bias.astype(products.dtype), products.shape)


def token_log_probs(
    logits: Float[Array, "*rows vocab"], tokens: Int[Array, "*rows"]
) -> Float[Array, "*rows"]:
    """Returns the log-probability of one token in each row."""
    log_probs = jax.nn.log_softmax(logits)
    return jnp.take_along_axis(log_probs, tokens[..., None], axis=-1)[..., 0]


def real_tokens(lengths: Lengths, width: int) -> Bool[Array, "batch width"]:
    """Returns the mask of rows of these lengths, padded to a width: True where a token stands."""
    return jnp.arange(width)[None, :] < lengths[:, None]


def previous_tokens(tokens: TargetTokens, bos: int) -> TargetTokens:
    """Returns the previous token of each one, `bos` for the first."""
    return jnp.pad(tokens[:, :-1], ((0, 0), (1, 0)), constant_values=bos)


def embedding_table(vocabulary_size: int, size: int, *, rngs: nnx.Rngs) -> nnx.Embed:
    """Returns an embedding that computes in the dtype of its parameters, as other layers do.

    By default, nnx.Embed casts to the dtype it was built with, so that bfloat16 had no effect.
    """
    return nnx.Embed(vocabulary_size, size, promote_dtype=_keep_types, rngs=rngs)


def _keep_types(arrays: Arrays, /, **_: Any) -> Arrays:
    return arrays
