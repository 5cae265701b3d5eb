"""The loss: negative log-likelihood of the target, as sums over devices and batches."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float

from nmt.model.vocabulary import real_tokens
from nmt.training import chunks
from nmt.types import (
    LastTokens,
    Lengths,
    OutputBias,
    OutputMatrix,
    Readouts,
    Scalar,
    TargetTokens,
)


@struct.dataclass
class LossSums:
    """Sums over target tokens; means are computed after everything has been added."""

    loss: Scalar  # with label smoothing: it is minimized
    nll: Scalar  # without: perplexity is exp(nll / tokens)
    tokens: Scalar

    def __add__(self, other: "LossSums") -> "LossSums":
        return jax.tree.map(jnp.add, self, other)


def totals(parts: Sequence[LossSums]) -> tuple[float, float, float]:
    """Returns the sums of loss, nll and tokens; it waits for the devices once."""
    rows = jax.device_get([(part.loss, part.nll, part.tokens) for part in parts])
    loss, nll, tokens = np.sum(rows, axis=0, dtype=np.float64).tolist()
    return loss, nll, tokens


def cross_entropy(
    readouts: Readouts,
    matrix: OutputMatrix,
    bias: OutputBias,
    target: TargetTokens,
    target_lengths: Lengths,
    *,
    label_smoothing: float = 0.0,
) -> tuple[LossSums, Float[Array, "batch tgt"]]:
    """Returns the sums over real target tokens, and the loss of each, zero from the length on.

    The logits are `readouts @ matrix.T + bias`, in float32 or wider. With label smoothing e
    (Szegedy et al. 2016) the true token has probability 1 - e + e / V and every other one e / V,
    where V is the size of the vocabulary. `nll` and the losses of tokens have no gradient.
    """
    real = real_tokens(target_lengths, target.shape[1])
    loss, losses, nlls = chunks.summed(
        partial(_of_rows, label_smoothing),
        readouts.reshape(target.size, -1),
        matrix,
        bias,
        target.reshape(-1),
        real.reshape(-1),
    )
    sums = LossSums(loss=loss, nll=nlls.sum(), tokens=jnp.sum(real).astype(loss.dtype))
    return sums, losses.reshape(target.shape)


def _of_rows(
    smoothing: float,
    logits: Float[Array, "row vocab"],
    target: LastTokens,
    real: Bool[Array, " row"],
) -> tuple[Float[Array, " row"], Float[Array, " row"], Float[Array, "row vocab"]]:
    """Returns losses and negative log-likelihoods, and the gradient of the losses in the logits."""
    vocabulary = logits.shape[-1]
    log_normalizer = jax.nn.logsumexp(logits, axis=-1)
    nll = log_normalizer - jnp.take_along_axis(logits, target[:, None], axis=-1)[:, 0]
    uniform = log_normalizer - logits.mean(axis=-1)
    loss = (1 - smoothing) * nll + smoothing * uniform
    is_true = jnp.arange(vocabulary)[None, :] == target[:, None]
    smoothed = jnp.where(is_true, 1 - smoothing, 0.0) + smoothing / vocabulary
    gradient = (jnp.exp(logits - log_normalizer[:, None]) - smoothed) * real[:, None]
    return loss * real, nll * real, gradient
