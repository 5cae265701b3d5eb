"""Settings of encoders that are not recurrent: those of given vectors and of pictures."""

from typing import ClassVar, Literal

from nmt.config.section import Buildable, Size


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
