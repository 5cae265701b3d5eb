"""The whole configuration as typed models, with every default: here and nowhere else.

`nmt.configfile` reads it from YAML and writes it back.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

Size = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]

SCORES = (
    "additive",
    "normed_additive",
    "dot",
    "scaled_dot",
    "general",
    "scaled_general",
    "location",
)


class Section(BaseModel):
    """A part of the configuration: immutable, and closed against unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CorpusConfig(Section):
    """Where parallel text lies: exactly one of `path`, `source` with `target`, and `hub`.

    A plain string in the YAML is a `path`, a list of two strings is a pair of text files.
    """

    path: str | None = None  # PREFIX of PREFIX.de and PREFIX.en; a TSV, JSONL, Parquet; "embedded"
    source: str | None = None  # a text file, one sentence a line
    target: str | None = None  # its translation, line for line
    hub: str | None = None  # a Hugging Face dataset: its name, or the path of a local one
    subset: str | None = None  # the dataset's configuration name
    split: str = "train"  # of the dataset or of the embedded corpus
    columns: tuple[str, str] | None = None  # of source and target; the language codes if not given
    alignments: str | None = None  # train: word links `i-j`, line for line; attention is guided

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"path": value}
        if isinstance(value, list) and len(value) == 2:
            return {"source": value[0], "target": value[1]}
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> "CorpusConfig":
        pair = self.source is not None or self.target is not None
        if pair and (self.source is None or self.target is None):
            raise ValueError("`source` and `target` are a pair of files; give both")
        if sum([self.path is not None, pair, self.hub is not None]) != 1:
            raise ValueError("give exactly one of `path`, `source` with `target`, and `hub`")
        return self


class BatchConfig(Section):
    """How sentences are put together. `tokens` counts padding, on the longer side of the pair."""

    tokens: Size | None = None  # cells of the longer side; sentences = tokens / longest
    sentences: Size | None = None  # rows of every batch
    shapes: Size = 14  # at most this many (source, target) lengths, so many compilations

    @model_validator(mode="after")
    def _one_budget(self) -> "BatchConfig":
        if self.tokens is not None and self.sentences is not None:
            raise ValueError("give `tokens` or `sentences`, not both")
        return self


class DataConfig(Section):
    """The corpora and what is kept of them."""

    source: str = "de"  # the code of the source language: a file ending or a column
    target: str = "en"  # the code of the target language
    train: CorpusConfig
    validation: CorpusConfig
    test: CorpusConfig | None = None
    max_length: Size = 100  # pieces, end of sentence included; longer training pairs are left out
    max_ratio: Positive = 9.0  # pieces of the longer side over pieces of the shorter one
    batch: BatchConfig = BatchConfig(sentences=64)


class SamplingConfig(Section):
    """Subword regularisation (Kudo 2018; BPE-dropout, Provilkov et al. 2020)."""

    alpha: Positive = 0.1  # unigram: smoothing of the distribution; BPE: rate of dropped merges
    candidates: Annotated[
        int, Field(le=512)
    ] = -1  # unigram: segmentations drawn from; -1 is all of them

    @model_validator(mode="after")
    def _has_a_choice(self) -> "SamplingConfig":
        if self.candidates != -1 and self.candidates < 2:
            raise ValueError("`candidates` is -1, for all segmentations, or 2 and more")
        return self


class TokenizerConfig(Section):
    """The SentencePiece stage: trained from the training text, or taken from existing models."""

    kind: Literal["unigram", "bpe"] = "unigram"
    vocabulary_size: Annotated[int, Field(ge=8)] = 8000
    joint: bool = True  # one model for both languages
    character_coverage: Annotated[float, Field(gt=0.9, le=1)] = 1.0  # share of the characters kept
    byte_fallback: bool = False  # unknown characters become bytes instead of <unk>
    model: str | None = None  # an existing joint .model
    source_model: str | None = None  # an existing .model of the source language
    target_model: str | None = None  # and of the target language
    sampling: SamplingConfig | None = None  # other segmentations in each epoch

    @model_validator(mode="after")
    def _models_come_whole(self) -> "TokenizerConfig":
        if (self.source_model is None) != (self.target_model is None):
            raise ValueError("give both `source_model` and `target_model`")
        if self.model is not None and self.source_model is not None:
            raise ValueError("give `model`, or `source_model` with `target_model`")
        return self


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
    score_options: dict[str, JsonValue] = {}  # keyword arguments of the score's class
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
    def _heads_are_equal(self) -> "ModelConfig":
        heads = self.attention.heads
        if self.attention.mechanism == "multi_head" and self.annotation_size % heads:
            raise ValueError(
                "heads share an annotation in equal parts: twice `encoder.hidden_size` "
                f"({self.encoder.hidden_size}) must be a multiple of `attention.heads` ({heads})"
            )
        return self


