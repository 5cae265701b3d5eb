"""Sums of what logits give, and their gradients, without the logits of all rows at once.

The logits of all target positions are the largest array of a training step, and a gradient needs
them, too. So a term and its gradient in the logits are computed together, some rows at a time.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from nmt.model.vocabulary import logits
from nmt.precision import wide
from nmt.types import OutputBias, OutputMatrix, Scalar

CPU_CHUNK = 2**22  # logits that are computed at once: more do not fit into a CPU's cache
SMALLEST_CHUNK, LARGEST_CHUNK = 2**24, 2**28  # elsewhere: 64 MiB to 1 GiB of float32

# From the logits of rows, and what belongs to the rows: the value of each row, something else of
# each row, and the gradient of the sum of the values in the logits.
Term = Callable[..., tuple[Float[Array, " row"], Any, Float[Array, "row *of vocab"]]]


def summed(
    term: Term,
    readouts: Float[Array, "row *of readout"],
    matrix: OutputMatrix,
    bias: OutputBias,
    *others: Shaped[Array, " row ..."],
) -> tuple[Scalar, Float[Array, " row"], Any]:
    """Returns the sum of a term over rows, its value in each row, and what else it gives.

    The logits are `readouts @ matrix.T + bias`, in float32 or wider. Only the sum has a gradient:
    in readouts, matrix and bias.
    """
    rows = len(readouts)
    number, size = _chunks(rows, readouts[0].size // readouts.shape[-1] * len(matrix))

    def chunked(array: Shaped[Array, "..."]) -> Shaped[Array, "chunk row ..."]:
        padding = [(0, number * size - rows)] + [(0, 0)] * (array.ndim - 1)
        return jnp.pad(array, padding).reshape(number, size, *array.shape[1:])

    loss, each = _summed(term, chunked(readouts), matrix, bias, tuple(map(chunked, others)))
    values, more = jax.tree.map(lambda part: part.reshape(-1, *part.shape[2:])[:rows], each)
    return loss, values, more


def _chunks(rows: int, logits_of_row: int) -> tuple[int, int]:
    """Returns the number of equal chunks, and the rows of each."""
    stats = jax.local_devices()[0].memory_stats() or {}
    at_once = chunk_size(jax.default_backend(), stats.get("bytes_limit"))
    number = max(1, round(rows * logits_of_row / at_once))
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
    term: Term,
    readouts: Float[Array, "chunk row *of readout"],
    matrix: OutputMatrix,
    bias: OutputBias,
    others: Any,
) -> tuple[Scalar, Any]:
    """Returns the sum of the values, and what the term gives of each row but the gradient."""

    def add(loss: Scalar, chunk: Any) -> tuple[Scalar, Any]:
        readouts, others = chunk
        values, more, _ = term(logits(readouts, matrix, bias), *others)
        return loss + values.sum(), (values, more)

    zero = jnp.zeros((), wide(readouts.dtype))
    return jax.lax.scan(add, zero, (readouts, others))


def _with_gradients(
    term: Term, readouts: Any, matrix: Any, bias: Any, others: Any
) -> tuple[tuple[Scalar, Any], Any]:
    """Returns what `_summed` does, and the gradients of the sum in readouts, matrix and bias."""
    dtype = wide(readouts.dtype)
    places = tuple(range(readouts.ndim - 2))  # all axes of a chunk but the last

    def add(sums: Any, chunk: Any) -> tuple[Any, Any]:
        readouts, others = chunk
        values, more, in_logits = term(logits(readouts, matrix, bias), *others)
        narrow = in_logits.astype(readouts.dtype)
        in_matrix = jnp.tensordot(narrow, readouts, (places, places), preferred_element_type=dtype)
        chunk_sums = (values.sum(), in_matrix, in_logits.sum(axis=places))
        return jax.tree.map(jnp.add, sums, chunk_sums), ((values, more), narrow @ matrix)

    start = (jnp.zeros((), dtype), jnp.zeros(matrix.shape, dtype), jnp.zeros(bias.shape, dtype))
    (loss, *sums), (each, in_readouts) = jax.lax.scan(add, start, (readouts, others))
    gradients = in_readouts, sums[0].astype(matrix.dtype), sums[1].astype(bias.dtype)
    return (loss, each), gradients


def _scaled(term: Term, gradients: Any, cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
    """Multiplies the gradients by that of the sum."""
    of_loss, _ = cotangents
    return (*(each * of_loss.astype(each.dtype) for each in gradients), None)


_summed.defvjp(_with_gradients, _scaled)
