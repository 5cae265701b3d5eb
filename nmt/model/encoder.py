"""Encoders: from the vectors of a source to annotations."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.config import BidirectionalConfig, CellConfig, DropoutConfig, InputShape
from nmt.recurrent import cell as cells
from nmt.recurrent import dropout, transition
from nmt.recurrent.cell import Cell
from nmt.types import Annotations, RowKeys, SourceMask, SourceVectors, Summary


class Encoding(NamedTuple):
    """The output of an encoder."""

    annotations: Annotations  # zero on padding
    mask: SourceMask  # True where an annotation stands
    summary: Summary  # the decoder's first state is made from it


@runtime_checkable
class Encoder(Protocol):
    """An encoder, built as `Class(config, cell, shape, rates=..., rngs=...)`.

    `shape` is that of its input: `InputShape(size)`, with a `grid` where positions have two axes.
    """

    def __call__(
        self, inputs: SourceVectors, mask: SourceMask, *, dropout_keys: RowKeys = None
    ) -> Encoding:
        """Encodes a vector for each source position: the embedding of a token, or a given one.

        The pixels of a picture are given as numbers from -1 to 1.
        """


def mean_annotation(annotations: Annotations, mask: SourceMask) -> Summary:
    """Returns the mean of the annotations of real positions; zeros if there is none."""
    number = jnp.maximum(mask.sum(axis=1, keepdims=True), 1).astype(annotations.dtype)
    return jnp.sum(annotations, axis=1, where=mask[..., None]) / number


def read(
    cell: Cell,
    inputs: SourceVectors,
    mask: SourceMask,
    *,
    rate: float,
    keys: RowKeys,
    reverse: bool = False,
) -> Float[Array, "batch src hidden"]:
    """Returns the outputs of a cell that starts from zeros; on padding they stay as they were.

    Recurrent dropout has this rate, and a key for each row.
    """
    dropped = dropout.recurrent_mask(keys, rate, cell.hidden_size, inputs.dtype)
    start = cell.start(jnp.zeros((len(inputs), cell.hidden_size), inputs.dtype))
    return cells.run(cell, inputs, start, mask=mask, reverse=reverse, dropout=dropped)


class BidirectionalLayer(nnx.Module):
    """One forward and one backward cell over the same inputs."""

    def __init__(
        self, config: BidirectionalConfig, cell: CellConfig, input_size: int, *, rngs: nnx.Rngs
    ) -> None:
        def build() -> Cell:
            transitions, size = config.transitions, config.hidden_size
            return transition.build(cell, input_size, size, transitions=transitions, rngs=rngs)

        self.forward, self.backward = build(), build()

    def __call__(
        self, inputs: SourceVectors, mask: SourceMask, rate: float, keys: Sequence[RowKeys]
    ) -> Annotations:
        """Returns the outputs of both directions side by side, with recurrent dropout in each."""
        forward, backward = keys
        outputs = [
            read(self.forward, inputs, mask, rate=rate, keys=forward),
            read(self.backward, inputs, mask, rate=rate, keys=backward, reverse=True),
        ]
        return jnp.concatenate(outputs, axis=-1)


class BidirectionalEncoder(nnx.Module):
    """The encoder of Bahdanau et al. (2015), section 3.2; upper layers read the one below.

    With residual connections (He et al. 2016) the output of layer l is h_l + v_{l-1}, where v_{l-1}
    is that of the layer below, before dropout. The bottom layer, whose input has another size, has
    none.
    """

    def __init__(
        self,
        config: BidirectionalConfig,
        cell: CellConfig,
        shape: InputShape,
        *,
        rates: DropoutConfig,
        rngs: nnx.Rngs,
    ) -> None:
        sizes = [shape.size] + [config.annotation_size] * (config.layers - 1)
        self.layers = nnx.List(
            [BidirectionalLayer(config, cell, size, rngs=rngs) for size in sizes]
        )
        self.residual, self.rates = config.residual, rates

    def __call__(
        self, inputs: SourceVectors, mask: SourceMask, *, dropout_keys: RowKeys = None
    ) -> Encoding:
        """Returns the outputs of both directions side by side; the summary is their last ones."""
        depth = len(self.layers)
        keys = dropout.split(dropout_keys, 3 * depth)
        rates = [self.rates.at("layers")] * (depth - 1) + [self.rates.at("annotations")]
        outputs = inputs
        for number, (layer, rate) in enumerate(zip(self.layers, rates, strict=True)):
            found = layer(inputs, mask, self.rates.recurrent, keys[depth + number :: depth])
            outputs = found + outputs if self.residual and number else found
            inputs = dropout.over_time(keys[number], rate, outputs)
        forward, backward = jnp.split(inputs, 2, axis=-1)
        summary = jnp.concatenate([forward[:, -1], backward[:, 0]], axis=-1)
        return Encoding(annotations=inputs * mask[..., None], mask=mask, summary=summary)
