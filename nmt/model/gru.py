"""The gated recurrent unit: one cell, and its run over a masked sequence in either direction."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from nmt.model.scan import scan


class GRU(nnx.Module):
    """A gated recurrent unit (Cho et al. 2014; Bahdanau et al. 2015, appendix A.1.1).

        r  = sigmoid(W_r x + U_r s + b_r)              reset gate
        z  = sigmoid(W_z x + U_z s + b_z)              update gate
        s~ = tanh(W x + b + r * (U s + u))             proposal
        s' = (1 - z) * s + z * s~

    The paper prints U (r * s). Resetting after the product, as cuDNN and dl4mt do, lets the three
    gates share one product with the state; `recurrent` holds U_r, U_z and U side by side.
    """

    def __init__(self, input_size: int, hidden_size: int, *, rngs: nnx.Rngs) -> None:
        self.hidden_size = hidden_size
        self.input = nnx.Linear(input_size, 3 * hidden_size, rngs=rngs)
        orthogonal = nnx.initializers.orthogonal()
        matrices = [orthogonal(rngs.params(), (hidden_size, hidden_size)) for _ in range(3)]
        self.recurrent = nnx.Param(jnp.concatenate(matrices, axis=1))
        self.proposal_bias = nnx.Param(jnp.zeros(hidden_size))

    def project(self, inputs: Float[Array, "*rows input"]) -> Float[Array, "*rows gates"]:
        """Returns W x + b of all gates: the part that needs no state, for all steps at once."""
        return self.input(inputs)

    def step(
        self, state: Float[Array, "batch hidden"], projected: Float[Array, "batch gates"]
    ) -> Float[Array, "batch hidden"]:
        """Returns the state after one input that `project` has prepared."""
        from_state = state @ self.recurrent[...]
        x_reset, x_update, x_proposal = jnp.split(projected, 3, axis=-1)
        s_reset, s_update, s_proposal = jnp.split(from_state, 3, axis=-1)
        reset = jax.nn.sigmoid(x_reset + s_reset)
        update = jax.nn.sigmoid(x_update + s_update)
        proposal = jnp.tanh(x_proposal + reset * (s_proposal + self.proposal_bias[None, :]))
        return (1 - update) * state + update * proposal

    def run(
        self,
        inputs: Float[Array, "batch length input"],
        initial: Float[Array, "batch hidden"],
        *,
        mask: Bool[Array, "batch length"] | None = None,
        reverse: bool = False,
    ) -> Float[Array, "batch length hidden"]:
        """Returns the state after each input; where `mask` is False the state stays as it was.

        `reverse` runs from the last input to the first; states stay in the order of the inputs.
        """

        def step(
            state: Float[Array, "batch hidden"],
            now: tuple[Float[Array, "batch gates"], Bool[Array, " batch"] | None],
        ) -> tuple[Float[Array, "batch hidden"], Float[Array, "batch hidden"]]:
            projected, real = now
            new = self.step(state, projected)
            if real is not None:
                new = jnp.where(real[:, None], new, state)
            return new, new

        projected = self.project(inputs.swapaxes(0, 1))  # turned first: inputs are the smaller ones
        real = None if mask is None else mask.swapaxes(0, 1)
        _, states = scan(step, initial, (projected, real), reverse=reverse)
        return states.swapaxes(0, 1)
