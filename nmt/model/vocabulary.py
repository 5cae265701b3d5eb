"""The target vocabulary of a model: what its tokens are read as, and what predicts them."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float, Int

Arrays = TypeVar("Arrays", bound=tuple[Any, ...])


@struct.dataclass
class Vocabulary:
    """The arrays with one row for each target token, of all tokens or of those in a shortlist."""

    embedding: Float[Array, "vocab embed"]
    matrix: Float[Array, "vocab readout"]  # under the logits
    bias: Float[Array, " vocab"]
    gates: Float[Array, "vocab gates"] | None  # what a token adds to the decoder's, if computed

    def logits(self, readouts: Float[Array, "*rows readout"]) -> Float[Array, "*rows vocab"]:
        """Returns the logits of every token."""
        return logits(readouts, self.matrix, self.bias)


def logits(
    readouts: Float[Array, "*rows readout"],
    matrix: Float[Array, "vocab readout"],
    bias: Float[Array, " vocab"],
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


def previous_tokens(tokens: Int[Array, "batch tgt"], bos: int) -> Int[Array, "batch tgt"]:
    """Returns the token that stands before each one, `bos` before the first."""
    return jnp.pad(tokens[:, :-1], ((0, 0), (1, 0)), constant_values=bos)


def embedding_table(vocabulary_size: int, size: int, *, rngs: nnx.Rngs) -> nnx.Embed:
    """Returns an embedding that computes in the type of its parameters, as other layers do.

    Left alone, nnx.Embed casts to the type it was built with: bfloat16 would never leave it.
    """
    return nnx.Embed(vocabulary_size, size, promote_dtype=_keep_types, rngs=rngs)


def _keep_types(arrays: Arrays, /, **_: Any) -> Arrays:
    return arrays
