"""R-Drop: the same tokens should be as likely whatever dropout leaves out (Liang et al. 2021)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nmt.config import RDropConfig
from nmt.data.batching import Batch
from nmt.model.vocabulary import real_tokens
from nmt.training import chunks
from nmt.training.objectives import Forward, Stateless
from nmt.types import Scalar


class RDrop(Stateless):
    """The objective that two passes of a batch agree.

    With the distributions P1 and P2 of the next token in both passes, equations 2 to 4 are

        L_KL  = (KL(P1 || P2) + KL(P2 || P1)) / 2
        L_NLL = - log P1(y) - log P2(y)
        L     = L_NLL + weight * L_KL

    Here the loss is L / 2, since passes are averaged, so that a learning rate means the same with
    R-Drop and without: the mean of both losses, and half the weight times L_KL.
    """

    name = "r_drop"

    def __init__(self, config: RDropConfig) -> None:
        self.config = config

    def __call__(
        self, state: tuple[()], forward: Forward, batch: Batch
    ) -> tuple[Scalar, dict[str, Scalar]]:
        """Returns the weight times the sum of L_KL over the target tokens."""
        lengths, _ = jnp.split(jnp.asarray(batch.target_lengths), 2)
        pairs = jnp.stack(jnp.split(forward.readouts, 2), axis=2)  # (batch, tgt, pass, readout)
        real = real_tokens(lengths, pairs.shape[1])
        pairs = pairs.reshape(real.size, *pairs.shape[2:])
        divergence, *_ = chunks.summed(_divergence, pairs, *forward.output_layer, real.reshape(-1))
        cost = self.config.weight * divergence
        return cost, {self.name: cost}


def _divergence(
    logits: Float[Array, "row pass vocab"], real: Bool[Array, " row"]
) -> tuple[Float[Array, " row"], tuple[()], Float[Array, "row pass vocab"]]:
    """Returns L_KL of each row, nothing else, and the gradient of the sum in the logits."""
    log_probs = jax.nn.log_softmax(logits)
    probs, ratios = jnp.exp(log_probs), log_probs - log_probs[:, ::-1]
    divergences = jnp.sum(probs * ratios, axis=-1)  # of each pass from the other one
    gradient = probs * (ratios - divergences[..., None]) + probs - probs[:, ::-1]
    return divergences.mean(axis=-1) * real, (), gradient / 2 * real[:, None, None]
