"""Matrices of derivatives: how much target pieces change with the embeddings of source pieces.

`nmt.inference.explanations` has the equation and the source of each method.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmt.data.batching import Batch
from nmt.inference.projections import projections
from nmt.model.seq2seq import Seq2Seq
from nmt.model.vocabulary import previous_tokens, real_tokens, token_log_probs
from nmt.types import (
    AttentionMatrix,
    Integer,
    Lengths,
    Readouts,
    Scalar,
    SourceMask,
    SourceVectors,
    TargetTokens,
    Weights,
)

SAMPLES = 30  # of noise; the settings of Ding et al. (2019)
SPREAD = 0.15
ROWS = 256  # sentences times backward passes at once: bounds memory

Measure = Callable[[SourceVectors], Weights]  # of a gradient
Directions = Callable[[int], Float[Array, "vectors readout"]]  # of readouts of a size


def derived(model: Seq2Seq, rows: Batch, *, bos: int, method: str) -> AttentionMatrix:
    """Returns the matrix of a method; each row sums to one, or is zero."""
    source, lengths, target = map(jnp.asarray, rows[:3])
    forced = _GivenTargets(model, lengths, previous_tokens(target, bos), target)
    embedded = model.embed(source)
    mask = real_tokens(lengths, embedded.shape[1])

    def times_input(gradient: SourceVectors) -> Weights:
        return jnp.sum(gradient * embedded, axis=-1)

    match method:
        case "saliency":
            matrix = forced.saliency(embedded, lambda g: jnp.sum(jnp.abs(g), axis=-1))
        case "saliency_input":
            matrix = jnp.abs(forced.saliency(embedded, times_input))
        case "smoothed":
            matrix = jnp.abs(forced.smoothed(embedded, mask, times_input))
        case "jacobian":
            matrix = forced.jacobian(embedded, jnp.eye)
        case _:
            matrix = forced.jacobian(embedded, projections)
    matrix = matrix * mask[:, None, :]
    total = jnp.sum(matrix, axis=-1, keepdims=True)
    return matrix / jnp.where(total > 0, total, 1)


class _GivenTargets(NamedTuple):
    """A model and the targets it is given, as a function of the source embeddings."""

    model: Seq2Seq
    lengths: Lengths  # of the sources
    previous: TargetTokens
    target: TargetTokens

    def readouts(self, embedded: SourceVectors) -> Readouts:
        encoded = self.model.encode_embedded(embedded, self.lengths)
        return self.model.teacher_forced(self.previous, encoded)[0]

    def saliency(self, embedded: SourceVectors, measure: Measure) -> AttentionMatrix:
        """Returns a measure of the gradient of each target piece's log-probability.

        All gradients of the readouts are computed at once: in the output layer, no position
        depends on another.
        """
        readouts, pull_back = jax.vjp(self.readouts, embedded)

        def log_prob(readouts: Readouts) -> Scalar:
            return jnp.sum(token_log_probs(self.model.logits(readouts), self.target))

        gradients = jax.grad(log_prob)(readouts)

        def at(position: Integer) -> Weights:
            here = jnp.arange(readouts.shape[1]) == position
            return measure(pull_back(gradients * here[None, :, None])[0])

        rows = jax.lax.map(at, jnp.arange(readouts.shape[1]), batch_size=_chunk(readouts))
        return rows.swapaxes(0, 1)

    def smoothed(
        self, embedded: SourceVectors, mask: SourceMask, measure: Measure
    ) -> AttentionMatrix:
        """Returns the mean of `saliency` over samples of noise on the embeddings."""
        deviation = _deviation(embedded, mask)

        def add(total: AttentionMatrix, sample: Integer) -> tuple[AttentionMatrix, None]:
            noisy = embedded + deviation * _noise(sample, embedded)
            return total + self.saliency(noisy, measure), None

        zeros = jnp.zeros((*self.target.shape, embedded.shape[1]), embedded.dtype)
        return jax.lax.scan(add, zeros, jnp.arange(SAMPLES))[0] / SAMPLES

    def jacobian(self, embedded: SourceVectors, directions: Directions) -> AttentionMatrix:
        """Returns the Frobenius norm of each readout's derivative in each embedding.

        It is that of the products with `directions`, which take a backward pass each.
        """
        readouts, pull_back = jax.vjp(self.readouts, embedded)
        _, steps, size = readouts.shape
        vectors = directions(size).astype(readouts.dtype)

        def squares(position: Integer) -> Weights:
            def along(vector: Float[Array, " readout"]) -> Weights:
                direction = jnp.zeros_like(readouts).at[:, position].set(vector)
                return jnp.sum(pull_back(direction)[0] ** 2, axis=-1)

            return jnp.sum(jax.lax.map(along, vectors, batch_size=_chunk(readouts)), axis=0)

        return jnp.sqrt(jax.lax.map(squares, jnp.arange(steps))).swapaxes(0, 1)


def _deviation(embedded: SourceVectors, mask: SourceMask) -> Float[Array, "batch src 1"]:
    """Returns the standard deviation of the noise of each sentence; zero on padding."""
    real = mask[..., None]
    highest = jnp.max(embedded, axis=(1, 2), keepdims=True, where=real, initial=-jnp.inf)
    lowest = jnp.min(embedded, axis=(1, 2), keepdims=True, where=real, initial=jnp.inf)
    return jnp.where(real, SPREAD * (highest - lowest), 0)


def _noise(sample: Integer, embedded: SourceVectors) -> Float[Array, "1 src embed"]:
    """Returns a sample of standard normal noise, the same for all sentences.

    Each sample and each position has a key of its own, so that neither the other rows of a batch
    nor its padding change the noise of a sentence.
    """
    key = jax.random.fold_in(jax.random.key(0), sample)

    def at(position: Integer) -> Float[Array, " embed"]:
        place = jax.random.fold_in(key, position)
        return jax.random.normal(place, embedded.shape[2:], embedded.dtype)

    return jax.vmap(at)(jnp.arange(embedded.shape[1]))[None]


def _chunk(readouts: Readouts) -> int:
    """Returns how many backward passes to run at once."""
    return max(1, ROWS // readouts.shape[0])
