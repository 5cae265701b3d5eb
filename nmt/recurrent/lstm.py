"""Long short-term memory."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float

from nmt.config import LSTMConfig
from nmt.recurrent.dropout import dropped
from nmt.recurrent.gru import input_matrices, orthogonal_matrices
from nmt.types import CellInput, CellOutput, Gates, RandomKey, StateMask


@struct.dataclass
class LSTMState:
    """The state that one step passes to the next."""

    output: CellOutput  # h, which other layers read
    memory: CellOutput  # c, the memory cell, which they do not


class LSTM(nnx.Module):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with the forget gate of Gers et al.

        i = sigmoid(W_i x + U_i h + b_i)        input gate
        f = sigmoid(W_f x + U_f h + b_f)        forget gate
        g = tanh(W_g x + U_g h + b_g)           proposal
        o = sigmoid(W_o x + U_o h + b_o)        output gate
        c' = f * c + i * g
        h' = o * tanh(c')

    `recurrent` holds U_i, U_f, U_g and U_o side by side. b_f starts at `forget_bias`, so that an
    untrained cell remembers (Jozefowicz et al. 2015).
    """

    def __init__(
        self, config: LSTMConfig, input_size: int, hidden_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.hidden_size, self.gates = hidden_size, config.matrices * hidden_size

        def bias(key: RandomKey, shape: tuple[int], dtype: Any) -> Float[Array, " gates"]:
            """Initializes the bias of all gates."""
            is_forget = jnp.arange(self.gates) // hidden_size == 1
            return jnp.where(is_forget, config.forget_bias, 0.0).astype(dtype)

        self.input = nnx.Linear(
            input_size, self.gates, kernel_init=input_matrices, bias_init=bias, rngs=rngs
        )
        self.recurrent = nnx.Param(orthogonal_matrices(hidden_size, config.matrices, rngs=rngs))

    def project(self, inputs: CellInput) -> Gates:
        """Returns W x + b for all gates."""
        return self.input(inputs)

    def start(self, output: CellOutput) -> LSTMState:
        """Returns the state in which both h and c are the given vector."""
        return LSTMState(output=output, memory=output)

    def step(self, state: LSTMState, projected: Gates, mask: StateMask = None) -> LSTMState:
        """Returns h' and c'."""
        gates = projected + dropped(state.output, mask) @ self.recurrent[...]
        write, forget, proposal, read = jnp.split(gates, 4, axis=-1)
        memory = jax.nn.sigmoid(forget) * state.memory
        memory = memory + jax.nn.sigmoid(write) * jnp.tanh(proposal)
        return LSTMState(output=jax.nn.sigmoid(read) * jnp.tanh(memory), memory=memory)

    def output(self, state: LSTMState) -> CellOutput:
        """Returns h."""
        return state.output
