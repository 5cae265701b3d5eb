"""Settings of the network: encoder, decoder and output."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nmt.config.attention import AttentionConfig, GlobalConfig
from nmt.config.dropout import DropoutConfig, DropoutPlace
from nmt.config.encoders import ConvolutionalConfig, IdentityConfig
from nmt.config.section import Buildable, Choice, ConfigSection, Size


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


EncoderConfig = Annotated[
    BidirectionalConfig | AlternatingConfig | IdentityConfig | ConvolutionalConfig,
    Choice(default="bidirectional"),
]


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


class GuidedHeadConfig(Buildable):
    """A [guided head](explanations.md#a-guided-head): a second attention, which aligns."""

    implementation: ClassVar[str] = "nmt.model.guided_head:GuidedHead"

    size: Size = 128
    """Components of the vectors that the head compares."""
    isolated: bool = True
    """Train the head alone by the links, so that the rest learns as it would without a head."""


class ModelConfig(ConfigSection):
    """Sizes and kinds of the network."""

    embedding_size: Size = 256
    """Width of the embeddings of both languages."""
    cell: CellConfig = GRUConfig()
    """Recurrent cell of encoder and decoder."""
    encoder: EncoderConfig = BidirectionalConfig()
    """Encoder."""
    decoder: DecoderConfig = LuongDecoderConfig()
    """Attentional decoder."""
    attention: AttentionConfig = GlobalConfig()
    """Attention mechanism; [attention.md](attention.md) has the equations of each."""
    lexical_model: bool = False
    """Add the [lexical model](attention.md#the-lexical-model-modellexical_model) to the logits."""
    guided_head: GuidedHeadConfig | None = None
    """Second attention, which `data.train.alignments` guide to align what is written; null: none.
    """
    dropout: DropoutConfig = DropoutConfig()
    """Dropout in training; a plain number is the rate of embeddings, annotations and readout."""
    tied_embeddings: Literal["none", "target", "all"] = "none"
    """Share target embeddings: `target`: with the output matrix; `all`: also with the source."""

    @property
    def annotation_size(self) -> int:
        """The width of an annotation."""
        return self.encoder.annotation_size

    @property
    def readout_size(self) -> int:
        """The width of the layer before the output matrix."""
        return self.decoder.readout_size or self.embedding_size

    @property
    def layers(self) -> int:
        """The largest number of layers, of the encoder or of the decoder."""
        return max(getattr(part, "layers", 1) for part in (self.encoder, self.decoder))

    @property
    def drops(self) -> bool:
        """Whether dropout drops anything in this network."""
        rates = self.dropout
        places: list[DropoutPlace] = ["embeddings", "annotations", "readout"]
        places += ["layers"] if self.layers > 1 else []
        return any(
            (*map(rates.at, places), rates.recurrent, rates.source_words, rates.target_words)
        )

    def _conflicts(self) -> Iterator[str]:
        attention = self.attention
        if self.tied_embeddings != "none" and self.readout_size != self.embedding_size:
            yield (
                "tied embeddings are also the output matrix: `decoder.readout_size` "
                f"({self.readout_size}) must equal `embedding_size` ({self.embedding_size})"
            )
        if isinstance(self.decoder, XuDecoderConfig) and self.readout_size != self.embedding_size:
            yield (
                "`decoder.kind: xu` adds the embedding to the readout: `decoder.readout_size` "
                f"({self.readout_size}) must equal `embedding_size` ({self.embedding_size})"
            )
        if self.dropout.layers is not None and self.layers == 1:
            yield (
                "`dropout.layers` would do nothing, for encoder and decoder have one layer each: "
                "leave it out, or set `encoder.layers` or `decoder.layers`"
            )
        yield from attention.size_conflicts(self.decoder.hidden_size, self.annotation_size)
        if self.lexical_model and not attention.has_weights:
            yield (
                "`lexical_model: true` reads the source words that are attended to, and "
                f"`mechanism: {attention.mechanism}` attends to none: leave it out, or choose "
                "`mechanism: global`"
            )
