"""The loss: negative log-likelihood of the target, as sums over devices and batches."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float, Int, Shaped

from nmt.model.vocabulary import logits, real_tokens
from nmt.types import (
    LastTokens,
    Lengths,
    LogProbs,
    OutputBias,
    OutputMatrix,
    Readouts,
    Scalar,
    TargetTokens,
)

CPU_CHUNK = 2**22  # logits that are computed at once: more do not fit into a CPU's cache
SMALLEST_CHUNK, LARGEST_CHUNK = 2**24, 2**28  # elsewhere: 64 MiB to 1 GiB of float32


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
    where V is the size of the vocabulary.

    The logits of all positions are the largest array of a training step, and the gradient needs
    them, too. So the loss and its gradient are computed together, in chunks of rows, and the logits
    are not stored. `nll` and the losses of tokens have no gradient.
    """
    real = real_tokens(target_lengths, target.shape[1])
    number, size = _chunks(target.size, matrix.shape[0])

    def chunked(rows: Shaped[Array, "..."]) -> Shaped[Array, "chunk row ..."]:
        padding = [(0, number * size - target.size)] + [(0, 0)] * (rows.ndim - 1)
        return jnp.pad(rows, padding).reshape(number, size, *rows.shape[1:])

    readouts = chunked(readouts.reshape(target.size, -1))
    rows = chunked(target.reshape(-1)), chunked(real.reshape(-1))
    loss, nll, losses = _summed(label_smoothing, readouts, matrix, bias, *rows)
    sums = LossSums(loss=loss, nll=nll, tokens=jnp.sum(real).astype(loss.dtype))
    return sums, losses.reshape(-1)[: target.size].reshape(target.shape)


def _chunks(rows: int, vocabulary: int) -> tuple[int, int]:
    """Returns the number of equal chunks, and the rows of each."""
    stats = jax.local_devices()[0].memory_stats() or {}
    at_once = chunk_size(jax.default_backend(), stats.get("bytes_limit"))
    number = max(1, round(rows * vocabulary / at_once))
    return number, -(-rows // number)


def chunk_size(backend: str, memory: int | None) -> int:
    """Returns how many logits to compute at once, on a device with so many bytes of memory.

    An accelerator is faster with larger products. Four float32 arrays of a chunk exist at a time;
    each may take a 64th of the memory, so that most of it is left for the rest of the step.
    """
    if backend == "cpu":
        return CPU_CHUNK
    return min(max((memory or 0) // (64 * 4), SMALLEST_CHUNK), LARGEST_CHUNK)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _summed(
    smoothing: float,
    readouts: Float[Array, "chunk row readout"],
    matrix: OutputMatrix,
    bias: OutputBias,
    target: Int[Array, "chunk row"],
    real: Bool[Array, "chunk row"],
) -> tuple[Scalar, Scalar, Float[Array, "chunk row"]]:
    """Returns the loss, the negative log-likelihood, and the loss of each row."""

    def add(sums: Any, chunk: Any) -> tuple[Any, Any]:
        readouts, target, real = chunk
        losses, nll, _ = _of_rows(smoothing, readouts, matrix, bias, target, real)
        return (sums[0] + losses.sum(), sums[1] + nll), losses

    zero = jnp.zeros((), jnp.promote_types(readouts.dtype, jnp.float32))
    sums, losses = jax.lax.scan(add, (zero, zero), (readouts, target, real))
    return *sums, losses


def _with_gradients(
    smoothing: float, readouts: Any, matrix: Any, bias: Any, target: Any, real: Any
) -> tuple[tuple[Scalar, Scalar, Any], Any]:
    """Returns what `_summed` does, and the gradients of the loss in readouts, matrix and bias."""
    wide = jnp.promote_types(readouts.dtype, jnp.float32)

    def add(sums: Any, chunk: Any) -> tuple[Any, Any]:
        readouts, target, real = chunk
        losses, nll, in_logits = _of_rows(smoothing, readouts, matrix, bias, target, real)
        narrow = in_logits.astype(readouts.dtype)
        in_matrix = jnp.einsum("rv,rh->vh", narrow, readouts, preferred_element_type=wide)
        chunk_sums = (losses.sum(), nll, in_matrix, in_logits.sum(axis=0))
        return jax.tree.map(jnp.add, sums, chunk_sums), (losses, narrow @ matrix)

    zero = jnp.zeros((), wide)
    start = (zero, zero, jnp.zeros(matrix.shape, wide), jnp.zeros(bias.shape, wide))
    (loss, nll, *sums), rows = jax.lax.scan(add, start, (readouts, target, real))
    losses, in_readouts = rows
    gradients = in_readouts, sums[0].astype(matrix.dtype), sums[1].astype(bias.dtype)
    return (loss, nll, losses), gradients


def _scaled(smoothing: float, gradients: Any, cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
    """Multiplies the gradients by that of the loss."""
    of_loss, *_ = cotangents
    return (*(each * of_loss.astype(each.dtype) for each in gradients), None, None)


_summed.defvjp(_with_gradients, _scaled)


def _of_rows(
    smoothing: float,
    readouts: Float[Array, "row readout"],
    matrix: OutputMatrix,
    bias: OutputBias,
    target: LastTokens,
    real: Bool[Array, " row"],
) -> tuple[Float[Array, " row"], Scalar, LogProbs]:
    """Returns the losses, the sum of negative log-likelihoods, and the gradient in the logits."""
    vocabulary = matrix.shape[0]
    scores = logits(readouts, matrix, bias)
    log_normalizer = jax.nn.logsumexp(scores, axis=-1)
    nll = log_normalizer - jnp.take_along_axis(scores, target[:, None], axis=-1)[:, 0]
    uniform = log_normalizer - scores.mean(axis=-1)
    loss = (1 - smoothing) * nll + smoothing * uniform
    is_true = jnp.arange(vocabulary)[None, :] == target[:, None]
    smoothed = jnp.where(is_true, 1 - smoothing, 0.0) + smoothing / vocabulary
    gradient = (jnp.exp(scores - log_normalizer[:, None]) - smoothed) * real[:, None]
    return loss * real, jnp.sum(nll * real), gradient
