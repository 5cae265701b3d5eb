"""Settings of recurrent cells and of their layers."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from nmt.config.section import Buildable, Choice, Size


class RecurrentConfig(Buildable):
    """Settings that every recurrent cell has."""

    matrices: ClassVar[int]  # that the input, and as many that the state is multiplied with

    kind: str


class GRUConfig(RecurrentConfig):
    """The gated recurrent unit (Cho et al. 2014)."""

    implementation: ClassVar[str] = "nmt.recurrent.gru:GRU"
    matrices: ClassVar[int] = 3

    kind: Literal["gru"] = "gru"
    layer_norm: bool = False
    """Normalize what input and state add to each gate (layer normalization, Ba et al. 2016)."""


class LSTMConfig(RecurrentConfig):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with a forget gate."""

    implementation: ClassVar[str] = "nmt.recurrent.lstm:LSTM"
    matrices: ClassVar[int] = 4

    kind: Literal["lstm"] = "lstm"
    forget_bias: float = 1.0
    """Initial bias of the forget gate; 1 lets an untrained cell remember."""
    layer_norm: bool = False
    """Normalize what input and state add to each gate (layer normalization, Ba et al. 2016)."""


CellConfig = Annotated[GRUConfig | LSTMConfig, Choice(default="gru")]


class LayeredConfig(Buildable):
    """Settings that recurrent layers have, in encoders and in decoders."""

    kind: str
    hidden_size: Size
    layers: Size = 1
    """Number of layers."""
    transitions: Size = 1
    """Cells in sequence within a time step of each layer (deep transitions)."""
    residual: bool = False
    """Add to the output of each upper layer that of the layer below."""

    @property
    def depths(self) -> list[int]:
        """The number of cells in sequence that each layer has."""
        return [self.transitions] * self.layers

    def _conflicts(self) -> Iterator[str]:
        if self.residual and self.layers == 1:
            yield "`residual: true` would do nothing with one layer: leave it out, or set `layers`"
