"""The target vocabulary of a model: what its tokens are read as, and what predicts them."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float, Int

from nmt.types import Lengths, OutputBias, OutputMatrix, TargetTokens

Arrays = TypeVar("Arrays", bound=tuple[Any, ...])


@struct.dataclass
class Vocabulary:
    """What a target token is read as, and what predicts it: a row of each array."""

    embedding: Float[Array, "vocab embed"]
    matrix: Float[Array, "entry readout"]  # under the logits
    bias: Float[Array, " entry"]

    def embed(self, tokens: Lengths) -> Float[Array, "batch embed"]:
        """Returns the embedding of a token of each row."""
        return self.embedding[tokens]

    def only(self, tokens: Int[Array, " some"]) -> "Vocabulary":
        """Returns the same, that predicts some tokens alone, in their order."""
        return Vocabulary(self.embedding, self.matrix[tokens], self.bias[tokens])

    def logits(self, readouts: Float[Array, "batch readout"]) -> Float[Array, "batch entry"]:
        """Returns the logits of what is predicted, of every token if not of some."""
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
        """Returns those of sentences that have these tokens of their own, -1 for none."""
        shared = jnp.broadcast_to(common[None, :], (len(own), len(common)))
        return cls(
            listed=jnp.concatenate([shared, own], axis=1),
            matrix=whole.matrix[own],
            bias=jnp.where(own >= 0, whole.bias[own], -jnp.inf),
        )

    def tokens(self, entries: Int[Array, " batch *places"]) -> Int[Array, " batch *places"]:
        """Returns the tokens that entries of each row's list stand for."""
        flat = entries.reshape(len(entries), -1)
        return jnp.take_along_axis(self.listed, flat, axis=1).reshape(entries.shape)


@struct.dataclass
class Shortlist:
    """Some tokens of a vocabulary, those of a sentence depending on the sentence alone.

    Instead of tokens, a model reads and predicts entries of the list: the common tokens, which all
    sentences share, are the first entries of each, and its own ones follow.
    """

    common: Vocabulary  # which embeds all tokens, and predicts the common ones
    own: OwnTokens

    def embed(self, entries: Lengths) -> Float[Array, "batch embed"]:
        """Returns the embedding of an entry of each row's list."""
        return self.common.embed(self.own.tokens(entries))

    def logits(self, readouts: Float[Array, "batch readout"]) -> Float[Array, "batch entry"]:
        """Returns the logits of every entry."""
        wide = jnp.promote_types(readouts.dtype, jnp.float32)
        own = jnp.einsum("br,bor->bo", readouts, self.own.matrix, preferred_element_type=wide)
        shared = self.common.logits(readouts)
        return jnp.concatenate([shared, own + self.own.bias.astype(wide)], axis=-1)


def logits(
    readouts: Float[Array, "*rows readout"], matrix: OutputMatrix, bias: OutputBias
) -> Float[Array, "*rows vocab"]:
    """Returns `readouts @ matrix.T + bias` in float32 or wider."""
    wide = jnp.promote_types(readouts.dtype, jnp.float32)
    products = jnp.einsum("...r,vr->...v", readouts, matrix, preferred_element_type=wide)
    return products + jnp.broadcast_to(bias.astype(wide), products.shape)


def token_log_probs(
    logits: Float[Array, "*rows vocab"], tokens: Int[Array, "*rows"]
) -> Float[Array, "*rows"]:
    """Returns the log-probability of one token a row."""
    normalised = jax.nn.log_softmax(logits)
    return jnp.take_along_axis(normalised, tokens[..., None], axis=-1)[..., 0]


def previous_tokens(tokens: TargetTokens, bos: int) -> TargetTokens:
    """Returns the token that stands before each one, `bos` before the first."""
    return jnp.pad(tokens[:, :-1], ((0, 0), (1, 0)), constant_values=bos)


def embedding_table(vocabulary_size: int, size: int, *, rngs: nnx.Rngs) -> nnx.Embed:
    """Returns an embedding that computes in the type of its parameters, as other layers do.

    Left alone, nnx.Embed casts to the type it was built with: bfloat16 would never leave it.
    """
    return nnx.Embed(vocabulary_size, size, promote_dtype=_keep_types, rngs=rngs)


def _keep_types(arrays: Arrays, /, **_: Any) -> Arrays:
    return arrays
