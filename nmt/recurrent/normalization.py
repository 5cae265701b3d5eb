"""Layer normalization inside of cells."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.precision import widened
from nmt.types import Gates

EPSILON = 1e-5

Blocks = Float[Array, "*rows block size"]
Gain = Float[Array, "block size"]
Saved = tuple[Blocks, Float[Array, "*rows block 1"], Gain]


def normalized(values: Gates, gain: Float[Array, " gates"], size: int) -> Gates:
    """Returns N(a) = g * (a - mean(a)) / sqrt(variance(a) + 1e-5) of each block of components.

    A block has `size` components. Mean and variance are computed in float32 or wider.
    """
    blocks = values.reshape(*values.shape[:-1], -1, size)
    return _normalized(blocks, gain.reshape(-1, size)).reshape(values.shape)


@jax.custom_vjp
def _normalized(blocks: Blocks, gain: Gain) -> Blocks:
    return _forward(blocks, gain)[0]


def _forward(blocks: Blocks, gain: Gain) -> tuple[Blocks, Saved]:
    values = widened(blocks)
    centered = values - values.mean(axis=-1, keepdims=True)
    scale = jax.lax.rsqrt((centered**2).mean(axis=-1, keepdims=True) + EPSILON)
    unit = (centered * scale).astype(blocks.dtype)
    return unit * jnp.broadcast_to(gain, unit.shape), (unit, scale, gain)


def _backward(saved: Saved, gradient: Blocks) -> tuple[Blocks, Gain]:
    """Returns gradients by what the forward pass has saved: a third of what is saved without it.

    With y = (a - mean) * scale:  da = scale * (dy - mean(dy) - y * mean(dy * y)),  dg = sum(dN * y)
    """
    unit, scale, gain = saved
    of_gain = (gradient * unit).sum(axis=range(gradient.ndim - 2))
    unit = unit.astype(scale.dtype)
    wide = gradient.astype(scale.dtype) * jnp.broadcast_to(gain, unit.shape)
    along = (wide * unit).mean(axis=-1, keepdims=True)
    of_blocks = scale * (wide - wide.mean(axis=-1, keepdims=True) - unit * along)
    return of_blocks.astype(gradient.dtype), of_gain


_normalized.defvjp(_forward, _backward)


class GateNorm(nnx.Module):
    """Layer normalization of the gates (Ba et al. 2016, eq. 4; supplementary material).

        N(W_k x) + b_k  and  N(U_k s),  N(a) = g * (a - mean(a)) / sqrt(variance(a) + 1e-5)

    As in Nematus, the products with the input and with the state are normalized each by itself.
    Mean and variance are those of one gate k, as in RNMT+ (Chen et al. 2018). Each product has its
    own gain g, one number for each component, which starts at 1.
    """

    def __init__(self, gates: int, hidden_size: int) -> None:
        self.size = hidden_size
        self.input = nnx.Param(jnp.ones(gates))
        self.recurrent = nnx.Param(jnp.ones(gates))

    def __call__(
        self, layer: nnx.Linear, projected: Gates, recurrent: Gates
    ) -> tuple[Gates, Gates]:
        """Returns N(W x) + b and N(U s) for all gates; the layer is that of W and b."""
        assert layer.bias is not None
        inputs = normalized(projected, self.input[...], self.size)
        inputs = inputs + jnp.broadcast_to(layer.bias[...], inputs.shape)
        return inputs, normalized(recurrent, self.recurrent[...], self.size)