class ScheduleConfig(Section):
    """The learning rate over time; every kind may start with a linear warm-up."""

    kind: Literal["constant", "inverse_sqrt", "plateau", "luong", "cosine"] = "constant"
    warmup_steps: Count = 0  # the rate grows linearly over so many steps
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5  # plateau, luong: what the rate is cut by
    patience: Count = 2  # plateau: validations without a new best that do not cut yet
    start_step: Count | None = None  # luong: the first cut; two thirds of all steps if not given
    every_steps: Size | None = None  # luong: from cut to cut; a twelfth of all steps if not given


class GuidedAlignmentConfig(Section):
    """How `data.train.alignments` teach attention (Chen et al. 2016)."""

    cost: Literal["ce", "mse"] = "ce"  # cross-entropy, or half the squared difference
    weight: Positive = 0.1  # of the cost of a target piece, beside its loss


class TrainingConfig(Section):
    """Optimisation, validation and stopping."""

    optimizer: Literal["adam", "adamw", "adadelta", "sgd"] = "adam"
    learning_rate: Positive = 5.0e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.0  # adamw
    schedule: ScheduleConfig = ScheduleConfig()
    clip_norm: Positive | None = 1.0  # of the mean gradient of a target token
    label_smoothing: Fraction = 0.1
    guided_alignment: GuidedAlignmentConfig = GuidedAlignmentConfig()
    accumulate: Size = 1  # batches whose gradients make one step
    compute_type: Literal["float32", "bfloat16"] = "float32"  # parameters stay float32
    max_steps: Size | None = None  # updates; training ends at the first limit reached
    max_epochs: Size | None = 20  # passes over the corpus
    validate_every: Size = 500  # steps
    validation_beam: Size = 1  # the search that validation BLEU is measured with
    metric: Literal["bleu", "perplexity"] = "bleu"  # chooses the best checkpoint, stops early
    patience: Size | None = 10  # validations without a new best; null: train to the end
    max_skipped: Size = 10  # updates in a row left out as unsound; then training stops
    log_every: Size = 50  # steps
    attention_images: Count = 4  # validation sentences drawn for TensorBoard

    @model_validator(mode="after")
    def _ends(self) -> "TrainingConfig":
        if self.max_steps is None and self.max_epochs is None:
            raise ValueError("give `max_steps` or `max_epochs`")
        return self


class DecodingConfig(Section):
    """Search. The longest hypothesis is `max_ratio` times the source pieces plus `max_extra`."""

    beam: Size = 5  # hypotheses kept; 1 is greedy search
    normalisation: Literal["none", "average", "gnmt"] = "average"
    alpha: Annotated[float, Field(ge=0)] = 1.0  # average: length ** alpha; gnmt: Wu et al. (2016)
    max_ratio: Positive = 1.5  # target pieces a source piece
    max_extra: Count = 10  # target pieces on top
    coverage_penalty: Annotated[float, Field(ge=0)] = 0.0  # beta of Wu et al. (2016); 0: none
    shortlist: Count | None = None  # translations of a source piece that may be used; null: all
    prune: Positive | None = None  # nats below the best hypothesis that give one up; null: none
    draw: Count | None = None  # hard, monotonic: seed to draw positions by; null: take the best
    batch: Size = 64  # sentences of 128 pieces; four times as many of 32 or fewer
    max_source: Size = 512  # pieces; a longer line is cut, with a warning


class Config(Section):
    """One run: what to train on, what to train, how to search."""

    run: str | None = None  # the run folder; runs/NAME for configs/NAME.yaml if not given
    seed: Count = 1  # of parameters, dropout, order and subword sampling
    data: DataConfig
    tokenizer: TokenizerConfig = TokenizerConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    decoding: DecodingConfig = DecodingConfig()

    @model_validator(mode="after")
    def _shared_vocabulary(self) -> "Config":
        separate = self.tokenizer.source_model is not None or not (
            self.tokenizer.joint or self.tokenizer.model is not None
        )
        if self.model.tied_embeddings == "all" and separate:
            raise ValueError(
                "`model.tied_embeddings: all` needs one vocabulary for both languages: set "
                "`tokenizer.joint: true`, or tie only the `target`"
            )
        return self

    @model_validator(mode="after")
    def _attention_is_guided(self) -> "Config":
        for name, corpus in (("validation", self.data.validation), ("test", self.data.test)):
            if corpus is not None and corpus.alignments is not None:
                raise ValueError(
                    f"`data.{name}.alignments` would do nothing, for links guide training alone: "
                    "leave it out, or give `data.train.alignments`"
                )
        attention = self.model.attention
        if self.data.train.alignments is None:
            return self
        if attention.mechanism in ("uniform", "none"):
            raise ValueError(
                f"`mechanism: {attention.mechanism}` has no weights that `data.train.alignments` "
                "could guide: leave them out, or choose `mechanism: global`"
            )
        if attention.mechanism == "hard" and attention.hard.estimator == "reinforce":
            raise ValueError(
                "`data.train.alignments` guide by a gradient, and `hard.estimator: reinforce` "
                "learns by reward: leave them out, or choose `hard.estimator: gumbel`"
            )
        return self
