"""The encoder: a (stacked) bidirectional GRU that turns source tokens into annotations."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from nmt.model import dropout
from nmt.model.gru import GRU
from nmt.types import RowKeys


class BidirectionalLayer(nnx.Module):
    """One forward and one backward GRU over the same inputs."""

    def __init__(self, input_size: int, hidden_size: int, *, rngs: nnx.Rngs) -> None:
        self.forward = GRU(input_size, hidden_size, rngs=rngs)
        self.backward = GRU(input_size, hidden_size, rngs=rngs)

    def __call__(
        self, inputs: Float[Array, "batch src input"], mask: Bool[Array, "batch src"]
    ) -> Float[Array, "batch src annotation"]:
        """Returns both states of each position side by side; padding has forward's last state."""
        zeros = jnp.zeros((inputs.shape[0], self.forward.hidden_size), inputs.dtype)
        forward = self.forward.run(inputs, zeros, mask=mask)
        backward = self.backward.run(inputs, zeros, mask=mask, reverse=True)
        return jnp.concatenate([forward, backward], axis=-1)


class Encoder(nnx.Module):
    """The encoder of Bahdanau et al. (2015), section 3.2; upper layers read the one below."""

    def __init__(
        self, input_size: int, hidden_size: int, *, layers: int, dropout_rate: float, rngs: nnx.Rngs
    ) -> None:
        sizes = [input_size] + [2 * hidden_size] * (layers - 1)
        self.layers = nnx.List([BidirectionalLayer(size, hidden_size, rngs=rngs) for size in sizes])
        self.hidden_size = hidden_size
        self.dropout_rate = dropout_rate

    def __call__(
        self,
        inputs: Float[Array, "batch src input"],
        mask: Bool[Array, "batch src"],
        *,
        keys: RowKeys = None,
    ) -> tuple[Float[Array, "batch src annotation"], Float[Array, "batch annotation"]]:
        """Returns the annotations, zero on padding, and both final states side by side."""
        layer_keys = dropout.split(keys, len(self.layers))
        for layer, above in zip(self.layers, layer_keys, strict=True):
            inputs = dropout.over_time(above, self.dropout_rate, layer(inputs, mask))
        forward, backward = jnp.split(inputs, 2, axis=-1)
        summary = jnp.concatenate([forward[:, -1], backward[:, 0]], axis=-1)
        return inputs * mask[..., None], summary
