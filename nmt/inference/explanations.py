"""Explanations: how much each target piece depends on each source piece, by several methods.

Every method gives the same kind of matrix, (target, source). Those of gradients are normalized so
that rows sum to one; `attention`, `shifted` and `guided` are weights as they are. With x_j the
embedding of source piece j, or the vector that a source of vectors or of pictures has at position j
(the pixels of a cell, from -1 to 1), log p_t the log-probability of target piece t, and g_tj the
gradient of log p_t with respect to x_j:

    attention           the weights of step t, which writes piece t
    shifted             the weights of step t + 1, which reads piece t
    guided              the weights of a guided head at step t + 1; zero for the piece that is
                        written last, which no step reads (nmt.model.guided_head)
    saliency            |g_tj|_1, the absolute gradient (Simonyan et al. 2014; Li et al. 2016)
    saliency_input      |g_tj . x_j|, gradient times input (Ding et al. 2019)
    smoothed            |mean of g_tj(x + noise) . x_j|, by SmoothGrad (Smilkov et al. 2017)
    jacobian            |d r_t / d x_j|_F, the sequential Jacobian (Graves 2012, chapter 3)
    projected_jacobian  the same, estimated by random projections (`nmt.inference.projections`)

r_t is the readout, the layer under the logits. Ding et al. differentiate the probability, which
differs by a factor for each row, and average over 30 samples of noise with a standard deviation of
0.15 times the range of the embeddings, as here. A gradient takes one backward pass through the
model for each target piece, the Jacobian one for each component of each readout, its estimate 32
for each readout. The estimate of a norm has a standard error of at most about 12.5 %. The matrix of
an ensemble is the mean of those of its members.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmt.data.batching import Batch
from nmt.errors import DataError
from nmt.inference import programs
from nmt.inference.compiled import ForcedInputs, ForcedOutputs, force
from nmt.inference.ensemble import has_guided_head, members
from nmt.inference.predictor import Loaded, ModelPredictor, Source
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

METHODS = (
    "attention",
    "shifted",
    "saliency",
    "saliency_input",
    "smoothed",
    "jacobian",
    "projected_jacobian",
)
GUIDED = "guided"  # the method that not every model has

SAMPLES = 30  # of noise; the settings of Ding et al. (2019)
SPREAD = 0.15
ROWS = 256  # sentences times backward passes at once: bounds memory

Measure = Callable[[SourceVectors], Weights]  # of a gradient
Directions = Callable[[int], Float[Array, "vectors readout"]]  # of readouts of a size


def check_method(name: str) -> None:
    """Checks the name of a method.

    Raises:
        DataError: there is no such method.
    """
    if name not in (*METHODS, GUIDED):
        known = ", ".join((*METHODS, GUIDED))
        raise DataError(f"unknown method of explanation {name!r}; choose one of {known}")


def methods_of(loaded: Loaded) -> tuple[str, ...]:
    """Returns the methods that a model or an ensemble has; the first one is its own."""
    return (GUIDED, *METHODS) if has_guided_head(loaded) else METHODS


def chosen_method(name: str | None, loaded: Loaded) -> str:
    """Returns a method of explanation, or if none is named, the model's own.

    Raises:
        DataError: there is no such method, or the model has none.
    """
    if name is None:
        return methods_of(loaded)[0]
    check_method(name)
    if name not in methods_of(loaded):
        raise DataError(
            "the method guided reads the weights of a guided head, and this model has none: choose "
            "another method, or train a model with `model.guided_head`"
        )
    return name


def explain(shared: ForcedInputs, rows: Batch, *, bos: int, method: str) -> ForcedOutputs:
    """Returns log-probabilities and score of given targets, and the matrix of a method.

    The arguments are those of `force`. Derivatives are those of a model that does not sample.
    """
    guided = method == GUIDED
    log_probs, scores, matrix = programs.run(force, shared, rows, bos=bos, guided=guided)
    if guided or method == "attention":
        return log_probs, scores, matrix
    models = [shared._replace(loaded=each) for each in members(shared.loaded)]
    if method == "shifted":
        matrices = [programs.run(_shifted, each, rows, bos=bos) for each in models]
    else:
        matrices = [programs.run(_derived, each, rows, bos=bos, method=method) for each in models]
    return log_probs, scores, sum(matrices) / len(matrices)


def _model_predictor(shared: ForcedInputs, *, seed: Any = None) -> ModelPredictor:
    """Returns the predictor of one model, of which alone there are derivatives and steps.

    Raises:
        DataError: the translator has another predictor.
    """
    predictor = shared.loaded.predictor(seed=seed)
    if isinstance(predictor, ModelPredictor):
        return predictor
    raise DataError(
        f"{type(predictor).__name__} is not one model, whose steps and gradients could be asked "
        "for: choose the method attention"
    )


def _shifted(shared: ForcedInputs, rows: Batch, *, bos: int) -> AttentionMatrix:
    """Returns the weights of the steps that read the target; the last one reads its end."""
    predictor = _model_predictor(shared, seed=shared.seed)
    source, lengths, target = map(jnp.asarray, rows[:3])
    encoded = predictor.encode(Source(source, lengths))
    read = jnp.pad(target, ((0, 0), (1, 0)), constant_values=bos)
    _, attended = predictor.model.teacher_forced(read, encoded)
    return attended.weights[:, 1:]


def _derived(shared: ForcedInputs, rows: Batch, *, bos: int, method: str) -> AttentionMatrix:
    """Returns a matrix computed from derivatives with respect to the source embeddings."""
    model = _model_predictor(shared).model
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
