"""Guided alignment: attention learns from given links (Chen et al. 2016; 2020)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool

from nmt.config import GuidedAlignmentConfig
from nmt.data.batching import Batch
from nmt.model.vocabulary import real_tokens
from nmt.training.objectives import Forward, Stateless
from nmt.types import AttentionMatrix, Lengths, Scalar


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
        if self.config.unlinked == "end":
            links = with_ends(
                links, *map(jnp.asarray, (batch.source_lengths, batch.target_lengths))
            )
        weights = attended.weights if attended.guided is None else attended.guided
        cost = alignment_cost(weights, links, config=self.config)
        return cost, {self.name: cost}


def with_ends(
    links: Bool[Array, "batch tgt src"], source_lengths: Lengths, target_lengths: Lengths
) -> Bool[Array, "batch tgt src"]:
    """Returns links in which target pieces without a link have one to the end of the source.

    It is an empty word there: no word of the source is linked. A pair without any link is as it
    was, for nobody has aligned it, and so is the end of the target.
    """
    unlinked = ~links.any(axis=-1) & links.any(axis=(1, 2))[:, None]
    unlinked = unlinked & real_tokens(target_lengths - 1, links.shape[1])  # without its own end
    ends = jnp.arange(links.shape[2])[None, :] == source_lengths[:, None] - 1
    return links | (unlinked[:, :, None] & ends[:, None, :])


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
