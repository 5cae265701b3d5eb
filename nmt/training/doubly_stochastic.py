"""Doubly stochastic attention: each source position should be attended to once (Xu et al. 2015)."""

import jax.numpy as jnp

from nmt.config import DoublyStochasticConfig
from nmt.data.batching import Batch
from nmt.model.vocabulary import real_tokens
from nmt.training.objectives import Forward, Stateless
from nmt.types import AttentionMatrix, Lengths, Scalar


class DoublyStochastic(Stateless):
    """The objective of weights that sum to one over time, too, as they do over positions."""

    name = "doubly_stochastic"

    def __init__(self, config: DoublyStochasticConfig) -> None:
        self.config = config

    def __call__(
        self, state: tuple[()], forward: Forward, batch: Batch
    ) -> tuple[Scalar, dict[str, Scalar]]:
        """Returns the cost of the weights of the batch."""
        lengths = jnp.asarray(batch.source_lengths), jnp.asarray(batch.target_lengths)
        cost = self.config.weight * squares(forward.attended.weights, *lengths)
        return cost, {self.name: cost}


def squares(weights: AttentionMatrix, source_lengths: Lengths, target_lengths: Lengths) -> Scalar:
    """Returns sum_i (1 - sum_t alpha_ti)^2, summed over sentences (Xu et al. 2015, eq. 14).

    i runs over the real positions of a source and t over all steps of its target, that of the end
    of sentence included. Rows without a target are padding and cost nothing.
    """
    _, steps, positions = weights.shape
    attended = jnp.sum(weights, axis=1, where=real_tokens(target_lengths, steps)[..., None])
    real = real_tokens(source_lengths, positions) & (target_lengths > 0)[:, None]
    return jnp.sum((1 - attended) ** 2, where=real)
