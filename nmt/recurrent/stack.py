"""A stack of cells, each of which reads the output of the one below it."""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.config import CellConfig
from nmt.recurrent import cell as cells
from nmt.recurrent import dropout
from nmt.recurrent.cell import Cell, State
from nmt.types import CellInput, Gates, RowKeys, StepGates, Summary

States = tuple[State, ...]  # one a layer, the bottom one first
Masks = tuple[Float[Array, "#batch #hidden"], ...]  # dropout under each upper layer


class Stack(nnx.Module):
    """The recurrent layers of a decoder, whose first state is made from a summary of the source."""

    def __init__(
        self,
        config: CellConfig,
        input_size: int,
        hidden_size: int,
        *,
        layers: int,
        summary_size: int,
        rngs: nnx.Rngs,
    ) -> None:
        self.initial = nnx.List(
            [nnx.Linear(summary_size, hidden_size, rngs=rngs) for _ in range(layers)]
        )
        sizes = [input_size] + [hidden_size] * (layers - 1)
        self.cells: Sequence[Cell] = nnx.List(
            [config.build(size, hidden_size, rngs=rngs) for size in sizes]
        )

    @property
    def gates(self) -> int:
        """Components of a projected input of the bottom layer."""
        return self.cells[0].gates

    def start(self, summary: Summary) -> States:
        """Returns the states with the outputs tanh(W_s h), with the matrix W_s of each layer."""
        outputs = [jnp.tanh(layer(summary)) for layer in self.initial]
        return tuple(cell.start(output) for cell, output in zip(self.cells, outputs, strict=True))

    def project(self, inputs: CellInput) -> Gates:
        """Returns what inputs add to the gates of the bottom layer, for all positions at once."""
        return self.cells[0].project(inputs)

    def step(self, states: States, projected: StepGates, masks: Masks) -> States:
        """Returns the states after one input, each layer fed by the new state of the one below."""
        return self.above(self.cells[0].step(states[0], projected), states, masks)

    def above(self, bottom: State, states: States, masks: Masks) -> States:
        """Returns the states after one input, given the new state of the bottom layer."""
        new, below = [bottom], self.cells[0]
        for cell, state, mask in zip(self.cells[1:], states[1:], masks, strict=True):
            new.append(cell.step(state, cell.project(below.output(new[-1]) * mask)))
            below = cell
        return tuple(new)

    def output(self, states: States) -> Float[Array, "batch hidden"]:
        """Returns the output of the top layer."""
        return self.cells[-1].output(states[-1])

    def run(
        self, inputs: Float[Array, "batch length input"], states: States, masks: Masks
    ) -> Float[Array, "batch length hidden"]:
        """Returns the output of the top layer after each input."""
        outputs = cells.run(self.cells[0], inputs, states[0])
        for cell, state, mask in zip(self.cells[1:], states[1:], masks, strict=True):
            outputs = cells.run(cell, outputs * mask[:, None, :], state)
        return outputs

    def dropout_masks(self, keys: Sequence[RowKeys], rate: float, dtype: jnp.dtype) -> Masks:
        """Samples a dropout mask for each upper layer; the masks are ones without keys."""
        upper = zip(keys, self.cells[1:], strict=True)
        return tuple(dropout.mask(key, rate, cell.hidden_size, dtype) for key, cell in upper)
