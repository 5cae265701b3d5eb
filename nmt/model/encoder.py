"""Encoders: from source embeddings to annotations."""

from typing import NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.config import BidirectionalConfig, CellConfig
from nmt.recurrent import cell as cells
from nmt.recurrent import dropout
from nmt.recurrent.cell import Cell
from nmt.types import Annotations, RowKeys, SourceMask, Summary

SourceInput = Float[Array, "batch src input"]


class Encoding(NamedTuple):
    """The output of an encoder."""

    annotations: Annotations  # zero on padding
    mask: SourceMask  # True where an annotation stands
    summary: Summary  # the decoder's first state is made from it


@runtime_checkable
class Encoder(Protocol):
    """An encoder, built as `Class(config, cell, input_size, dropout_rate=..., rngs=...)`."""

    def __call__(
        self, inputs: SourceInput, mask: SourceMask, *, dropout_keys: RowKeys = None
    ) -> Encoding:
        """Encodes a vector for each source position, such as the embedding of a token."""


class BidirectionalLayer(nnx.Module):
    """One forward and one backward cell over the same inputs."""

    def __init__(
        self, cell: CellConfig, input_size: int, hidden_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.forward: Cell = cell.build(input_size, hidden_size, rngs=rngs)
        self.backward: Cell = cell.build(input_size, hidden_size, rngs=rngs)

    def __call__(self, inputs: SourceInput, mask: SourceMask) -> Annotations:
        """Returns the outputs of both directions side by side; padding keeps the previous one."""
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
        self, inputs: SourceInput, mask: SourceMask, *, dropout_keys: RowKeys = None
    ) -> Encoding:
        """Returns the outputs of both directions side by side; the summary is their last ones."""
        layer_keys = dropout.split(dropout_keys, len(self.layers))
        for layer, keys in zip(self.layers, layer_keys, strict=True):
            inputs = dropout.over_time(keys, self.dropout_rate, layer(inputs, mask))
        forward, backward = jnp.split(inputs, 2, axis=-1)
        summary = jnp.concatenate([forward[:, -1], backward[:, 0]], axis=-1)
        return Encoding(annotations=inputs * mask[..., None], mask=mask, summary=summary)
