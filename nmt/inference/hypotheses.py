"""The results of a search, and helpers that any search needs."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax import lax
from jaxtyping import Array, Float, Int, PyTree

AnyArray = Array | np.ndarray  # on the device, or fetched from it

BLOCK = 64  # of sizes from 16 to 1000 the fastest on a CPU, for rows of 40,000 values


@struct.dataclass
class Hypotheses:
    """Translations found for each sentence, best first; attention is zero on padding.

    Where fewer than `beam` exist, the rest have length 0 and score -inf. A hypothesis that was
    cut at the maximum length has no end of sentence; it comes after all finished ones.
    """

    tokens: Int[AnyArray, "batch beam length"]  # without bos, with eos, then padding
    lengths: Int[AnyArray, "batch beam"]  # eos counts
    log_probs: Float[AnyArray, "batch beam"]  # sums over the tokens
    token_log_probs: Float[AnyArray, "batch beam length"]
    scores: Float[AnyArray, "batch beam"]  # by which they are ranked
    attention: Float[AnyArray, "batch beam length src"]  # weights for each token


def expand(state: PyTree, beam: int) -> PyTree:
    """Repeats the state of each sentence `beam` times: (batch, ...) becomes (batch, beam, ...)."""
    return jax.tree.map(
        lambda leaf: jnp.broadcast_to(leaf[:, None], (leaf.shape[0], beam, *leaf.shape[1:])), state
    )


def largest(
    values: Float[Array, "batch size"], k: int
) -> tuple[Float[Array, "batch k"], Int[Array, "batch k"]]:
    """Returns the `k` largest values of each row and their places; of equal ones the first.

    They lie in the `k` blocks with the largest maxima: `k` maxima come before any value of another
    block. On a CPU, and only there, one pass for the maxima and a sort of `k` blocks take half the
    time of `lax.top_k` over everything (2.1 against 4.5 ms for 64 x 40,000).
    """
    batch, size = values.shape
    whole = size // BLOCK * BLOCK
    if whole <= k * BLOCK or jax.default_backend() != "cpu":
        best, places = lax.top_k(values, k)
        return best, places
    maxima = values[:, :whole].reshape(batch, -1, BLOCK).max(axis=-1)
    # In ascending order, so that the first of equal values stays the first.
    blocks = jnp.sort(lax.top_k(maxima, k)[1], axis=-1)
    positions = (blocks[:, :, None] * BLOCK + jnp.arange(BLOCK)[None, None, :]).reshape(batch, -1)
    rest = jnp.broadcast_to(jnp.arange(whole, size)[None, :], (batch, size - whole))
    positions = jnp.concatenate([positions, rest], axis=1)
    best, places = lax.top_k(jnp.take_along_axis(values, positions, axis=1), k)
    return best, jnp.take_along_axis(positions, places, axis=1)
