"""The state of training: what an update changes, and what devices gather between two of them."""

from dataclasses import fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx, struct
from jaxtyping import Array, Float

from nmt import devices
from nmt.checkpoints import TrainingProgress
from nmt.config import Config, PlateauScheduleConfig, ScheduleConfig
from nmt.devices import AXIS
from nmt.model.aligner import AlignerNetwork
from nmt.model.build import Network
from nmt.training.objectives import build_objectives
from nmt.training.optimizer import build_optimizer
from nmt.types import Integer, Params, Scalar


@struct.dataclass
class TrainState:
    """Everything that training changes; a checkpoint holds this and the training progress."""

    step: Integer  # updates made
    batches: Integer  # batches consumed: more than updates with gradient accumulation
    params: Params
    ema: Params | None  # the exponential moving average of the parameters
    optimizer: optax.OptState
    lr_scale: Scalar  # the factor by which validation has cut the learning rate
    objectives: dict[str, Any]  # the state of each objective beside the cross-entropy
    skipped: Integer  # updates skipped, because their gradient or loss was not sound
    skipped_in_row: Integer  # skipped updates since the last one that was made

    @property
    def model(self) -> Params:
        """The parameters to translate with: the moving average, if there is one."""
        return self.params if self.ema is None else self.ema

    def items(self) -> dict[str, Any]:
        """Returns the trees of a checkpoint: the parameters to translate with, and the rest."""
        model = self._model
        names = [field.name for field in fields(self) if field.name != model]
        return {"params": self.model, "rest": {name: getattr(self, name) for name in names}}

    def restored(self, items: dict[str, Any]) -> "TrainState":
        """Returns the state of which a checkpoint has the trees."""
        return TrainState(**{self._model: items["params"]}, **items["rest"])

    @property
    def _model(self) -> str:
        """The field of the parameters to translate with."""
        return "params" if self.ema is None else "ema"


@struct.dataclass
class Gathered:
    """Sums of one device over the batches since the last update; outside the step, of each.

    They are not saved: a training stops after an update.
    """

    loss: Float[Array, "*device"]
    tokens: Float[Array, "*device"]
    gradient: Params

    @classmethod
    def nothing(cls, config: Config, params: Params) -> "Gathered | None":
        """Returns sums of zero for each device, None where every batch makes an update."""
        if config.training.gradient_accumulation == 1:
            return None
        one = cls(loss=jnp.zeros(()), tokens=jnp.zeros(()), gradient=params)
        place = devices.placement(AXIS)  # at once, as the sums of all may not fit on one
        return jax.tree.map(
            lambda x: jnp.zeros((devices.count(), *x.shape), x.dtype, device=place), one
        )


def init_state(config: Config, model: Network) -> TrainState:
    """Returns the state before the first update, placed as the step returns it.

    With a state on one device only, the step would be compiled twice.
    """
    params = nnx.state(model, nnx.Param)
    state = TrainState(
        step=jnp.zeros((), jnp.int32),
        batches=jnp.zeros((), jnp.int32),
        params=params,
        ema=None if config.training.ema is None else jax.tree.map(jnp.copy, params),
        optimizer=build_optimizer(config.training).init(params),
        lr_scale=jnp.ones(()),
        objectives={}
        if isinstance(model, AlignerNetwork)
        else {each.name: each.start(len(model.output_bias)) for each in build_objectives(config)},
        skipped=jnp.zeros((), jnp.int32),
        skipped_in_row=jnp.zeros((), jnp.int32),
    )
    return devices.replicate(state)


def cut_learning_rate(
    state: TrainState, progress: TrainingProgress, schedule: ScheduleConfig
) -> tuple[TrainState, TrainingProgress]:
    """Returns both after a validation; the `plateau` schedule cuts the rate after bad ones."""
    if (
        not isinstance(schedule, PlateauScheduleConfig)
        or progress.bad_validations_since_cut <= schedule.patience
    ):
        return state, progress
    return (
        replace(state, lr_scale=state.lr_scale * schedule.factor),
        replace(progress, bad_validations_since_cut=0),
    )
