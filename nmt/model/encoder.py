"""Encoders: from the vectors of a source to annotations."""

from typing import NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.config import BidirectionalConfig, CellConfig
from nmt.recurrent import cell as cells
from nmt.recurrent import dropout
from nmt.recurrent.cell import Cell
from nmt.types import Annotations, RowKeys, SourceMask, Summary


class Encoding(NamedTuple):
    """What an encoder makes of a source."""

    annotations: Annotations  # zero on padding
    mask: SourceMask  # True where an annotation stands, False on padding
    summary: Summary  # of the whole source: the decoder starts from it


@runtime_checkable
class Encoder(Protocol):
    """What the sequence model asks of an encoder.

    It is built as `Class(config, cell, input_size, dropout_rate=..., rngs=...)`.
    """

    def __call__(
        self,
        inputs: Float[Array, "batch src input"],
        mask: SourceMask,
        *,
        dropout_keys: RowKeys = None,
    ) -> Encoding:
        """Encodes a vector for each source position, such as the embedding of a token."""


class BidirectionalLayer(nnx.Module):
    """One forward and one backward cell over the same inputs."""

    def __init__(
        self, cell: CellConfig, input_size: int, hidden_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.forward: Cell = cell.build(input_size, hidden_size, rngs=rngs)
        self.backward: Cell = cell.build(input_size, hidden_size, rngs=rngs)

    def __call__(self, inputs: Float[Array, "batch src input"], mask: SourceMask) -> Annotations:
        """Returns both outputs of each position side by side; padding has forward's last one."""
        zeros = jnp.zeros((inputs.shape[0], self.forward.hidden_size), inputs.dtype)
        start = self.forward.start(zeros), self.backward.start(zeros)
        forward = cells.run(self.forward, inputs, start[0], mask=mask)
        backward = cells.run(self.backward, inputs, start[1], mask=mask, reverse=True)
        return jnp.concatenate([forward, backward], axis=-1)


class BidirectionalEncoder(nnx.Module):
    """The encoder of Bahdanau et al. (2015), section 3.2; upper layers read the one below."""

    def __init__(
        self,
        config: BidirectionalConfig,
        cell: CellConfig,
        input_size: int,
        *,
        dropout_rate: float,
        rngs: nnx.Rngs,
    ) -> None:
        sizes = [input_size] + [config.annotation_size] * (config.layers - 1)
        self.layers = nnx.List(
            [BidirectionalLayer(cell, size, config.hidden_size, rngs=rngs) for size in sizes]
        )
        self.dropout_rate = dropout_rate

    def __call__(
        self,
        inputs: Float[Array, "batch src input"],
        mask: SourceMask,
        *,
        dropout_keys: RowKeys = None,
    ) -> Encoding:
        """Returns both directions side by side, at each position and, as summary, at their ends."""
        layer_keys = dropout.split(dropout_keys, len(self.layers))
        for layer, keys in zip(self.layers, layer_keys, strict=True):
            inputs = dropout.over_time(keys, self.dropout_rate, layer(inputs, mask))
        forward, backward = jnp.split(inputs, 2, axis=-1)
        summary = jnp.concatenate([forward[:, -1], backward[:, 0]], axis=-1)
        return Encoding(annotations=inputs * mask[..., None], mask=mask, summary=summary)
