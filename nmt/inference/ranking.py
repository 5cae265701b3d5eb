"""The score of a hypothesis, the same for search, forced decoding and rescoring."""

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float, Int

from nmt.config import DecodingConfig
from nmt.types import Scalar


@struct.dataclass
class Ranking:
    """The score of a hypothesis y of a source x, after Wu et al. (2016), equation 14.

    s(y) = log p(y | x) / lp(|y|) + beta cp(y)

    lp(n) = ((k + n) / (k + 1)) ** alpha    gnmt: k = 5; average: k = 0, so n ** alpha; none: 1
    cp(y) = sum_i log(min(c_i, 1))          c_i: the attention to source position i in all of y

    The numbers are array arguments, so that other settings need no other compiled program.
    """

    k: float | Scalar
    alpha: float | Scalar
    beta: float | Scalar

    @classmethod
    def of(cls, config: DecodingConfig) -> "Ranking":
        """Returns the ranking that the configuration describes."""
        penalty = config.length_penalty
        match penalty.kind:
            case "none":
                k, alpha = 0.0, 0.0
            case "average":
                k, alpha = 0.0, penalty.alpha
            case "gnmt":
                k, alpha = 5.0, penalty.alpha
        return cls(k=k, alpha=alpha, beta=config.coverage_penalty)

    def score(
        self,
        log_probs: Float[Array, "*places"],
        lengths: Int[Array, "*#places"],
        covered: Float[Array, "*#places"] | float = 0.0,
    ) -> Float[Array, "*places"]:
        """Returns s; `covered` is cp. A log-probability of -inf gives -inf."""
        sizes = jnp.maximum(lengths, 1).astype(jnp.float32)
        return log_probs / ((self.k + sizes) / (self.k + 1.0)) ** self.alpha + self.beta * covered

    def bound(
        self, log_probs: Float[Array, "*places"], max_lengths: Int[Array, "*#places"]
    ) -> Float[Array, "*places"]:
        """Returns an upper bound of s for an unfinished hypothesis.

        Log-probabilities only fall, the maximum length divides them by most, and the coverage
        penalty is never positive: the bound is the score of the same log-probability at the
        maximum length, with everything covered.
        """
        return self.score(log_probs, max_lengths)


def coverage_penalty(
    attention: Float[Array, "*places src"], source_mask: Bool[Array, "*#places src"]
) -> Float[Array, "*places"]:
    """Returns cp of the summed attention to each source position; never positive.

    Attention of zero, which the softmax of Wu et al. never gives, counts as the smallest positive
    number, so that the score stays finite.
    """
    smallest = jnp.finfo(attention.dtype).tiny
    shares = jnp.where(source_mask, jnp.clip(attention, smallest, 1.0), 1.0)
    return jnp.log(shares).sum(axis=-1)
