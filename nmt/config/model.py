"""Settings of the network: its parts, which are sections, and what joins them."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from nmt.config.attention import AttentionConfig, GlobalConfig
from nmt.config.decoders import DecoderConfig, LuongDecoderConfig, XuDecoderConfig
from nmt.config.dropout import DropoutConfig, DropoutPlace
from nmt.config.encoders import BidirectionalConfig, EncoderConfig
from nmt.config.recurrent import CellConfig, GRUConfig
from nmt.config.section import Buildable, ConfigSection, Size


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
    """Dropout in training; a plain number: of embeddings, layers, annotations and readout."""
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
