"""The optimizer and the learning rate schedules."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from nmt.config import ScheduleConfig, TrainingConfig
from nmt.training import freezing
from nmt.types import Integer, Scalar


def build_optimizer(config: TrainingConfig) -> optax.GradientTransformation:
    """Returns clipping and the update rule, without the learning rate, which the step multiplies.

    Adam and AdamW: Kingma and Ba (2015), Loshchilov and Hutter (2019). Adadelta: Zeiler (2012)
    with the rho and epsilon of Bahdanau et al. (2015), whose learning rate is 1. Weight decay is of
    matrices only, embeddings included: a bias or a gain has no reason to be small.
    """
    optimizer = config.optimizer
    match optimizer.kind:
        case "adam":
            rule = optax.scale_by_adam(b2=0.98)
        case "adamw":
            decay = optax.add_decayed_weights(optimizer.weight_decay, mask=_matrices)
            rule = optax.chain(optax.scale_by_adam(b2=0.98), decay)
        case "adadelta":
            rule = optax.scale_by_adadelta(rho=0.95, eps=1e-6)
        case "sgd":
            rule = optax.identity()
    if config.clip_norm is not None:
        rule = optax.chain(optax.clip_by_global_norm(config.clip_norm), rule)
    return freezing.without_updates(rule, config.freeze)


def _matrices(params: Any) -> Any:
    """Returns which arrays are matrices."""
    return jax.tree.map(lambda array: array.ndim > 1, params)


def learning_rate(config: TrainingConfig, *, total_steps: int) -> optax.Schedule:
    """Returns the learning rate at each step, before any reduction by `plateau`.

    constant      the rate itself
    inverse_sqrt  rate * sqrt(warmup / step) after the warm-up (Vaswani et al. 2017)
    luong         halved at `start_step` and every `every_steps` after it (Luong et al. 2015)
    cosine        half a cosine from the rate to zero at the last step
    """
    schedule, rate = config.schedule, config.learning_rate
    warmup = schedule.warmup_steps

    def at(step: Integer) -> Scalar:
        done = step.astype(jnp.float32) + 1
        ramp = jnp.minimum(1.0, done / max(1, warmup))
        return rate * ramp * _decay(schedule, done, total_steps=total_steps)

    return at


def depends_on_the_end(schedule: ScheduleConfig) -> bool:
    """Returns whether the rate at a step changes with the number of all steps."""
    match schedule.kind:
        case "cosine":
            return True
        case "luong":
            return schedule.start_step is None or schedule.every_steps is None
        case _:
            return False


def _decay(schedule: ScheduleConfig, done: Scalar, *, total_steps: int) -> Scalar:
    """Returns the factor of the rate after the warm-up, at step number `done`, counted from 1."""
    match schedule.kind:
        case "constant" | "plateau":
            return jnp.ones_like(done)
        case "inverse_sqrt":
            peak = float(schedule.warmup_steps)
            return jnp.sqrt(peak / jnp.maximum(done, peak))
        case "luong":
            first = schedule.start_step
            start = total_steps * 2 // 3 if first is None else first
            every = schedule.every_steps or max(1, total_steps // 12)
            cuts = jnp.where(done > start, 1 + (done - 1 - start) // every, 0)
            return schedule.factor**cuts
        case "cosine":
            span = max(1, total_steps - schedule.warmup_steps)
            progress = jnp.clip((done - schedule.warmup_steps) / span, 0.0, 1.0)
            return 0.5 * (1 + jnp.cos(jnp.pi * progress))
