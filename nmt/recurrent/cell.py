"""The recurrent cell: what it promises, and how any cell runs over a sequence."""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nmt.recurrent.scan import scan

State = Any  # a pytree; every leaf leads with the axis batch


@runtime_checkable
class Cell(Protocol):
    """What encoders and decoders ask of a cell, which is `Class(config, input, hidden, rngs=...)`.

    A state need not be an output: that of an LSTM has its memory cell, too.
    """

    hidden_size: int  # components of an output
    gates: int  # components of a projected input

    def project(self, inputs: Float[Array, "*rows input"]) -> Float[Array, "*rows gates"]:
        """Returns what an input adds to the gates: it needs no state, so all steps go at once."""
        ...

    def start(self, output: Float[Array, "*rows hidden"]) -> State:
        """Returns the state before the first step, made of what it would put out."""
        ...

    def step(self, state: State, projected: Float[Array, "*rows gates"]) -> State:
        """Returns the state after one input, which `project` has prepared."""
        ...

    def output(self, state: State) -> Float[Array, "*rows hidden"]:
        """Returns what other layers read of a state."""
        ...


def run(
    cell: Cell,
    inputs: Float[Array, "batch length input"],
    state: State,
    *,
    mask: Bool[Array, "batch length"] | None = None,
    reverse: bool = False,
) -> Float[Array, "batch length hidden"]:
    """Returns the output after each input; where `mask` is False the state stays as it was.

    `reverse` runs from the last input to the first; outputs stay in the order of the inputs.
    """

    def step(
        state: State, now: tuple[Float[Array, "batch gates"], Bool[Array, " batch"] | None]
    ) -> tuple[State, Float[Array, "batch hidden"]]:
        projected, real = now
        new = cell.step(state, projected)
        if real is not None:
            new = jax.tree.map(lambda new, old: jnp.where(real[:, None], new, old), new, state)
        return new, cell.output(new)

    projected = cell.project(inputs.swapaxes(0, 1))  # turned first: inputs are the smaller ones
    real = None if mask is None else mask.swapaxes(0, 1)
    _, outputs = scan(step, state, (projected, real), reverse=reverse)
    return outputs.swapaxes(0, 1)
