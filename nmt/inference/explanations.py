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
an ensemble is the mean of those of its members, for `attention` and `shifted` of those that have
weights.
"""

from typing import Any

import jax.numpy as jnp

from nmt.data.batching import Batch
from nmt.errors import DataError
from nmt.inference import programs
from nmt.inference.compiled import ForcedInputs, ForcedOutputs, force
from nmt.inference.ensemble import has_guided_head, members
from nmt.inference.gradients import derived
from nmt.inference.methods import GUIDED, METHODS
from nmt.inference.predictor import Loaded, ModelPredictor, Source
from nmt.types import AttentionMatrix


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
        models = [each for each in models if _model_predictor(each).has_weights] or models
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
    return derived(_model_predictor(shared).model, rows, bos=bos, method=method)
