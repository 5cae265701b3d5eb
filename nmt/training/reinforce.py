"""The gradient of hard attention: REINFORCE (Williams 1992), as Xu et al. (2015) use it, 4.1."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmt.attention.interface import AttentionOutput
from nmt.config import ReinforceConfig
from nmt.data.batching import Batch
from nmt.training.loss import LossSums
from nmt.training.objectives import Forward
from nmt.types import Lengths, Scalar


class Reinforce:
    """The objective of hard attention; its state is the baseline, a moving average of the loss."""

    name = "reinforce"

    def __init__(self, config: ReinforceConfig) -> None:
        self.config = config

    def start(self, vocabulary_size: int) -> Scalar:
        """Returns the loss of a token under the uniform distribution."""
        return jnp.log(float(vocabulary_size))

    def __call__(
        self, state: Scalar, forward: Forward, batch: Batch
    ) -> tuple[Scalar, dict[str, Scalar]]:
        """Returns `reinforce_loss`, whose value is not logged."""
        lengths = jnp.asarray(batch.target_lengths)
        return reinforce_loss(
            forward.attended, forward.losses, lengths, baseline=state, config=self.config
        ), {}

    def update(self, state: Scalar, sums: LossSums) -> Scalar:
        """Returns the baseline after one more batch."""
        decay = self.config.baseline_decay
        moved = decay * state + (1 - decay) * sums.loss / jnp.maximum(sums.tokens, 1.0)
        return jnp.where(jnp.isfinite(moved), moved, state)


def reinforce_loss(
    attended: AttentionOutput,
    losses: Float[Array, "batch tgt"],
    target_lengths: Lengths,
    *,
    baseline: Scalar,
    config: ReinforceConfig,
) -> Scalar:
    """Returns a term whose gradient, added to that of the loss L, is one of the expected loss.

    L depends on the parameters directly, and through the positions s_t that are sampled:

        d E[L] = E[ dL + sum_t (R_t - b_t) d log p(s_t) ],    R_t = sum of the losses from t on

    The sum over t is the gradient of the returned term; its value has no meaning. Two differences
    from the paper lower the variance without a change of the expectation: a sample is responsible
    for the losses from its own position on (the paper takes the whole sentence's), and the baseline
    b_t is that of a token times the tokens from t on. The entropies of the weights are added with a
    weight of their own, which is the one bias, as in the paper.

    Args:
        attended: with the log-probabilities of the sampled positions.
        losses: of each target token, zero on padding.
        target_lengths: tokens of each row, end of sentence included.
        baseline: the expected loss of a token.
        config: the weights of both terms.
    """
    left = target_lengths[:, None] - jnp.arange(losses.shape[1])[None, :]
    to_go = jnp.cumsum(losses[:, ::-1], axis=1)[:, ::-1]
    disadvantage = jnp.where(left > 0, to_go - baseline * left, 0.0)
    rewards = jnp.sum(jax.lax.stop_gradient(disadvantage) * jnp.asarray(attended.log_choice))
    weights = attended.weights
    entropies = -jnp.sum(weights * jnp.log(jnp.where(weights > 0, weights, 1.0)), axis=-1)
    entropy = jnp.sum(jnp.where(left > 0, entropies, 0.0))
    return config.reward_weight * rewards - config.entropy_weight * entropy
