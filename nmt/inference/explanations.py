"""What each target piece owes to each source piece: attention, and what asks the whole model.

Every method gives the same kind of matrix, (target, source), and all but the attention itself are
normalised so that rows sum to one. With x_j the embedding of source piece j, log p_t the
log-probability of target piece t, and g_tj the gradient of log p_t in x_j:

    attention       the weights of step t, the one that writes piece t
    shifted         the weights of step t + 1, the one that reads piece t
    saliency        |g_tj|_1, the absolute gradient (Simonyan et al. 2014; Li et al. 2016)
    saliency_input  |g_tj . x_j|, gradient times input (Ding et al. 2019)
    smoothed        |mean of g_tj(x + noise) . x_j|, the same by SmoothGrad (Smilkov et al. 2017)
    jacobian        |d r_t / d x_j|_F, the sequential Jacobian (Graves 2012, chapter 3)

r_t is the readout, the layer under the logits. Ding et al. differentiate the probability, which
differs by a factor of the row, and average over 30 samples of noise whose deviation is 0.15 of the
range of the embeddings, as here. A gradient takes one walk back through the model for each target
piece, the Jacobian one for each component of each readout.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmt.data.batching import Batch
from nmt.errors import DataError
from nmt.inference import devices
from nmt.inference.compiled import ForcedInputs, force
from nmt.inference.predictor import Source
from nmt.model.seq2seq import Seq2Seq
from nmt.model.vocabulary import previous_tokens, token_log_probs
from nmt.types import (
    AttentionMatrix,
    Integer,
    Readouts,
    Scalar,
    SourceEmbeddings,
    SourceMask,
    TargetTokens,
)

METHODS = ("attention", "shifted", "saliency", "saliency_input", "smoothed", "jacobian")

SAMPLES = 30  # of noise; the settings of Ding et al. (2019)
SPREAD = 0.15
ROWS = 256  # sentences times walks back at once: bounds memory

Embedded = SourceEmbeddings
Matrix = AttentionMatrix


def check_method(name: str) -> None:
    """Checks the name of a method.

    Raises:
        DataError: there is no such method.
    """
    if name not in METHODS:
        raise DataError(f"no method of explanation {name!r}; choose one of {', '.join(METHODS)}")


def explain(
    shared: ForcedInputs, rows: Batch, *, bos: int, method: str
) -> tuple[Float[Array, " batch"], Float[Array, " batch"], Matrix]:
    """Returns log-probability and score of given targets, and the matrix of a method.

    The arguments are those of `force`; derivatives are those of a model that does not draw.
    """
    log_probs, scores, weights = devices.run(force, shared, rows, bos=bos)
    match method:
        case "attention":
            return log_probs, scores, weights
        case "shifted":
            found = devices.run(_shifted, shared, rows, bos=bos)
        case _:
            found = devices.run(_derived, shared, rows, bos=bos, method=method)
    return log_probs, scores, found


def _shifted(shared: ForcedInputs, rows: Batch, *, bos: int) -> Matrix:
    """Returns the weights of the steps that read the target; the last one reads its end."""
    predictor = shared.loaded.predictor(seed=shared.seed)
    source, lengths, target = map(jnp.asarray, rows[:3])
    encoded = predictor.encode(Source(source, lengths))
    read = jnp.pad(target, ((0, 0), (1, 0)), constant_values=bos)
    _, attended = predictor.model.teacher_forced(read, encoded)
    return attended.weights[:, 1:]


def _derived(shared: ForcedInputs, rows: Batch, *, bos: int, method: str) -> Matrix:
    """Returns a matrix that is made of derivatives in the source embeddings."""
    model = shared.loaded.predictor().model
    source, lengths, target = map(jnp.asarray, rows[:3])
    embedded = model.embed(source)
    mask = jnp.arange(embedded.shape[1])[None, :] < lengths[:, None]
    before = previous_tokens(target, bos)

    def read(embedded: Embedded) -> Readouts:
        return model.teacher_forced(before, model.encode_embedded(embedded, lengths))[0]

    match method:
        case "saliency":
            found = _saliency(model, read, embedded, target, _absolute)
        case "saliency_input":
            found = jnp.abs(_saliency(model, read, embedded, target, partial(_times, embedded)))
        case "smoothed":
            noise = _noise(embedded, mask)
            found = jnp.abs(_smoothed(model, read, embedded, target, noise))
        case _:
            found = _jacobian(read, embedded)
    found = found * mask[:, None, :]
    total = jnp.sum(found, axis=-1, keepdims=True)
    return found / jnp.where(total > 0, total, 1)


def _absolute(gradient: Embedded) -> Float[Array, "batch src"]:
    return jnp.sum(jnp.abs(gradient), axis=-1)


def _times(embedded: Embedded, gradient: Embedded) -> Float[Array, "batch src"]:
    return jnp.sum(gradient * embedded, axis=-1)


def _squared(gradient: Embedded) -> Float[Array, "batch src"]:
    return jnp.sum(gradient**2, axis=-1)


def _saliency(
    model: Seq2Seq,
    read: Callable[[Embedded], Readouts],
    embedded: Embedded,
    target: TargetTokens,
    measure: Callable[[Embedded], Float[Array, "batch src"]],
) -> Matrix:
    """Returns a measure of the gradient of each target piece's log-probability.

    Through the output layer, where no position knows of another, all gradients are taken at once.
    """
    readouts, pull_back = jax.vjp(read, embedded)

    def chosen(readouts: Readouts) -> Scalar:
        return jnp.sum(token_log_probs(model.logits(readouts), target))

    wanted = jax.grad(chosen)(readouts)

    def at(position: Integer) -> Float[Array, "batch src"]:
        here = jnp.arange(readouts.shape[1]) == position
        return measure(pull_back(wanted * here[None, :, None])[0])

    found = jax.lax.map(at, jnp.arange(readouts.shape[1]), batch_size=_chunk(readouts))
    return found.swapaxes(0, 1)


def _smoothed(
    model: Seq2Seq,
    read: Callable[[Embedded], Readouts],
    embedded: Embedded,
    target: TargetTokens,
    noise: Callable[[Integer], Embedded],
) -> Matrix:
    """Returns the mean of gradient times input over samples of noise."""

    def add(total: Matrix, sample: Integer) -> tuple[Matrix, None]:
        noisy = embedded + noise(sample)
        return total + _saliency(model, read, noisy, target, partial(_times, embedded)), None

    nothing = jnp.zeros((*target.shape, embedded.shape[1]), embedded.dtype)
    return jax.lax.scan(add, nothing, jnp.arange(SAMPLES))[0] / SAMPLES


def _noise(embedded: Embedded, mask: SourceMask) -> Callable[[Integer], Embedded]:
    """Returns what draws a sample: noise that depends on nothing beside the sentence.

    Sample and position have keys of their own, so that neither the rows of the batch nor its
    padding change what a sentence gets.
    """
    real = mask[..., None]
    highest = jnp.max(embedded, axis=(1, 2), keepdims=True, where=real, initial=-jnp.inf)
    lowest = jnp.min(embedded, axis=(1, 2), keepdims=True, where=real, initial=jnp.inf)
    deviation = jnp.where(real, SPREAD * (highest - lowest), 0)
    key = jax.random.key(0)

    def draw(sample: Integer) -> Embedded:
        def at(position: Integer) -> Float[Array, " embed"]:
            place = jax.random.fold_in(jax.random.fold_in(key, sample), position)
            return jax.random.normal(place, embedded.shape[2:], embedded.dtype)

        return deviation * jax.vmap(at)(jnp.arange(embedded.shape[1]))[None]

    return draw


def _jacobian(read: Callable[[Embedded], Readouts], embedded: Embedded) -> Matrix:
    """Returns the Frobenius norm of the derivative of each readout in each embedding."""
    readouts, pull_back = jax.vjp(read, embedded)
    _, steps, size = readouts.shape

    def squares(position: Integer) -> Float[Array, "batch src"]:
        def of(component: Integer) -> Float[Array, "batch src"]:
            direction = jnp.zeros_like(readouts).at[:, position, component].set(1)
            return _squared(pull_back(direction)[0])

        return jnp.sum(jax.lax.map(of, jnp.arange(size), batch_size=_chunk(readouts)), axis=0)

    return jnp.sqrt(jax.lax.map(squares, jnp.arange(steps))).swapaxes(0, 1)


def _chunk(readouts: Readouts) -> int:
    return max(1, ROWS // readouts.shape[0])
