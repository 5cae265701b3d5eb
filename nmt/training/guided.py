"""Guided alignment: attention learns from given links (Chen et al. 2016; 2020)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool

from nmt.config import GuidedAlignmentConfig
from nmt.data.batching import Batch
from nmt.training.loss import LossSums
from nmt.training.objectives import Forward
from nmt.types import AttentionMatrix, Scalar


class GuidedAlignment:
    """The objective that the links of the training corpus are; it has no state."""

    name = "guided_alignment"

    def __init__(self, config: GuidedAlignmentConfig) -> None:
        self.config = config

    def start(self, vocabulary_size: int) -> tuple[()]:
        """Returns nothing."""
        return ()

    def __call__(
        self, state: tuple[()], forward: Forward, batch: Batch
    ) -> tuple[Scalar, dict[str, Scalar]]:
        """Returns the cost of the links of the batch."""
        links = jnp.asarray(batch.links)
        cost = alignment_cost(forward.attended.weights, links, config=self.config)
        return cost, {self.name: cost}

    def update(self, state: tuple[()], sums: LossSums) -> tuple[()]:
        """Returns nothing."""
        return ()


def alignment_cost(
    weights: AttentionMatrix, links: Bool[Array, "batch tgt src"], *, config: GuidedAlignmentConfig
) -> Scalar:
    """Returns what to add to the loss, a sum over the target pieces that have links.

    A target piece is to attend equally to the n source pieces that it is linked to. With a_j one
    nth for those and zero for others, and w_j the weights of the step that writes the piece, or
    those of the step after it, which reads it, its cost is, times the configured weight,

        ce     - sum_j a_j log w_j
        mse    1/2 sum_j (a_j - w_j)^2

    A piece without links says nothing about where to look, and costs nothing.
    """
    if config.step == "shifted":
        links = jnp.pad(links, ((0, 0), (1, 0), (0, 0)))[:, :-1]  # the end, read by none, has none
    number = links.sum(axis=-1, keepdims=True)
    wanted = links / jnp.maximum(number, 1)
    match config.cost:
        case "ce":
            costs = -wanted * jnp.log(jnp.maximum(weights, jnp.finfo(weights.dtype).tiny))
        case "mse":
            costs = jnp.where(number > 0, (wanted - weights) ** 2 / 2, 0)
    return config.weight * jnp.sum(costs)
