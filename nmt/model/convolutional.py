"""The convolutional encoder of pictures: its last grid is the annotations."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.config import CellConfig, ConvolutionalConfig, DropoutConfig, InputShape
from nmt.data.cells import join
from nmt.model.encoder import Encoding, mean_annotation
from nmt.recurrent import dropout
from nmt.types import RowKeys, SourceMask, SourceVectors

COLORS = 3
FIRST, MOST = 32, 256  # channels of the layers, where none are given
POSITIONS = 0.5  # deviation of the embeddings of rows and columns; that of a layer is near it

Grid = Float[Array, "batch _ _ _"]  # rows, columns, and channels


class ConvolutionalEncoder(nnx.Module):
    """Convolutions that halve both sides until a cell of the picture is one position.

        g_0 = the pixels                        colors from -1 to 1
        g_k = relu(N(W_k * g_{k-1}))            4 x 4 with stride 2, then 3 x 3
        h = g_K + r_row + c_column

    The first log2(cell) layers halve, and `depth` ones follow on the grid of cells. Windows of 4 x
    4 reach equally far to all sides of the 2 x 2 that they halve, so that what an annotation sees
    is around its cell: 7 pixels on each side of cells of 8 pixels, and 8 more for each layer on the
    grid. N normalizes the channels of each position by themselves (layer normalization, Ba
    et al. 2016, with a gain and a bias), so that neither the other pictures of a batch nor
    statistics of the past matter. r and c are learned vectors: annotations know their place, as
    convolutions do not. The summary is the mean of the annotations.
    """

    def __init__(
        self,
        config: ConvolutionalConfig,
        cell: CellConfig,
        shape: InputShape,
        *,
        rates: DropoutConfig,
        rngs: nnx.Rngs,
    ) -> None:
        assert shape.grid is not None  # the configuration refuses what is no picture
        self.grid, self.rates = shape.grid, rates
        self.side = math.isqrt(shape.size // COLORS)  # of a cell, in pixels
        layers, annotation = self.side.bit_length() - 1, config.annotation_size
        channels = config.channels or [min(FIRST << layer, MOST) for layer in range(layers)]
        sizes = [COLORS, *channels]
        sizes += [annotation] * config.depth
        self.layers: Sequence[_Convolution] = nnx.List(
            [
                _Convolution(size, wider, halves=number < layers, rngs=rngs)
                for number, (size, wider) in enumerate(pairwise(sizes))
            ]
        )
        self.rows, self.columns = (
            nnx.Param(POSITIONS * jax.random.normal(rngs.params(), (side, annotation)))
            for side in shape.grid
        )

    def __call__(
        self, inputs: SourceVectors, mask: SourceMask, *, dropout_keys: RowKeys = None
    ) -> Encoding:
        """Returns the last grid in reading order, with dropout of annotations."""
        batch, positions = len(inputs), math.prod(self.grid)
        cells = inputs[:, :positions] * mask[:, :positions, None]
        grid: Grid = join(cells, self.grid, self.side)
        for layer in self.layers:
            grid = layer(grid)
        annotations = (grid + self._places()[None]).reshape(batch, positions, -1)
        annotations = dropout.over_time(dropout_keys, self.rates.at("annotations"), annotations)
        behind = inputs.shape[1] - positions  # padding of the batch
        annotations = jnp.pad(annotations, ((0, 0), (0, behind), (0, 0))) * mask[..., None]
        return Encoding(annotations, mask, summary=mean_annotation(annotations, mask))

    def _places(self) -> Float[Array, "row column annotation"]:
        """Returns r_row + c_column for each position."""
        rows, columns = self.rows[...], self.columns[...]
        return jnp.repeat(rows[:, None], len(columns), axis=1) + columns[None]


class _Convolution(nnx.Module):
    """A convolution, normalized, and the larger of each number and zero."""

    def __init__(self, size: int, wider: int, *, halves: bool, rngs: nnx.Rngs) -> None:
        side, stride = (4, 2) if halves else (3, 1)
        how: dict[str, Any] = {"strides": stride, "padding": 1, "use_bias": False}
        self.layer = nnx.Conv(size, wider, (side, side), **how, rngs=rngs)
        self.norm = nnx.LayerNorm(wider, rngs=rngs)

    def __call__(self, grid: Grid) -> Grid:
        return jax.nn.relu(self.norm(self.layer(grid)))
