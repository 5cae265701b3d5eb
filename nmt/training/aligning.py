"""The loss of a network that aligns: how likely each side is given the other, and agreement."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from nmt.config import Config
from nmt.data.batching import Batch
from nmt.model.aligner import AlignerNetwork
from nmt.model.vocabulary import real_tokens
from nmt.training.loss import LossSums
from nmt.types import AttentionMatrix, Lengths, RowKeys, Scalar

LEAST = 1e-6  # of the probability that both directions agree, whose logarithm is taken


def losses(
    network: AlignerNetwork, batch: Batch, keys: RowKeys, *, axis: str, config: Config
) -> tuple[LossSums, dict[str, Scalar]]:
    """Returns the sums of both directions over one device's rows, and the costs beside them.

    In training, with `keys`, words are compared with those of the batch alone, on all devices,
    instead of the whole vocabulary (in-batch sampled softmax): the alignment depends on how the
    source words compare for one target word, and not on how probable the target word is.
    """
    assert config.aligner is not None  # the network is one of it
    source, source_lengths, target, target_lengths = map(jnp.asarray, batch[:4])
    sources = source, jnp.maximum(source_lengths - 1, 0)
    targets = target, jnp.maximum(target_lengths - 1, 0)
    among = None
    if keys is not None:
        among = _everywhere(*sources, axis), _everywhere(*targets, axis)
    totals = network.totals((source.reshape(-1), target.reshape(-1)), among=among)
    aligned = network(sources, targets, totals, dropout_keys=keys)
    nll = -jnp.sum(aligned.forward.log_likelihood + aligned.backward.log_likelihood)
    words = jnp.sum(sources[1] + targets[1]).astype(nll.dtype)
    costs = {}
    if keys is not None and config.aligner.agreement:
        disagreed = disagreement(aligned.forward.links, aligned.backward.links)
        costs["agreement"] = config.aligner.agreement * disagreed
    return LossSums(loss=nll, nll=nll, tokens=words), costs


def disagreement(forward: AttentionMatrix, backward: Float[Array, "batch src tgt"]) -> Scalar:
    """Returns the sum over all pairs of words of -log(p q + (1 - p) (1 - q)).

    p is the probability of a link in one direction, and q in the other one, whose matrix is (batch,
    src, tgt): the logarithm is that of the probability that both have the link, or neither, if each
    draws its links by itself. It is the agreement of Liang et al. (2006) as a cost.
    """
    there, back = forward, backward.swapaxes(1, 2)
    agreed = there * back + (1 - there) * (1 - back)
    return -jnp.sum(jnp.log(jnp.maximum(agreed, LEAST)))


def _everywhere(
    tokens: Int[Array, "batch length"], lengths: Lengths, axis: str
) -> Int[Array, " some"]:
    """Returns the tokens of the rows of all devices, so that their number makes no difference.

    In place of padding there is -1.
    """
    real = real_tokens(lengths, tokens.shape[1])
    return jax.lax.all_gather(jnp.where(real, tokens, -1), axis).reshape(-1)
