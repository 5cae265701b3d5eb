"""The compiled steps: one update, and one evaluation, over all local devices.

This is the only module that spreads work over devices. `pmap` runs the step on each of them with a
part of the batch and the whole state; sums of gradients, losses and tokens are added over the
devices and divided once, so that one device and eight give the same parameters whatever the
padding.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx, struct
from jaxtyping import Array, Bool

from nmt.config import Config
from nmt.data.batching import Batch
from nmt.model.seq2seq import Seq2Seq
from nmt.model.vocabulary import previous_tokens
from nmt.training.loss import LossSums, cross_entropy
from nmt.training.objectives import Forward, build_objectives
from nmt.training.optimizer import build_optimizer, learning_rate
from nmt.types import Graph, Integer, Params, RandomKey, Scalar

AXIS = "device"
EXPLODED = 1e4  # nats a token; chance alone takes no more than ten, so that this is no model


@struct.dataclass
class TrainState:
    """All that training changes; a checkpoint holds exactly this and the data progress."""

    step: Integer  # updates made
    batches: Integer  # batches consumed, more than updates where gradients accumulate
    params: Params
    optimizer: optax.OptState
    lr_scale: Scalar  # the factor by which validation has cut the learning rate
    pending: tuple[LossSums, Params] | None  # sums of the batches since the last update
    objectives: dict[str, Any]  # the state of each objective beside the cross-entropy
    skipped: Integer  # updates left out, because their gradient or loss was not sound
    skipped_in_row: Integer  # the last of them, without one between that was made


@struct.dataclass
class StepMetrics:
    """What one step reports; arrays stay on the device until somebody reads them."""

    sums: LossSums
    costs: dict[str, Scalar]  # those parts of the loss that objectives are, as sums, too
    gradient_norm: Scalar  # of the mean gradient, before clipping; zero where no update was made
    learning_rate: Scalar
    skipped: Integer  # as in the state after the step
    skipped_in_row: Integer


TrainStep = Callable[[TrainState, Any, RandomKey], tuple[TrainState, StepMetrics]]
EvalStep = Callable[[Params, Any], LossSums]


def device_count() -> int:
    """Returns the number of local devices; the rows of a batch must be a multiple of it."""
    return jax.local_device_count()


def shard(batch: Batch) -> Any:
    """Puts equal parts of the rows on each device: leaves become (device, rows, ...)."""
    parts = jax.tree.map(lambda x: x.reshape(device_count(), -1, *x.shape[1:]), batch)
    return jax.device_put(parts, _placement(AXIS))


def init_state(config: Config, model: Seq2Seq) -> TrainState:
    """Returns the state before the first update, already where the step leaves it.

    A state on one device only would have the step compiled twice: for it, and for its successor.
    """
    params = nnx.state(model, nnx.Param)
    pending = None
    if config.training.gradient_accumulation > 1:
        pending = (_no_loss(), jax.tree.map(jnp.zeros_like, params))
    state = TrainState(
        step=jnp.zeros((), jnp.int32),
        batches=jnp.zeros((), jnp.int32),
        params=params,
        optimizer=build_optimizer(config.training).init(params),
        lr_scale=jnp.ones(()),
        pending=pending,
        objectives={
            each.name: each.start(len(model.output_bias)) for each in build_objectives(config)
        },
        skipped=jnp.zeros((), jnp.int32),
        skipped_in_row=jnp.zeros((), jnp.int32),
    )
    return jax.device_put(state, _placement())


def make_train_step(
    config: Config, graph: Graph, *, bos: int, total_steps: int, update: bool = True
) -> TrainStep:
    """Returns the compiled step `(state, sharded batch, key) -> (state, metrics)`.

    With accumulation, the step made with `update=False` only adds its gradients to the state.
    An update whose gradient is not finite, or whose loss has exploded, is left out and counted:
    parameters, optimiser and schedule stay as they are. A batch of padding alone changes nothing
    at all. The state given to the step is donated: its buffers are reused.
    """
    training = config.training
    optimizer = build_optimizer(training)
    rate_at = learning_rate(training, total_steps=total_steps)
    objectives = build_objectives(config)

    def step(state: TrainState, batch: Batch, key: RandomKey) -> tuple[TrainState, StepMetrics]:
        keys = _row_keys(jax.random.fold_in(key, state.batches), batch.source.shape[0])

        def loss(params: Params) -> tuple[Scalar, tuple[LossSums, dict[str, Scalar]]]:
            sums, forward = _forward(
                graph, params, batch, keys=keys, bos=bos, config=config, train=True
            )
            minimised = sums.loss
            logged: dict[str, Scalar] = {}
            for objective in objectives:
                added, costs = objective(state.objectives[objective.name], forward, batch)
                minimised, logged = minimised + added, logged | costs
            return minimised, (replace(sums, loss=sum(logged.values(), sums.loss)), logged)

        gradients, (sums, costs) = jax.lax.psum(jax.grad(loss, has_aux=True)(state.params), AXIS)
        rate = rate_at(state.step) * state.lr_scale
        before = state
        moved = {each.name: each.update(state.objectives[each.name], sums) for each in objectives}
        state = replace(state, batches=state.batches + 1, objectives=moved)
        total, summed, norm = sums, gradients, jnp.zeros(())
        if state.pending is not None:
            total, summed = jax.tree.map(jnp.add, state.pending, (sums, gradients))
        state = replace(state, pending=(total, summed) if state.pending else None)
        if update:
            mean = jax.tree.map(lambda g: g / jnp.maximum(total.tokens, 1.0), summed)
            norm = optax.tree.norm(mean)
            sound = jnp.isfinite(norm) & (total.loss < EXPLODED * total.tokens)
            state = _either(sound, _updated(state, mean, optimizer, rate), _left_out(state))
            state = replace(state, pending=jax.tree.map(jnp.zeros_like, state.pending))
        state = _either(sums.tokens > 0, state, before)
        return state, StepMetrics(
            sums=sums,
            costs=costs,
            gradient_norm=norm,
            learning_rate=rate,
            skipped=state.skipped,
            skipped_in_row=state.skipped_in_row,
        )

    return jax.pmap(step, axis_name=AXIS, in_axes=(None, 0, None), out_axes=None, donate_argnums=0)


def make_eval_step(config: Config, graph: Graph, *, bos: int) -> EvalStep:
    """Returns the compiled `(params, sharded batch) -> sums`, without dropout."""

    def step(params: Params, batch: Batch) -> LossSums:
        sums, *_ = _forward(graph, params, batch, keys=None, bos=bos, config=config, train=False)
        return jax.lax.psum(sums, AXIS)

    return jax.pmap(step, axis_name=AXIS, in_axes=(None, 0), out_axes=None)


def _forward(
    graph: Graph, params: Params, batch: Batch, *, keys: Any, bos: int, config: Config, train: bool
) -> tuple[LossSums, Forward]:
    """Returns the loss of one device's rows in sums, and what objectives are computed from.

    It is computed in the configured type.
    """
    dtype = jnp.dtype(config.training.dtype)
    model = nnx.merge(graph, jax.tree.map(lambda p: p.astype(dtype), params))
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
    return sums, Forward(attended, losses)


def _updated(
    state: TrainState, mean: Params, optimizer: optax.GradientTransformation, rate: Scalar
) -> TrainState:
    """Returns the state after an update with the mean gradient of a token."""
    updates, optimizer_state = optimizer.update(mean, state.optimizer, state.params)
    return replace(
        state,
        step=state.step + 1,
        params=jax.tree.map(lambda p, u: p - rate * u, state.params, updates),
        optimizer=optimizer_state,
        skipped_in_row=jnp.zeros_like(state.skipped_in_row),
    )


def _left_out(state: TrainState) -> TrainState:
    """Returns the state in which an update was not made, and is counted."""
    return replace(state, skipped=state.skipped + 1, skipped_in_row=state.skipped_in_row + 1)


def _either(condition: Bool[Array, ""], one: TrainState, other: TrainState) -> TrainState:
    """Returns one of two states, array by array, so that the compiled step need not branch."""
    return jax.tree.map(partial(jnp.where, condition), one, other)


def _placement(*axes: str) -> jax.sharding.NamedSharding:
    """Returns the sharding of leading axes over the local devices; without axes, whole copies."""
    mesh = jax.sharding.Mesh(np.array(jax.local_devices()), (AXIS,))
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))


def _row_keys(key: RandomKey, rows: int) -> Any:
    """Returns (rows, 3) keys that depend on a row's place in the whole batch, not on devices."""
    places = jax.lax.axis_index(AXIS) * rows + jnp.arange(rows)
    return jax.vmap(lambda place: jax.random.split(jax.random.fold_in(key, place), 3))(places)


def _no_loss() -> LossSums:
    return LossSums(loss=jnp.zeros(()), nll=jnp.zeros(()), tokens=jnp.zeros(()))
