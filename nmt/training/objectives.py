"""Objectives: losses beside the cross-entropy, each with a state of its own."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float

from nmt.attention.interface import AttentionOutput
from nmt.config import Config
from nmt.data.batching import Batch
from nmt.training.loss import LossSums
from nmt.types import OutputBias, OutputMatrix, Readouts, Scalar

State = Any  # a pytree, a part of the checkpoint


class Forward(NamedTuple):
    """The model's outputs for the rows of one device, given the true previous tokens.

    If a section asks for several passes, the rows of all passes come one after the other.
    """

    attended: AttentionOutput  # at each target position
    losses: Float[Array, "batch tgt"]  # cross-entropy of each target token, zero on padding
    readouts: Readouts
    output_layer: tuple[OutputMatrix, OutputBias]  # from readouts to logits


@runtime_checkable
class Objective(Protocol):
    """A loss beside the cross-entropy. It is built as `Class(config)`."""

    name: str  # of its state in a checkpoint

    def start(self, vocabulary_size: int) -> State:
        """Returns the state before the first update."""

    def __call__(
        self, state: State, forward: Forward, batch: Batch
    ) -> tuple[Scalar, dict[str, Scalar]]:
        """Returns the term that is added to the loss, a sum over the target tokens of the rows.

        The second result names sums that are logged as parts of the loss: the same sum, or none if
        its value has no meaning.
        """

    def update(self, state: State, sums: LossSums) -> State:
        """Returns the state after a batch.

        `sums` are those of the cross-entropy over all devices, without the costs of objectives.
        """


class Stateless:
    """The base of objectives that remember nothing."""

    def start(self, vocabulary_size: int) -> tuple[()]:
        """Returns the empty state."""
        return ()

    def update(self, state: tuple[()], sums: LossSums) -> tuple[()]:
        """Returns the empty state."""
        return ()


def build_objectives(config: Config) -> list[Objective]:
    """Returns the objectives that the configuration sets."""
    return [each.build() for each in config.objectives]
