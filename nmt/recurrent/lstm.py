"""Long short-term memory."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float

from nmt.config import LSTMConfig
from nmt.recurrent import gates
from nmt.recurrent.dropout import dropped
from nmt.recurrent.gates import input_matrices, orthogonal_matrices
from nmt.recurrent.normalization import GateNorm, normalized
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
    untrained cell remembers (Jozefowicz et al. 2015). With layer normalization, each W x and each
    U h is normalized before it is added (see `GateNorm`), and the last line reads o * tanh(N(c')),
    as in Ba et al. (2016).
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
        self.norm = GateNorm(self.gates, hidden_size) if config.layer_norm else None
        self.memory_gain = nnx.Param(jnp.ones(hidden_size)) if config.layer_norm else None

    def project(self, inputs: CellInput) -> Gates:
        """Returns W x + b for all gates; with layer normalization W x."""
        return gates.project(self.input, self.norm, inputs)

    def start(self, output: CellOutput) -> LSTMState:
        """Returns the state in which both h and c are the given vector."""
        return LSTMState(output=output, memory=output)

    def step(self, state: LSTMState, projected: Gates, mask: StateMask = None) -> LSTMState:
        """Returns h' and c'."""
        recurrent = dropped(state.output, mask) @ self.recurrent[...]
        projected, recurrent = gates.terms(self.input, self.norm, projected, recurrent)
        write, forget, proposal, read = jnp.split(projected + recurrent, 4, axis=-1)
        memory = jax.nn.sigmoid(forget) * state.memory
        memory = memory + jax.nn.sigmoid(write) * jnp.tanh(proposal)
        shown = memory
        if self.memory_gain is not None:
            shown = normalized(memory, self.memory_gain[...], self.hidden_size)
        return LSTMState(output=jax.nn.sigmoid(read) * jnp.tanh(shown), memory=memory)

    def output(self, state: LSTMState) -> CellOutput:
        """Returns h."""
        return state.output
