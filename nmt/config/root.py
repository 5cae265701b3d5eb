"""The root of the configuration: all sections of a run, and the rules between them."""

from collections.abc import Iterator

from pydantic import model_validator

from nmt.config.aligner import AlignerConfig
from nmt.config.data import DataConfig
from nmt.config.decoding import DecodingConfig
from nmt.config.encoders import ConvolutionalConfig, IdentityConfig
from nmt.config.inputs import InputShape, PictureInputConfig
from nmt.config.model import ModelConfig
from nmt.config.section import ConfigSection, Count, ObjectiveConfig
from nmt.config.tokenizer import TokenizerConfig, TrainedTokenizerConfig
from nmt.config.training import GuidedAlignmentConfig, TrainingConfig


class Config(ConfigSection):
    """A training run, and the search with its model."""

    run: str | None = None
    """Run folder; null: `runs/NAME` for `NAME.yaml`."""
    seed: Count = 1
    """Random seed for initialization, dropout, shuffling and subword sampling."""
    data: DataConfig
    tokenizer: TokenizerConfig = TrainedTokenizerConfig()
    """SentencePiece models: trained on the training corpus, or existing ones."""
    model: ModelConfig = ModelConfig()
    aligner: AlignerConfig | None = None
    """Network that [aligns and does not translate](aligner.md), instead of `model`; null: none."""
    training: TrainingConfig = TrainingConfig()
    decoding: DecodingConfig = DecodingConfig()

    @property
    def objectives(self) -> list[ObjectiveConfig]:
        """The sections that are minimized beside the cross-entropy."""
        given = [value for _, value in self.training if isinstance(value, ObjectiveConfig)]
        own = self.model.attention.objective
        return given if own is None else [*given, own]

    def _conflicts(self) -> Iterator[str]:
        yield from self._input_conflicts()
        yield from self._aligner_conflicts()
        yield from self._data_conflicts()
        yield from self._link_conflicts()
        yield from self._objective_conflicts()
        yield from self._decoding_conflicts()

    def _data_conflicts(self) -> Iterator[str]:
        """Yields what does not go with the corpora and their vocabularies."""
        if self.model.tied_embeddings == "all" and not self.tokenizer.joint:
            yield (
                "`model.tied_embeddings: all` needs one vocabulary for both languages: set "
                "`tokenizer.joint: true`, or tie only the `target`"
            )
        if self.data.stream is not None and self.training.max_steps is None:
            yield (
                "`data.stream` does not tell how many pairs there are: give `training.max_steps`, "
                "at which training and a `schedule` such as cosine end"
            )
        for name, corpus in self.data.held_out.items():
            if corpus.alignments is not None:
                yield (
                    f"`data.{name}.alignments` would do nothing, for links guide training alone: "
                    "leave it out, or give `data.train.alignments`"
                )

    def _link_conflicts(self) -> Iterator[str]:
        """Yields what needs word links where there are none, and what they could not guide."""
        guided = self.training.guided_alignment
        if self.data.linked:
            yield from self._guidance_conflicts(guided or self._guidance)
        elif guided is not None:
            yield (
                "`training.guided_alignment` needs word links: give `data.train.alignments`, or "
                "leave it out"
            )
        if self.model.guided_head is not None and not self.data.linked:
            yield (
                "`model.guided_head` learns from word links alone: give `data.train.alignments`, "
                "or leave it out"
            )

    def _objective_conflicts(self) -> Iterator[str]:
        """Yields objectives beside the cross-entropy that would do nothing."""
        attention = self.model.attention
        if self.training.doubly_stochastic and not attention.learns_weights:
            yield (
                "`training.doubly_stochastic` sums the weights of attention, and `mechanism: "
                f"{attention.mechanism}` learns none: leave it out, or choose `mechanism: global`"
            )
        if self.training.r_drop and not (self.model.drops or attention.varies):
            yield (
                "`training.r_drop` compares two passes with different dropout, and "
                "`model.dropout` drops nothing: leave it out, or set `model.dropout`"
            )

    def _decoding_conflicts(self) -> Iterator[str]:
        """Yields settings of decoding that would do nothing with this attention."""
        attention = self.model.attention
        if self.decoding.attention_seed is not None and not attention.samples:
            yield (
                "`decoding.attention_seed` has no effect with `mechanism: "
                f"{attention.mechanism}`: leave it out; `mechanism: hard` and `monotonic` sample"
            )
        if self.decoding.coverage_penalty and not attention.has_weights:
            yield (
                "`decoding.coverage_penalty` sums the weights of attention, and `mechanism: "
                f"{attention.mechanism}` has none: leave it out, or choose `mechanism: global`"
            )

    def _aligner_conflicts(self) -> Iterator[str]:
        """Yields what would do nothing for a network that aligns."""
        if self.aligner is None:
            return
        if self.model != ModelConfig():
            yield "`model` translates, and `aligner` is trained instead: leave one of them out"
        if self.data.input.kind != "text":
            yield f"`aligner` reads text, and `data.input` is {self.data.input.kind}: leave it out"
        if self.data.linked:
            yield "`aligner` learns from text alone: leave out `data.train.alignments`"
        if self.data.reverse_target:
            yield "`data.reverse_target` is for translation, and `aligner` reads both directions"
        if self.training.metric != "perplexity":
            yield (
                "`training.metric: bleu` scores translations, and `aligner` makes none: set "
                "`training.metric: perplexity`"
            )
        for name in ("r_drop", "doubly_stochastic"):
            if getattr(self.training, name) is not None:
                yield f"`training.{name}` is for a network that translates: leave it out"

    def _input_conflicts(self) -> Iterator[str]:
        """Yields what the model cannot do with such a source."""
        model, shape, kind = self.model, self.data.input.shape, self.data.input.kind
        if shape is None and isinstance(model.encoder, IdentityConfig | ConvolutionalConfig):
            yield (
                f"`model.encoder.kind: {model.encoder.kind}` reads no text: choose "
                "`encoder: bidirectional`, or a `data.input` of pictures or vectors"
            )
        if shape is None:
            return
        yield from self._encoder_conflicts(shape)
        if model.lexical_model:
            yield (
                "`model.lexical_model: true` reads the embeddings of source words, and "
                f"`data.input: {kind}` has none: leave it out"
            )
        if model.tied_embeddings == "all":
            yield (
                "`model.tied_embeddings: all` shares those of source words, and "
                f"`data.input: {kind}` has none: tie only the `target`"
            )
        if model.dropout.source_words:
            yield (
                "`model.dropout.source_words` drops embeddings of source words, and "
                f"`data.input: {kind}` has none: leave it out"
            )
        if not self.tokenizer.joint:
            yield (
                f"`tokenizer` has two models, and `data.input: {kind}` has no text for one of "
                "them: set `tokenizer.joint: true`, or give one `tokenizer.model`"
            )
        text_only = {
            "tokenizer.sampling": self.tokenizer.sampling,
            "decoding.shortlist": self.decoding.shortlist,
            "decoding.placeholders": self.decoding.placeholders,
        }
        for name in (name for name, value in text_only.items() if value):
            yield f"`{name}` is for sources of text, and `data.input` is {kind}: leave it out"

    def _encoder_conflicts(self, shape: InputShape) -> Iterator[str]:
        """Yields why the encoder cannot read vectors of this shape."""
        match self.model.encoder, self.data.input:
            case IdentityConfig(annotation_size=size), _ if size != shape.size:
                yield (
                    f"`model.encoder.annotation_size` ({size}) must be the size of the vectors of "
                    f"`data.input` ({shape.size}), which `kind: identity` leaves as they are"
                )
            case ConvolutionalConfig(channels=channels), PictureInputConfig(cell=cell):
                layers = cell.bit_length() - 1
                if channels is not None and len(channels) != layers:
                    yield (
                        f"`model.encoder.channels` is of {len(channels)} layers, which halve each "
                        f"side, and `data.input.cell` of {cell} pixels needs {layers}"
                    )
            case ConvolutionalConfig(), _:
                yield (
                    "`model.encoder.kind: conv` reads pictures: set `data.input: pictures`, or "
                    "choose `encoder: identity` or `bidirectional`"
                )

    def _guidance_conflicts(self, guided: GuidedAlignmentConfig) -> Iterator[str]:
        """Yields why word links cannot guide the attention of this model."""
        attention = self.model.attention
        if self.model.guided_head is not None:
            if guided.step != "shifted":
                yield (
                    "`model.guided_head` aligns at the step that has read a piece: set "
                    "`training.guided_alignment.step: shifted`, or leave out `guided_head`"
                )
            return  # the links guide the head, and the other attention is as it likes
        if not attention.learns_weights:
            yield (
                f"`mechanism: {attention.mechanism}` has no weights that `data.train.alignments` "
                "could guide: leave them out, or choose `mechanism: global`"
            )
        if attention.objective is not None:
            yield (
                "`data.train.alignments` guide by a gradient, and `estimator: reinforce` "
                "learns by reward: leave them out, or choose `estimator: gumbel`"
            )
        if guided.cost == "ce" and attention.zeros is not None:
            yield (
                "`guided_alignment.cost: ce` has no gradient where weights are exactly zero, as by "
                f"{attention.zeros}: choose `cost: mse`, or `mechanism: global` with "
                "`normalizer: softmax`"
            )
        if guided.step == "shifted" and self.model.decoder.attends_first:
            yield (
                "`guided_alignment.step: shifted` guides the weights of the step that has read a "
                f"piece, and `decoder.kind: {self.model.decoder.kind}` attends before it reads: "
                "choose `step: predicted`, or `decoder.kind: luong`"
            )

    @property
    def _guidance(self) -> GuidedAlignmentConfig:
        """How links guide if nothing is said: a guided head, at the step that it aligns at."""
        return GuidedAlignmentConfig(step="shifted" if self.model.guided_head else "predicted")

    @model_validator(mode="after")
    def _links_guide_by_default(self) -> "Config":
        """Writes down how links guide attention if nothing was said, for the run folder to show."""
        if self.training.guided_alignment is not None or not self.data.linked:
            return self
        guided = {"guided_alignment": self._guidance}
        return self.model_copy(update={"training": self.training.model_copy(update=guided)})
