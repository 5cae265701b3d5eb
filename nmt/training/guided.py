"""Guided alignment: attention learns from given links (Chen et al. 2016; 2020)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool

from nmt.config import GuidedAlignmentConfig
from nmt.data.batching import Batch
from nmt.training.objectives import Forward, Stateless
from nmt.types import AttentionMatrix, Scalar


class GuidedAlignment(Stateless):
    """The objective of attending to the links of the training corpus."""

    name = "guided_alignment"

    def __init__(self, config: GuidedAlignmentConfig) -> None:
        self.config = config

    def __call__(
        self, state: tuple[()], forward: Forward, batch: Batch
    ) -> tuple[Scalar, dict[str, Scalar]]:
        """Returns the cost of the links of the batch: for the guided head, if there is one."""
        attended, links = forward.attended, jnp.asarray(batch.links)
        weights = attended.weights if attended.guided is None else attended.guided
        cost = alignment_cost(weights, links, config=self.config)
        return cost, {self.name: cost}


def alignment_cost(
    weights: AttentionMatrix, links: Bool[Array, "batch tgt src"], *, config: GuidedAlignmentConfig
) -> Scalar:
    """Returns the term that is added to the loss, a sum over the target pieces that have links.

    A target piece should attend equally to the n source pieces that it is linked to. With a_j = 1/n
    for those and zero for others, and w_j the weights of the step that writes the piece, or of the
    step after it, which reads it, its cost is, times the configured weight,

        ce     - sum_j a_j log w_j
        mse    1/2 sum_j (a_j - w_j)^2

    A piece without links costs nothing.
    """
    if config.step == "shifted":
        links = jnp.pad(links, ((0, 0), (1, 0), (0, 0)))[:, :-1]  # no step reads the end
    number = links.sum(axis=-1, keepdims=True)
    wanted = links / jnp.maximum(number, 1)
    match config.cost:
        case "ce":
            costs = -wanted * jnp.log(jnp.maximum(weights, jnp.finfo(weights.dtype).tiny))
        case "mse":
            costs = jnp.where(number > 0, (wanted - weights) ** 2 / 2, 0)
    return config.weight * jnp.sum(costs)
