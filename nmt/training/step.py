"""The compiled steps: one update, and one evaluation, over all local devices.

This is the only module that calls `pmap`, which runs the step on each of them with a part of the
batch and the whole state; sums of gradients, losses and tokens are added over the devices and
divided once, so that one device and eight give the same parameters, whatever the padding.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx, struct
from jaxtyping import Array, Bool

from nmt import devices
from nmt.config import Config
from nmt.data.batching import Batch
from nmt.devices import AXIS
from nmt.model.aligner import AlignerNetwork
from nmt.model.vocabulary import previous_tokens
from nmt.training import aligning, freezing
from nmt.training.loss import LossSums, cross_entropy
from nmt.training.objectives import Forward, Objective, build_objectives
from nmt.training.optimizer import build_optimizer, learning_rate
from nmt.training.state import Gathered, TrainState
from nmt.types import Graph, Integer, Params, RandomKey, Scalar

EXPLODED = 1e4  # nats a token; chance alone takes no more than ten, so that this is no model


@struct.dataclass
class StepMetrics:
    """The results of one step; arrays stay on the device until they are read."""

    sums: LossSums
    costs: dict[str, Scalar]  # the parts of the loss that objectives add, as sums, too
    gradient_norm: Scalar  # of the mean gradient, before clipping; zero where no update was made
    learning_rate: Scalar
    skipped: Integer  # as in the state after the step
    skipped_in_row: Integer


TrainStep = Callable[
    [TrainState, Gathered | None, Any, RandomKey], tuple[TrainState, Gathered | None, StepMetrics]
]
EvalStep = Callable[[Params, Any], LossSums]


def shard(batch: Batch) -> Any:
    """Puts equal parts of the rows on each device: leaves become (device, rows, ...)."""
    parts = jax.tree.map(lambda x: x.reshape(devices.count(), -1, *x.shape[1:]), batch)
    return jax.device_put(parts, devices.placement(AXIS))


def make_train_step(
    config: Config, graph: Graph, *, bos: int, total_steps: int, update: bool = True
) -> TrainStep:
    """Returns the compiled step `(state, gathered, sharded batch, key)` -> the first two, metrics.

    With accumulation, the step made with `update=False` only adds to what each device has gathered:
    devices exchange gradients once for each update.
    An update whose gradient is not finite, or whose loss has exploded, is skipped and counted:
    parameters, optimizer and schedule stay as they are. A batch of padding alone changes nothing
    at all. State and sums given to the step are donated: their buffers are reused.
    """
    optimizer = build_optimizer(config.training)
    rate_at = learning_rate(config.training, total_steps=total_steps)
    objectives = build_objectives(config)
    passes = max((section.passes for section in config.objectives), default=1)
    loss = partial(_loss, config=config, graph=graph, objectives=objectives, passes=passes, bos=bos)

    def step(
        before: TrainState, gathered: Gathered | None, batch: Batch, key: RandomKey
    ) -> tuple[TrainState, Gathered | None, StepMetrics]:
        key = jax.random.fold_in(key, before.batches)
        keys = _row_keys(key, batch.source.shape[0], passes=passes)
        gradient, (sums, costs) = jax.grad(loss, has_aux=True)(
            before.params, before.objectives, batch, keys
        )
        own = Gathered(loss=sums.loss, tokens=sums.tokens, gradient=gradient)
        if gathered is not None:
            own = jax.tree.map(jnp.add, gathered, own)
        sums, costs = jax.lax.psum((sums, costs), AXIS)
        rate, norm = rate_at(before.step) * before.lr_scale, jnp.zeros(())
        alone = replace(sums, loss=sums.loss - sum(costs.values()))
        moved = {each.name: each.update(before.objectives[each.name], alone) for each in objectives}
        state = replace(before, batches=before.batches + 1, objectives=moved)
        if update:
            total = jax.lax.psum(own, AXIS)
            state, norm = _updated(state, total, optimizer, rate, ema=config.training.ema)
            own = jax.tree.map(jnp.zeros_like, own)
        after = state, None if gathered is None else own
        state, gathered = _either(sums.tokens > 0, after, (before, gathered))
        metrics = StepMetrics(
            sums=sums,
            costs=costs,
            gradient_norm=norm,
            learning_rate=rate,
            skipped=state.skipped,
            skipped_in_row=state.skipped_in_row,
        )
        return state, gathered, metrics

    return jax.pmap(
        step,
        axis_name=AXIS,
        in_axes=(None, 0, 0, None),
        out_axes=(None, 0, None),
        donate_argnums=(0, 1),
    )


def _loss(
    params: Params,
    states: dict[str, Any],
    batch: Batch,
    keys: Any,
    *,
    config: Config,
    graph: Graph,
    objectives: Sequence[Objective],
    passes: int,
    bos: int,
) -> tuple[Scalar, tuple[LossSums, dict[str, Scalar]]]:
    """Returns what one device minimizes, and the sums and costs that are logged."""
    params = freezing.without_gradients(params, config.training.freeze)
    batch = jax.tree.map(lambda rows: jnp.concatenate([rows] * passes), batch)
    sums, forward, logged = _forward(
        graph, params, batch, keys=keys, bos=bos, config=config, train=True
    )
    minimized = sum(logged.values(), sums.loss)
    for objective in objectives:
        added, costs = objective(states[objective.name], forward, batch)
        minimized, logged = minimized + added, logged | costs
    parts = replace(sums, loss=sum(logged.values(), sums.loss)), logged
    return jax.tree.map(lambda total: total / passes, (minimized, parts))


def make_eval_step(config: Config, graph: Graph, *, bos: int) -> EvalStep:
    """Returns the compiled `(params, sharded batch) -> sums`, without dropout."""

    def step(params: Params, batch: Batch) -> LossSums:
        sums, *_ = _forward(graph, params, batch, keys=None, bos=bos, config=config, train=False)
        return jax.lax.psum(sums, AXIS)

    return jax.pmap(step, axis_name=AXIS, in_axes=(None, 0), out_axes=None)


def _forward(
    graph: Graph, params: Params, batch: Batch, *, keys: Any, bos: int, config: Config, train: bool
) -> tuple[LossSums, Any, dict[str, Scalar]]:
    """Returns the loss sums of one device's rows, the input of the objectives, and own costs.

    An aligner has such costs, and no objectives. The model is computed in the configured dtype.
    """
    dtype = jnp.dtype(config.training.dtype)
    model = nnx.merge(graph, jax.tree.map(lambda p: p.astype(dtype), params))
    if isinstance(model, AlignerNetwork):
        row_keys = None if keys is None else keys[:, 0]
        sums, costs = aligning.losses(model, batch, row_keys, axis=AXIS, config=config)
        return sums, None, costs
    source_keys, target_keys, sample_keys = [None] * 3 if keys is None else list(keys.T)
    encoded = model.encode(
        batch.source, batch.source_lengths, dropout_keys=source_keys, sample_keys=sample_keys
    )
    target = jnp.asarray(batch.target)
    readouts, attended = model.teacher_forced(
        previous_tokens(target, bos), encoded, dropout_keys=target_keys
    )
    matrix, bias = model.output_layer
    sums, losses = cross_entropy(
        readouts,
        matrix,
        bias,
        target,
        jnp.asarray(batch.target_lengths),
        label_smoothing=config.training.label_smoothing if train else 0.0,
    )
    return sums, Forward(attended, losses, readouts, (matrix, bias)), {}


def _updated(
    state: TrainState,
    total: Gathered,
    optimizer: optax.GradientTransformation,
    rate: Scalar,
    *,
    ema: float | None,
) -> tuple[TrainState, Scalar]:
    """Returns the state after an update, or a skipped one, and the norm of the mean gradient.

    `total` has the sums of all devices, `ema` is the decay of the moving average.
    """
    mean = jax.tree.map(lambda g: g / jnp.maximum(total.tokens, 1.0), total.gradient)
    norm = optax.tree.norm(mean)
    sound = jnp.isfinite(norm) & (total.loss < EXPLODED * total.tokens)
    updates, optimizer_state = optimizer.update(mean, state.optimizer, state.params)
    params = jax.tree.map(lambda p, u: p - rate * u, state.params, updates)
    updated = replace(
        state,
        step=state.step + 1,
        params=params,
        ema=None if ema is None else _moving_average(state, params, decay=ema),
        optimizer=optimizer_state,
        skipped_in_row=jnp.zeros_like(state.skipped_in_row),
    )
    skipped = replace(state, skipped=state.skipped + 1, skipped_in_row=state.skipped_in_row + 1)
    return _either(sound, updated, skipped), norm


def _moving_average(state: TrainState, params: Params, *, decay: float) -> Params:
    """Returns the average after update number t, with the decay min(decay, t / (t + 9)).

    As in TensorFlow and Marian, the first averages forget soon how training began.
    """
    t = state.step + 1
    return optax.incremental_update(params, state.ema, jnp.maximum(1 - decay, 9 / (t + 9)))


def _either(condition: Bool[Array, ""], one: Any, other: Any) -> Any:
    """Returns one of two trees, selected array by array, without a branch."""
    return jax.tree.map(partial(jnp.where, condition), one, other)


def _row_keys(key: RandomKey, rows: int, *, passes: int) -> Any:
    """Returns (passes * rows, 3) keys that depend on a row's place in the whole batch.

    They do not depend on devices, so that any number of them drops the same.
    """
    places = jax.lax.axis_index(AXIS) * rows + jnp.arange(rows)
    of_places = jax.vmap(partial(jax.random.fold_in, key))(places)
    keys = jax.vmap(lambda key: jax.random.split(key, (passes, 3)), out_axes=1)(of_places)
    return keys.reshape(-1, 3)
