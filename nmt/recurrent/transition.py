"""Deep transitions: several cells in sequence within one time step."""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx

from nmt.config import CellConfig
from nmt.recurrent.cell import Cell, State
from nmt.types import CellInput, CellOutput, Gates, StateMask


class DeepTransition(nnx.Module):
    """A cell made of cells (Pascanu et al. 2014; Miceli Barone et al. 2017).

        s_t,1 = cell_1(x_t, s_t-1)
        s_t,k = cell_k(s_t,k-1)            k = 2 .. K;  s_t = s_t,K

    Cells after the first read the state alone: their input has no components, so that only their
    recurrent products and biases are left. Recurrent dropout has one mask for all of them.
    """

    def __init__(
        self,
        config: CellConfig,
        input_size: int,
        hidden_size: int,
        *,
        transitions: int,
        rngs: nnx.Rngs,
    ) -> None:
        sizes = [input_size] + [0] * (transitions - 1)
        self.cells: Sequence[Cell] = nnx.List(
            [config.build(size, hidden_size, rngs=rngs) for size in sizes]
        )
        self.hidden_size, self.gates = hidden_size, self.cells[0].gates

    def project(self, inputs: CellInput) -> Gates:
        """Returns what inputs add to the gates of the first cell."""
        return self.cells[0].project(inputs)

    def start(self, output: CellOutput) -> State:
        """Returns the state of the last cell with this output."""
        return self.cells[-1].start(output)

    def step(self, state: State, projected: Gates, mask: StateMask = None) -> State:
        """Returns the state of the last cell."""
        nothing = jnp.zeros((*projected.shape[:-1], 0), projected.dtype)
        for number, cell in enumerate(self.cells):
            state = cell.step(state, cell.project(nothing) if number else projected, mask)
        return state

    def output(self, state: State) -> CellOutput:
        """Returns the output of the last cell."""
        return self.cells[-1].output(state)


def build(
    config: CellConfig, input_size: int, hidden_size: int, *, transitions: int, rngs: nnx.Rngs
) -> Cell:
    """Returns a cell with so many transitions in each time step; a plain cell has one."""
    if transitions == 1:
        cell: Cell = config.build(input_size, hidden_size, rngs=rngs)
        return cell
    return DeepTransition(config, input_size, hidden_size, transitions=transitions, rngs=rngs)
