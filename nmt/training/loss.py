"""The loss: negative log-likelihood of the target, as sums that devices and batches can add."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Float, Int

from nmt.types import Scalar


@struct.dataclass
class LossSums:
    """Sums over target tokens; a mean is taken once, after everything has been added."""

    loss: Scalar  # with label smoothing: what is minimised
    nll: Scalar  # without: perplexity is exp(nll / tokens)
    tokens: Scalar

    def __add__(self, other: "LossSums") -> "LossSums":
        return jax.tree.map(jnp.add, self, other)


def totals(parts: Sequence[LossSums]) -> tuple[float, float, float]:
    """Returns loss, nll and tokens added up; it waits for the devices, once for all parts."""
    rows = jax.device_get([(part.loss, part.nll, part.tokens) for part in parts])
    loss, nll, tokens = np.sum(rows, axis=0, dtype=np.float64).tolist()
    return loss, nll, tokens


def cross_entropy(
    logits: Float[Array, "batch tgt vocab"],
    target: Int[Array, "batch tgt"],
    target_lengths: Int[Array, " batch"],
    *,
    label_smoothing: float = 0.0,
) -> LossSums:
    """Returns the sums over real target tokens; positions from a row's length on weigh nothing.

    With label smoothing e (Szegedy et al. 2016) the true token has probability 1 - e + e / V and
    every other one e / V, where V is the size of the vocabulary.
    """
    real = jnp.arange(target.shape[1])[None, :] < target_lengths[:, None]
    log_normaliser = jax.nn.logsumexp(logits, axis=-1)
    true_logit = jnp.take_along_axis(logits, target[..., None], axis=-1)[..., 0]
    nll = log_normaliser - true_logit
    uniform = log_normaliser - logits.mean(axis=-1)
    loss = (1 - label_smoothing) * nll + label_smoothing * uniform
    return LossSums(
        loss=jnp.sum(loss * real), nll=jnp.sum(nll * real), tokens=jnp.sum(real).astype(nll.dtype)
    )
