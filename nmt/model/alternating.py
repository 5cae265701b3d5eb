"""The alternating stacked encoder: two columns of layers that run in turns of direction."""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.config import AlternatingConfig, CellConfig, DropoutConfig, InputShape
from nmt.model.encoder import Encoding, mean_annotation, read
from nmt.recurrent import dropout, transition
from nmt.recurrent.cell import Cell
from nmt.types import RowKeys, SourceMask, SourceVectors


class AlternatingEncoder(nnx.Module):
    """The encoder of Zhou et al. (2016), as Miceli Barone et al. (2017) and Nematus stack it.

    Layer l of the first column runs forward if l is odd, else backward; the second column is its
    mirror. A layer reads the one below it in its own column, and v_l = h_l + v_{l-1} with residual
    connections, except for the bottom one. An annotation is the tops of both columns side by side.
    The summary is the mean of the annotations, as in Nematus.
    """

    def __init__(
        self,
        config: AlternatingConfig,
        cell: CellConfig,
        shape: InputShape,
        *,
        rates: DropoutConfig,
        rngs: nnx.Rngs,
    ) -> None:
        def column() -> Sequence[Cell]:
            sizes = [shape.size] + [config.hidden_size] * (config.layers - 1)
            transitions, hidden = config.transitions, config.hidden_size
            return nnx.List(
                [
                    transition.build(cell, size, hidden, transitions=transitions, rngs=rngs)
                    for size in sizes
                ]
            )

        self.columns: Sequence[Sequence[Cell]] = nnx.List([column(), column()])
        self.residual, self.rates = config.residual, rates

    def __call__(
        self, inputs: SourceVectors, mask: SourceMask, *, dropout_keys: RowKeys = None
    ) -> Encoding:
        """Returns the tops of both columns side by side; the summary is their mean."""
        top, *keys = dropout.split(dropout_keys, 3)
        tops = [
            self._run(column, inputs, mask, keys[number], first_backward=bool(number))
            for number, column in enumerate(self.columns)
        ]
        annotations = jnp.concatenate(tops, axis=-1) * mask[..., None]
        annotations = dropout.over_time(top, self.rates.at("annotations"), annotations)
        return Encoding(annotations, mask, summary=mean_annotation(annotations, mask))

    def _run(
        self,
        column: Sequence[Cell],
        inputs: SourceVectors,
        mask: SourceMask,
        keys: RowKeys,
        *,
        first_backward: bool,
    ) -> Float[Array, "batch src hidden"]:
        """Returns the output of the top of a column."""
        layer_keys = dropout.split(keys, 2 * len(column))
        outputs = inputs
        for number, cell in enumerate(column):
            if number:
                key, rate = layer_keys[2 * number], self.rates.at("layers")
                inputs = dropout.over_time(key, rate, outputs)
            found = read(
                cell,
                inputs,
                mask,
                rate=self.rates.recurrent,
                keys=layer_keys[2 * number + 1],
                reverse=first_backward != bool(number % 2),
            )
            outputs = found + outputs if self.residual and number else found
        return outputs
