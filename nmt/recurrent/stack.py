"""A stack of cells, each of which reads the output of the one below it."""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float

from nmt.config import CellConfig, DropoutConfig
from nmt.recurrent import cell as cells
from nmt.recurrent import dropout, transition
from nmt.recurrent.cell import Cell, State
from nmt.types import CellInput, Gates, RowKeys, StateMask, StepGates, Summary

States = tuple[State, ...]  # one a layer, the bottom one first


@struct.dataclass
class StackMasks:
    """Dropout of one sentence, the same at each step."""

    below: tuple[Float[Array, "#batch #hidden"], ...]  # of the input of each upper layer
    recurrent: tuple[StateMask, ...]  # of the state of each layer


class LearnedOutput(nnx.Module):
    """A vector that is learned, for each row of a batch."""

    def __init__(self, size: int) -> None:
        self.bias = nnx.Param(jnp.zeros(size))

    def __call__(self, summary: Summary) -> Float[Array, "batch hidden"]:
        """Returns the vector for each row of the summary, which is not looked at."""
        return jnp.tile(self.bias[...], (len(summary), 1))


class Stack(nnx.Module):
    """The recurrent layers of a decoder, whose first state is made from a summary of the source.

    Without a `summary_size` the first state is learned, and the same for all sources.
    `depths` are the cells in sequence of each layer, the bottom one first. With residual
    connections the output of layer l is v_l = h_l + v_{l-1}, where v_{l-1} is that of the layer
    below, before dropout; the bottom layer has v_1 = h_1.
    """

    def __init__(
        self,
        config: CellConfig,
        input_size: int,
        hidden_size: int,
        *,
        depths: Sequence[int],
        summary_size: int | None,
        residual: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        self.initial: Sequence[nnx.Linear | LearnedOutput] = nnx.List(
            [
                LearnedOutput(hidden_size)
                if summary_size is None
                else nnx.Linear(summary_size, hidden_size, rngs=rngs)
                for _ in depths
            ]
        )
        sizes = [input_size] + [hidden_size] * (len(depths) - 1)
        self.cells: Sequence[Cell] = nnx.List(
            [
                transition.build(config, size, hidden_size, transitions=depth, rngs=rngs)
                for size, depth in zip(sizes, depths, strict=True)
            ]
        )
        self.residual = residual

    @property
    def gates(self) -> int:
        """Components of a projected input of the bottom layer."""
        return self.cells[0].gates

    def start(self, summary: Summary) -> States:
        """Returns the states with the outputs tanh(W_s h + b), W_s and b being those of each layer.

        Learned ones are tanh(b).
        """
        outputs = [jnp.tanh(layer(summary)) for layer in self.initial]
        return tuple(cell.start(output) for cell, output in zip(self.cells, outputs, strict=True))

    def project(self, inputs: CellInput) -> Gates:
        """Returns what inputs add to the gates of the bottom layer, for all positions at once."""
        return self.cells[0].project(inputs)

    def step(self, states: States, projected: StepGates, masks: StackMasks) -> States:
        """Returns the states after one input, each layer fed by the new state of the one below."""
        bottom = self.cells[0].step(states[0], projected, masks.recurrent[0])
        return self.above(bottom, states, masks)

    def above(self, bottom: State, states: States, masks: StackMasks) -> States:
        """Returns the states after one input, given the new state of the bottom layer."""
        new: States = (bottom,)
        for layer, cell in enumerate(self.cells[1:], start=1):
            below = cell.project(self.output(new) * masks.below[layer - 1])
            new = (*new, cell.step(states[layer], below, masks.recurrent[layer]))
        return new

    def output(self, states: States) -> Float[Array, "batch hidden"]:
        """Returns the output of the top layer, or of a lower one, if this is the last state."""
        found = [cell.output(state) for cell, state in zip(self.cells, states, strict=False)]
        return sum(found[1:], start=found[0]) if self.residual else found[-1]

    def run(
        self, inputs: Float[Array, "batch length input"], states: States, masks: StackMasks
    ) -> Float[Array, "batch length hidden"]:
        """Returns the output of the top layer after each input."""
        outputs = cells.run(self.cells[0], inputs, states[0], dropout=masks.recurrent[0])
        for layer, cell in enumerate(self.cells[1:], start=1):
            below = outputs * masks.below[layer - 1][:, None, :]
            found = cells.run(cell, below, states[layer], dropout=masks.recurrent[layer])
            outputs = found + outputs if self.residual else found
        return outputs

    def dropout_masks(
        self, keys: Sequence[RowKeys], rates: DropoutConfig, dtype: jnp.dtype
    ) -> StackMasks:
        """Samples a mask under each upper layer, then one of the state of each layer."""
        between, size = len(self.cells) - 1, self.cells[0].hidden_size
        rate = rates.at("layers")
        return StackMasks(
            below=tuple(dropout.mask(key, rate, size, dtype) for key in keys[:between]),
            recurrent=tuple(
                dropout.recurrent_mask(key, rates.recurrent, size, dtype) for key in keys[between:]
            ),
        )
