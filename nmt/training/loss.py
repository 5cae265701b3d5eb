"""The loss: negative log-likelihood of the target, as sums that devices and batches can add."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float, Int

from nmt.types import Scalar

CHUNK = 2**22  # logits that are computed at once; on a CPU, more no longer fit into its cache


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
    readouts: Float[Array, "batch tgt readout"],
    matrix: Float[Array, "vocab readout"],
    bias: Float[Array, " vocab"],
    target: Int[Array, "batch tgt"],
    target_lengths: Int[Array, " batch"],
    *,
    label_smoothing: float = 0.0,
) -> LossSums:
    """Returns the sums over real target tokens; positions from a row's length on weigh nothing.

    The logits are `readouts @ matrix.T + bias`, in float32 or wider. With label smoothing e
    (Szegedy et al. 2016) the true token has probability 1 - e + e / V and every other one e / V,
    where V is the size of the vocabulary.

    The logits of all positions are the largest array of a training step, and a gradient needs
    them once more. So the loss and its gradient are computed together, some rows at a time, and
    the logits are forgotten; `nll` is a measure, and has no gradient.
    """
    real = jnp.arange(target.shape[1])[None, :] < target_lengths[:, None]
    number, size = _chunks(target.size, matrix.shape[0])
    parts = [
        jnp.pad(each, [(0, number * size - target.size)] + [(0, 0)] * (each.ndim - 1)).reshape(
            number, size, *each.shape[1:]
        )
        for each in (readouts.reshape(target.size, -1), target.reshape(-1), real.reshape(-1))
    ]
    loss, nll = _summed(label_smoothing, parts[0], matrix, bias, *parts[1:])
    return LossSums(loss=loss, nll=nll, tokens=jnp.sum(real).astype(loss.dtype))


def _chunks(rows: int, vocabulary: int) -> tuple[int, int]:
    """Returns how many equal chunks the rows are taken in, and the rows of each."""
    number = max(1, round(rows * vocabulary / CHUNK))
    return number, -(-rows // number)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _summed(
    smoothing: float,
    readouts: Float[Array, "chunk row readout"],
    matrix: Float[Array, "vocab readout"],
    bias: Float[Array, " vocab"],
    target: Int[Array, "chunk row"],
    real: Bool[Array, "chunk row"],
) -> tuple[Scalar, Scalar]:
    """Returns the loss and the negative log-likelihood."""

    def add(sums: Any, chunk: Any) -> tuple[Any, None]:
        readouts, target, real = chunk
        loss, nll, _ = _of_rows(smoothing, readouts, matrix, bias, target, real)
        return (sums[0] + loss, sums[1] + nll), None

    zero = jnp.zeros((), jnp.promote_types(readouts.dtype, jnp.float32))
    return jax.lax.scan(add, (zero, zero), (readouts, target, real))[0]


def _with_gradients(
    smoothing: float, readouts: Any, matrix: Any, bias: Any, target: Any, real: Any
) -> tuple[tuple[Scalar, Scalar], Any]:
    """Returns the sums, and the gradients of the loss in readouts, matrix and bias."""
    wide = jnp.promote_types(readouts.dtype, jnp.float32)

    def add(sums: Any, chunk: Any) -> tuple[Any, Any]:
        readouts, target, real = chunk
        loss, nll, logits = _of_rows(smoothing, readouts, matrix, bias, target, real)
        narrow = logits.astype(readouts.dtype)
        in_matrix = jnp.einsum("rv,rh->vh", narrow, readouts, preferred_element_type=wide)
        found = (loss, nll, in_matrix, logits.sum(axis=0))
        return jax.tree.map(jnp.add, sums, found), narrow @ matrix

    zero = jnp.zeros((), wide)
    start = (zero, zero, jnp.zeros(matrix.shape, wide), jnp.zeros(bias.shape, wide))
    (loss, nll, *sums), in_readouts = jax.lax.scan(add, start, (readouts, target, real))
    return (loss, nll), (in_readouts, sums[0].astype(matrix.dtype), sums[1].astype(bias.dtype))


def _scaled(smoothing: float, gradients: Any, wanted: tuple[Scalar, Scalar]) -> tuple[Any, ...]:
    """Returns the gradients times that of the loss."""
    of_loss, _ = wanted
    return (*(each * of_loss.astype(each.dtype) for each in gradients), None, None)


_summed.defvjp(_with_gradients, _scaled)


def _of_rows(
    smoothing: float,
    readouts: Float[Array, "row readout"],
    matrix: Float[Array, "vocab readout"],
    bias: Float[Array, " vocab"],
    target: Int[Array, " row"],
    real: Bool[Array, " row"],
) -> tuple[Scalar, Scalar, Float[Array, "row vocab"]]:
    """Returns the loss, the negative log-likelihood, and the gradient of the loss in the logits."""
    wide = jnp.promote_types(readouts.dtype, jnp.float32)
    vocabulary = matrix.shape[0]
    logits = jnp.einsum("rh,vh->rv", readouts, matrix, preferred_element_type=wide)
    logits += bias[None, :].astype(wide)
    log_normaliser = jax.nn.logsumexp(logits, axis=-1)
    nll = log_normaliser - jnp.take_along_axis(logits, target[:, None], axis=-1)[:, 0]
    uniform = log_normaliser - logits.mean(axis=-1)
    loss = (1 - smoothing) * nll + smoothing * uniform
    is_true = jnp.arange(vocabulary)[None, :] == target[:, None]
    wanted = jnp.where(is_true, 1 - smoothing, 0.0) + smoothing / vocabulary
    gradient = (jnp.exp(logits - log_normaliser[:, None]) - wanted) * real[:, None]
    return jnp.sum(loss * real), jnp.sum(nll * real), gradient
