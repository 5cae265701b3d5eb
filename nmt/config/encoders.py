"""Settings of encoders: recurrent ones, and those of given vectors and of pictures."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nmt.config.recurrent import LayeredConfig
from nmt.config.section import Buildable, Choice, Size


class RecurrentEncoderConfig(LayeredConfig):
    """Settings of encoders that read the source in both directions."""

    hidden_size: Size = 256
    """Units per direction; an annotation is twice as wide."""

    @property
    def annotation_size(self) -> int:
        """The width of an annotation: the states of both directions, concatenated."""
        return 2 * self.hidden_size


class BidirectionalConfig(RecurrentEncoderConfig):
    """Layers that read the one below in both directions (Bahdanau et al. 2015)."""

    implementation: ClassVar[str] = "nmt.model.encoder:BidirectionalEncoder"

    kind: Literal["bidirectional"] = "bidirectional"


class AlternatingConfig(RecurrentEncoderConfig):
    """Two columns of layers, whose direction changes from layer to layer (Zhou et al. 2016)."""

    implementation: ClassVar[str] = "nmt.model.alternating:AlternatingEncoder"

    kind: Literal["alternating"] = "alternating"
    layers: Annotated[Size, Field(ge=2)] = 2
    """Number of layers of each column."""


class IdentityConfig(Buildable):
    """No layers at all: the given vectors are the annotations."""

    implementation: ClassVar[str] = "nmt.model.identity:IdentityEncoder"

    kind: Literal["identity"] = "identity"
    annotation_size: Size
    """Size of an annotation, which is that of the given vectors."""


class ConvolutionalConfig(Buildable):
    """Convolutional layers over pictures; some halve the grid, down to cells, and others follow."""

    implementation: ClassVar[str] = "nmt.model.convolutional:ConvolutionalEncoder"

    kind: Literal["conv"] = "conv"
    channels: tuple[Size, ...] | None = None
    """Channels of each of the log2(`data.input.cell`) layers that halve; null: 32, 64, 128, then
    256."""
    depth: Size = 1
    """Layers on the grid of cells, behind those that halve."""
    annotation_size: Size = 128
    """Size of an annotation."""


EncoderConfig = Annotated[
    BidirectionalConfig | AlternatingConfig | IdentityConfig | ConvolutionalConfig,
    Choice(default="bidirectional"),
]
