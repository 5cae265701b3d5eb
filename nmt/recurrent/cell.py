"""The interface of a recurrent cell, and the function that runs any cell over a sequence."""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from nmt.recurrent.scan import scan
from nmt.types import CellInput, CellOutput, Gates, StateMask, StepGates

State = Any  # a pytree; every leaf leads with the axis batch


@runtime_checkable
class Cell(Protocol):
    """A recurrent cell, built as `Class(config, input_size, hidden_size, rngs=...)`.

    A state may hold more than the output: an LSTM's has its memory cell, too.
    """

    hidden_size: int  # components of an output
    gates: int  # components of a projected input

    def project(self, inputs: CellInput) -> Gates:
        """Returns what inputs add to the gates: no state is needed, so all steps go at once."""

    def start(self, output: CellOutput) -> State:
        """Returns the state before the first step, made from the output it is to have."""

    def step(self, state: State, projected: Gates, mask: StateMask = None) -> State:
        """Returns the state after one projected input.

        The mask is of dropout: the products with recurrent matrices read the output times it.
        """

    def output(self, state: State) -> CellOutput:
        """Returns the output of a state, which other layers read."""


def run(
    cell: Cell,
    inputs: Float[Array, "batch length input"],
    state: State,
    *,
    mask: Bool[Array, "batch length"] | None = None,
    reverse: bool = False,
    dropout: StateMask = None,
) -> Float[Array, "batch length hidden"]:
    """Returns the output after each input; where `mask` is False the state stays as it was.

    `reverse` runs from the last input to the first; outputs stay in the order of the inputs.
    `dropout` is the mask that all steps are given.
    """

    def step(state: State, inputs: tuple[StepGates, Any]) -> tuple[State, CellOutput]:
        projected, real = inputs
        new = cell.step(state, projected, dropout)
        if real is not None:
            new = choose(real, new, state)
        return new, cell.output(new)

    projected = cell.project(inputs.swapaxes(0, 1))  # transposed first: inputs are smaller
    real = None if mask is None else mask.swapaxes(0, 1)
    _, outputs = scan(step, state, (projected, real), reverse=reverse)
    return outputs.swapaxes(0, 1)


def choose(wanted: Bool[Array, " batch"], chosen: PyTree, otherwise: PyTree) -> PyTree:
    """Returns the rows of `chosen` where `wanted`, and elsewhere those of `otherwise`."""

    def pick(one: Array, other: Array) -> Array:
        return jnp.where(wanted.reshape(-1, *[1] * (one.ndim - 1)), one, other)

    return jax.tree.map(pick, chosen, otherwise)
