"""The part of the configuration that is about the network: encoder, decoder, attention."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from nmt.config.section import Fraction, Positive, Section, Size

SCORES = (
    "additive",
    "normed_additive",
    "dot",
    "scaled_dot",
    "general",
    "scaled_general",
    "location",
)


class EncoderConfig(Section):
    """The bidirectional GRU encoder."""

    hidden_size: Size = 256  # of each direction; an annotation is twice as wide
    layers: Size = 1


class DecoderConfig(Section):
    """The attentional GRU decoder."""

    kind: Literal["bahdanau", "luong"] = "luong"
    hidden_size: Size = 512
    layers: Size = 1
    input_feeding: bool = True  # luong: the attentional vector is part of the next input
    readout_size: Size | None = None  # under the logits; the embedding size if not given


class HardConfig(Section):
    """Hard attention: how what has no gradient, a drawn position, is learnt."""

    estimator: Literal["reinforce", "gumbel"] = "reinforce"  # of the gradient
    reward_weight: Positive = 0.1  # reinforce: lambda_r of Xu et al. (2015); 1 is unbiased
    entropy_weight: Annotated[float, Field(ge=0)] = 0.01  # reinforce: lambda_e, keeps exploring
    expected: Fraction = 0.5  # reinforce: share of the sentences whose context is the mean
    baseline_decay: Fraction = 0.9  # reinforce: of the moving average of the loss
    temperature: Positive = 1.0  # gumbel: of the softmax that the gradient is taken of


class MonotonicConfig(Section):
    """Monotonic attention: how a pointer that only moves forwards is learnt."""

    offset: float = -1.0  # what scores are shifted by at the start: e^-offset positions a step
    noise: Annotated[float, Field(ge=0)] = 1.0  # of scores in training; makes them decide


class AttentionConfig(Section):
    """What the decoder attends with."""

    mechanism: Literal[
        "global", "local_m", "local_p", "hard", "monotonic", "multi_head", "uniform", "none"
    ] = "global"
    score: str = "additive"  # a name, or the dotted path of a class: "package.module:Class"
    score_options: dict[str, JsonValue] = Field(default={})  # keywords of the score's class
    normaliser: Literal["softmax", "sparsemax", "entmax15"] = "softmax"  # makes scores weights
    window: Size = 10  # local_m, local_p: positions attended to on each side of the centre
    heads: Size = 4  # multi_head: parts of equal width that attend side by side
    coverage: Literal["none", "linguistic", "neural"] = "none"  # global: reads what was translated
    max_fertility: Positive = 2.0  # linguistic: target tokens a position becomes, at most
    coverage_size: Size = 10  # neural: components of a position's coverage
    hard: HardConfig = HardConfig()
    monotonic: MonotonicConfig = MonotonicConfig()

    @model_validator(mode="after")
    def _known_score(self) -> "AttentionConfig":
        if self.score not in SCORES and ":" not in self.score:
            raise ValueError(
                f"`score` is {self.score!r}: choose one of {', '.join(SCORES)}, "
                "or name a class of your own as package.module:Class"
            )
        return self

    @model_validator(mode="after")
    def _score_compares(self) -> "AttentionConfig":
        compares = {
            "local_m": "compares the positions of a window",
            "local_p": "compares the positions of a window",
            "monotonic": "compares one position after the other",
        }
        if self.score == "location" and self.mechanism in compares:
            raise ValueError(
                f"`mechanism: {self.mechanism}` {compares[self.mechanism]}, and "
                "`score: location` compares nothing: choose another score, or `mechanism: global`"
            )
        if self.score == "location" and self.coverage != "none":
            raise ValueError(
                f"`coverage: {self.coverage}` is added to what a score compares, and "
                "`score: location` compares nothing: choose another score, or `coverage: none`"
            )
        return self

    @model_validator(mode="after")
    def _all_is_read(self) -> "AttentionConfig":
        if self.coverage != "none" and self.mechanism != "global":
            raise ValueError(
                f"`mechanism: {self.mechanism}` has no coverage, so that `coverage: "
                f"{self.coverage}` would do nothing: leave it out, or choose `mechanism: global`"
            )
        if self.mechanism in ("uniform", "none") and (
            self.score_options or self.normaliser != "softmax"
        ):
            unread = "score_options" if self.score_options else "normaliser"
            raise ValueError(
                f"`mechanism: {self.mechanism}` has no scores, so that `{unread}` would do "
                f"nothing: leave it out, or choose `mechanism: global` or `local_p`"
            )
        if self.mechanism == "monotonic" and self.normaliser != "softmax":
            raise ValueError(
                "`mechanism: monotonic` decides on one position after the other, so that "
                "`normaliser` would do nothing: leave it out, or choose `mechanism: global`"
            )
        return self


class ModelConfig(Section):
    """Sizes and kinds of the network."""

    embedding_size: Size = 256  # of both languages
    encoder: EncoderConfig = EncoderConfig()
    decoder: DecoderConfig = DecoderConfig()
    attention: AttentionConfig = AttentionConfig()
    lexical: bool = False  # logits also from the embeddings attended to (Nguyen and Chiang 2018)
    dropout: Fraction = 0.3  # of embeddings, annotations and readout; one mask a sentence
    tied_embeddings: Literal["none", "target", "all"] = "none"  # target: also the output matrix

    @property
    def annotation_size(self) -> int:
        """The width of an annotation: both directions side by side."""
        return 2 * self.encoder.hidden_size

    @property
    def readout_size(self) -> int:
        """The width of the layer under the logits."""
        return self.decoder.readout_size or self.embedding_size

    @model_validator(mode="after")
    def _sizes_combine(self) -> "ModelConfig":
        score, decoder = self.attention.score, self.decoder
        direct = score in ("dot", "scaled_dot") and self.attention.mechanism != "multi_head"
        if direct and decoder.hidden_size != self.annotation_size:
            raise ValueError(
                f"the score {score!r} compares the decoder state with annotations directly: "
                f"`decoder.hidden_size` ({decoder.hidden_size}) must be twice "
                f"`encoder.hidden_size` ({self.encoder.hidden_size}); or choose 'general'"
            )
        if self.tied_embeddings != "none" and self.readout_size != self.embedding_size:
            raise ValueError(
                "tied embeddings are also the output matrix: `decoder.readout_size` "
                f"({self.readout_size}) must equal `embedding_size` ({self.embedding_size})"
            )
        return self

    @model_validator(mode="after")
    def _lexical_model_reads(self) -> "ModelConfig":
        if self.lexical and self.attention.mechanism == "none":
            raise ValueError(
                "`lexical: true` reads the source words that are attended to, and `mechanism: "
                "none` attends to none: leave it out, or choose `mechanism: global`"
            )
        return self

    @model_validator(mode="after")
    def _heads_are_equal(self) -> "ModelConfig":
        heads = self.attention.heads
        if self.attention.mechanism == "multi_head" and self.annotation_size % heads:
            raise ValueError(
                "heads share an annotation in equal parts: twice `encoder.hidden_size` "
                f"({self.encoder.hidden_size}) must be a multiple of `attention.heads` ({heads})"
            )
        return self
