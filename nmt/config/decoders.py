"""Settings of attentional decoders."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nmt.config.recurrent import LayeredConfig
from nmt.config.section import Choice, Size


class AttentionalDecoderConfig(LayeredConfig):
    """Settings that all decoders have."""

    attends_first: ClassVar[bool] = False  # before it has read the previous token

    hidden_size: Size = 512
    """Units of each layer."""
    readout_size: Size | None = None
    """Width of the layer before the output matrix; null: `model.embedding_size`."""
    initial_state: Literal["summary", "learned"] = "summary"
    """First state: made from a summary of the source, or a learned one, the same for all sources.
    """


class BahdanauDecoderConfig(AttentionalDecoderConfig):
    """The decoder of Bahdanau et al. (2015): it attends, then updates its state."""

    implementation: ClassVar[str] = "nmt.model.bahdanau:BahdanauDecoder"
    attends_first: ClassVar[bool] = True

    kind: Literal["bahdanau"] = "bahdanau"


class LuongDecoderConfig(AttentionalDecoderConfig):
    """The decoder of Luong et al. (2015): it updates its state, then attends."""

    implementation: ClassVar[str] = "nmt.model.luong:LuongDecoder"

    kind: Literal["luong"] = "luong"
    input_feeding: bool = True
    """Feed the attentional vector into the next step (input feeding)."""


class ConditionalDecoderConfig(AttentionalDecoderConfig):
    """The conditional GRU of dl4mt, Nematus and Marian: it attends between two cells."""

    implementation: ClassVar[str] = "nmt.model.conditional:ConditionalDecoder"

    kind: Literal["conditional"] = "conditional"
    transitions: Annotated[Size, Field(ge=2)] = 2
    """Cells of the lowest layer: one before attention, one after it, and others without input."""
    upper_transitions: Size = 1
    """Cells in sequence within a time step of each upper layer (deep transitions)."""

    @property
    def depths(self) -> list[int]:
        """The number of cells in sequence of each layer; of the lowest one, before attention."""
        return [1, *[self.upper_transitions] * (self.layers - 1)]

    def _conflicts(self) -> Iterator[str]:
        yield from super()._conflicts()
        if self.upper_transitions > 1 and self.layers == 1:
            yield (
                "`upper_transitions` would do nothing with one layer: leave it out, or set `layers`"
            )


class XuDecoderConfig(AttentionalDecoderConfig):
    """The decoder of Xu et al. (2015): its context is gated, and a part of the deep output."""

    implementation: ClassVar[str] = "nmt.model.xu:XuDecoder"
    attends_first: ClassVar[bool] = True

    kind: Literal["xu"] = "xu"
    gate: bool = True
    """Multiply the context by beta_t, a gate that the state before the step decides on."""

    def _conflicts(self) -> Iterator[str]:
        yield from super()._conflicts()
        if self.initial_state == "learned":
            yield (
                "`kind: xu` makes its first state from the mean annotation: leave out "
                "`initial_state: learned`, or choose `kind: bahdanau`"
            )


DecoderConfig = Annotated[
    BahdanauDecoderConfig | LuongDecoderConfig | ConditionalDecoderConfig | XuDecoderConfig,
    Choice(default="luong"),
]
