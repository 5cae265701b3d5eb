"""What beam search and sampling share: the step function, hypotheses, length normalisation."""

from typing import Any, Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int

State = Any  # a pytree; every leaf leads with the axis row
Memory = Any  # a pytree that does not change; every leaf leads with the axis row
Normalisation = Literal["none", "average", "gnmt"]
Found = Array | np.ndarray  # on the device, or fetched from it

BLOCK = 64  # of sizes from 16 to 1000 the fastest on a CPU, for rows of 40,000 values


@runtime_checkable
class Step(Protocol):
    """All that search knows of a model: it reads one token of each hypothesis, a row each.

    `log_probs` are those of the next token; for `beam.search`, which normalises them over the
    vocabulary itself, logits will do. `attention` is what was attended to in order to predict it.
    A leaf of the state, such as a random key, travels with its hypothesis.
    """

    def __call__(
        self, state: State, tokens: Int[Array, " row"], memory: Memory
    ) -> tuple[State, Float[Array, "row vocab"], Float[Array, "row src"]]:
        """Returns the new state, the log-probabilities and the attention."""
        ...


@struct.dataclass
class Hypotheses:
    """Translations found for each sentence, best first; attention is zero on padding.

    Where fewer than `beam` exist, the rest have length 0 and score -inf. A hypothesis that was
    cut at the maximum length has no end of sentence; it comes after all that ended.
    """

    tokens: Int[Found, "batch beam length"]  # without bos, with eos, then padding
    lengths: Int[Found, "batch beam"]  # eos counts
    log_probs: Float[Found, "batch beam"]  # sums over the tokens
    scores: Float[Found, "batch beam"]  # what they are ranked by
    attention: Float[Found, "batch beam length src"]  # what each attended to for each token


def normalise(
    log_probs: Float[Array, "batch beam"],
    lengths: Int[Array, "batch beam"],
    *,
    kind: Normalisation,
    alpha: float,
) -> Float[Array, "batch beam"]:
    """Returns scores that hypotheses of different lengths can be compared by.

    none      log p
    average   log p / length ** alpha
    gnmt      log p / ((5 + length) / 6) ** alpha      Wu et al. (2016), equation 14
    """
    match kind:
        case "none":
            return log_probs
        case "average":
            return log_probs / lengths.astype(jnp.float32) ** alpha
        case "gnmt":
            return log_probs / ((5 + lengths) / 6) ** alpha


def bound(
    log_probs: Float[Array, "batch beam"],
    max_lengths: Int[Array, "batch beam"],
    *,
    kind: Normalisation,
    alpha: float,
) -> Float[Array, "batch beam"]:
    """Returns the best score that unfinished hypotheses can still reach.

    Log-probabilities are never positive, so that they only fall, and the longest translation
    divides them by most: at best a hypothesis loses nothing more and ends at the maximum length.
    A coverage penalty is never positive, and at best there is none in the end.
    """
    return normalise(log_probs, max_lengths, kind=kind, alpha=alpha)


def coverage_penalty(
    coverage: Float[Array, "batch beam src"], source_mask: Bool[Array, "batch src"]
) -> Float[Array, "batch beam"]:
    """Returns sum_i log(min(c_i, 1)) over the real source positions i, never positive.

    c_i is the attention that position i has got from all target positions: cp of Wu et al. (2016),
    equation 14, whose weight beta is left to the caller. Attention of zero, which their softmax
    never gives, counts as the smallest number, so that the score stays finite.
    """
    smallest = jnp.finfo(coverage.dtype).tiny
    covered = jnp.where(source_mask[:, None, :], jnp.clip(coverage, smallest, 1.0), 1.0)
    return jnp.log(covered).sum(axis=-1)


def expand(state: State, beam: int) -> State:
    """Returns the state of `beam` equal hypotheses for each sentence; leaves led with batch."""
    return jax.tree.map(
        lambda leaf: jnp.broadcast_to(leaf[:, None], (leaf.shape[0], beam, *leaf.shape[1:])), state
    )


def forbid(log_probs: Float[Array, "*batch vocab"], *tokens: int) -> Float[Array, "*batch vocab"]:
    """Returns the log-probabilities with -inf for tokens that are never generated."""
    ids = lax.broadcasted_iota(jnp.int32, log_probs.shape, log_probs.ndim - 1)
    for token in tokens:
        log_probs = jnp.where(ids == token, -jnp.inf, log_probs)
    return log_probs


def largest(
    values: Float[Array, "batch size"], k: int
) -> tuple[Float[Array, "batch k"], Int[Array, "batch k"]]:
    """Returns the `k` largest values of each row and where they are; the first of equal ones.

    They lie in the `k` blocks with the largest maxima: an element of any other block comes after
    `k` maxima. On a CPU, one pass for the maxima and a sort of `k` blocks take half the time of
    `lax.top_k` over everything (2.1 against 4.5 ms for 64 x 40,000).
    """
    batch, size = values.shape
    whole = size // BLOCK * BLOCK
    if whole <= k * BLOCK:
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
