"""The convolutional encoder of pictures: its last grid is the annotations."""

import math
from collections.abc import Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.config import CellConfig, ConvolutionalConfig, DropoutConfig, InputShape
from nmt.model.encoder import Encoding, mean_annotation
from nmt.recurrent import dropout
from nmt.types import RowKeys, SourceMask, SourceVectors

COLOURS = 3
FIRST, MOST = 32, 256  # channels of the layers, where none are given
POSITIONS = 0.5  # deviation of the embeddings of rows and columns; that of a layer is near it

Square = Float[Array, "batch src row column channel"]  # what a layer makes of each cell


class ConvolutionalEncoder(nnx.Module):
    """Convolutions that halve both sides until a cell of the picture is one position.

        g_0 = the pixels                             colours from -1 to 1
        g_k = relu(N(W_k * g_{k-1} + b_k))           2 x 2, at every second row and column
        h = relu(N(W * g_K)) + r_row + c_column      3 x 3, at each position of the grid of cells

    A cell has 2^K pixels on each side. N normalizes the channels of each position by themselves
    (layer normalization, Ba et al. 2016, with a gain and a bias), so that neither the other
    pictures of a batch nor statistics of the past matter. r and c are learned vectors: annotations
    know their place, as convolutions do not. An annotation sees its cell and those around it. The
    summary is the mean of the annotations.

    The windows of the halving layers do not overlap, so each is a matrix product. Windows of 3 x 3
    took 1.9 times as long on a CPU, and learnt no more in as many steps.
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
        self.side = math.isqrt(shape.size // COLOURS)  # of a cell, in pixels
        layers, annotation = self.side.bit_length() - 1, config.annotation_size
        channels = config.channels or [min(FIRST << layer, MOST) for layer in range(layers)]
        sizes = [COLOURS, *channels]
        self.layers: Sequence[_Halving] = nnx.List(
            [_Halving(size, wider, rngs=rngs) for size, wider in pairwise(sizes)]
        )
        self.last = nnx.Conv(sizes[-1], annotation, (3, 3), use_bias=False, rngs=rngs)
        self.norm = nnx.LayerNorm(annotation, rngs=rngs)
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
        squares = cells.reshape(batch, positions, self.side, self.side, COLOURS)
        for layer in self.layers:
            squares = layer(squares)
        grid = self.last(squares.reshape(batch, *self.grid, -1))
        grid = jax.nn.relu(self.norm(grid)) + self._places()[None]
        annotations = grid.reshape(batch, positions, -1)
        annotations = dropout.over_time(dropout_keys, self.rates.at("annotations"), annotations)
        behind = inputs.shape[1] - positions  # padding of the batch
        annotations = jnp.pad(annotations, ((0, 0), (0, behind), (0, 0))) * mask[..., None]
        return Encoding(annotations, mask, summary=mean_annotation(annotations, mask))

    def _places(self) -> Float[Array, "row column annotation"]:
        """Returns r_row + c_column for each position."""
        rows, columns = self.rows[...], self.columns[...]
        return jnp.repeat(rows[:, None], len(columns), axis=1) + columns[None]


class _Halving(nnx.Module):
    """A convolution of 2 x 2 with stride 2, normalized, and the larger of each number and zero."""

    def __init__(self, size: int, wider: int, *, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(4 * size, wider, rngs=rngs)
        self.norm = nnx.LayerNorm(wider, rngs=rngs)

    def __call__(self, squares: Square) -> Float[Array, "batch src half half wider"]:
        batch, positions, side, _, channels = squares.shape
        windows = squares.reshape(batch, positions, side // 2, 2, side // 2, 2, channels)
        windows = windows.swapaxes(3, 4).reshape(batch, positions, side // 2, side // 2, -1)
        return jax.nn.relu(self.norm(self.linear(windows)))
