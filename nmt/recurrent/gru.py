"""The gated recurrent unit."""

import jax
import jax.numpy as jnp
from flax import nnx

from nmt.config import GRUConfig
from nmt.recurrent import gates
from nmt.recurrent.dropout import dropped
from nmt.recurrent.gates import input_matrices, orthogonal_matrices
from nmt.recurrent.normalization import GateNorm
from nmt.types import CellInput, CellOutput, Gates, StateMask


class GRU(nnx.Module):
    """A gated recurrent unit (Cho et al. 2014; Bahdanau et al. 2015, appendix A.1.1).

        r  = sigmoid(W_r x + U_r s + b_r)              reset gate
        z  = sigmoid(W_z x + U_z s + b_z)              update gate
        s~ = tanh(W x + b + r * (U s + u))             proposal
        s' = (1 - z) * s + z * s~

    The paper prints U (r * s). Resetting after the product, as cuDNN and dl4mt do, lets the three
    gates share one product with the state; `recurrent` holds U_r, U_z and U side by side. With
    layer normalization, each W x and each U s is normalized before it is added (see `GateNorm`).
    """

    def __init__(
        self, config: GRUConfig, input_size: int, hidden_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.hidden_size, self.gates = hidden_size, config.matrices * hidden_size
        self.input = nnx.Linear(input_size, self.gates, kernel_init=input_matrices, rngs=rngs)
        self.recurrent = nnx.Param(orthogonal_matrices(hidden_size, config.matrices, rngs=rngs))
        self.proposal_bias = nnx.Param(jnp.zeros(hidden_size))
        self.norm = GateNorm(self.gates, hidden_size) if config.layer_norm else None

    def project(self, inputs: CellInput) -> Gates:
        """Returns W x + b for all gates; with layer normalization W x."""
        return gates.project(self.input, self.norm, inputs)

    def start(self, output: CellOutput) -> CellOutput:
        """Returns the output, which is the state."""
        return output

    def step(self, state: CellOutput, projected: Gates, mask: StateMask = None) -> CellOutput:
        """Returns s'."""
        recurrent = dropped(state, mask) @ self.recurrent[...]
        projected, recurrent = gates.terms(self.input, self.norm, projected, recurrent)
        x_reset, x_update, x_proposal = jnp.split(projected, 3, axis=-1)
        s_reset, s_update, s_proposal = jnp.split(recurrent, 3, axis=-1)
        reset = jax.nn.sigmoid(x_reset + s_reset)
        update = jax.nn.sigmoid(x_update + s_update)
        bias = jnp.broadcast_to(self.proposal_bias[...], s_proposal.shape)
        proposal = jnp.tanh(x_proposal + reset * (s_proposal + bias))
        return (1 - update) * state + update * proposal

    def output(self, state: CellOutput) -> CellOutput:
        """Returns the state, which is the output."""
        return state
