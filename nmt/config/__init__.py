"""The whole configuration as typed models, with every default: here and nowhere else.

`nmt.configfile` reads it from YAML and writes it back.
"""

from pydantic import model_validator

from nmt.config.attention import (
    SCORES,
    AttentionConfig,
    GlobalConfig,
    GumbelConfig,
    HardConfig,
    LinguisticCoverageConfig,
    LocalConfig,
    LocalMConfig,
    LocalPConfig,
    MechanismConfig,
    MonotonicConfig,
    MultiHeadConfig,
    NeuralCoverageConfig,
    NoAttentionConfig,
    NormalizedConfig,
    ReinforceConfig,
    ScoredConfig,
    UniformConfig,
)
from nmt.config.data import (
    BatchConfig,
    CorpusConfig,
    DataConfig,
    SentenceBatchConfig,
    TokenBatchConfig,
)
from nmt.config.decoding import DecodingConfig
from nmt.config.model import (
    BahdanauDecoderConfig,
    BidirectionalConfig,
    CellConfig,
    DecoderConfig,
    EncoderConfig,
    GRUConfig,
    LSTMConfig,
    LuongDecoderConfig,
    ModelConfig,
)
from nmt.config.section import ConfigSection, Count, ObjectiveConfig
from nmt.config.tokenizer import (
    JointModelConfig,
    SamplingConfig,
    SeparateModelsConfig,
    TokenizerConfig,
    TrainedTokenizerConfig,
)
from nmt.config.training import (
    AdadeltaConfig,
    AdamConfig,
    AdamWConfig,
    ConstantScheduleConfig,
    CosineScheduleConfig,
    GuidedAlignmentConfig,
    InverseSqrtScheduleConfig,
    LuongScheduleConfig,
    OptimizerConfig,
    PlateauScheduleConfig,
    ScheduleConfig,
    SgdConfig,
    TrainingConfig,
)

__all__ = [
    "SCORES",
    "AdadeltaConfig",
    "AdamConfig",
    "AdamWConfig",
    "AttentionConfig",
    "BahdanauDecoderConfig",
    "BatchConfig",
    "BidirectionalConfig",
    "CellConfig",
    "Config",
    "ConfigSection",
    "ConstantScheduleConfig",
    "CorpusConfig",
    "CosineScheduleConfig",
    "DataConfig",
    "DecoderConfig",
    "DecodingConfig",
    "EncoderConfig",
    "GRUConfig",
    "GlobalConfig",
    "GuidedAlignmentConfig",
    "GumbelConfig",
    "HardConfig",
    "InverseSqrtScheduleConfig",
    "JointModelConfig",
    "LSTMConfig",
    "LinguisticCoverageConfig",
    "LocalConfig",
    "LocalMConfig",
    "LocalPConfig",
    "LuongDecoderConfig",
    "LuongScheduleConfig",
    "MechanismConfig",
    "ModelConfig",
    "MonotonicConfig",
    "MultiHeadConfig",
    "NeuralCoverageConfig",
    "NoAttentionConfig",
    "NormalizedConfig",
    "OptimizerConfig",
    "PlateauScheduleConfig",
    "ReinforceConfig",
    "SamplingConfig",
    "ScheduleConfig",
    "ScoredConfig",
    "SentenceBatchConfig",
    "SeparateModelsConfig",
    "SgdConfig",
    "TokenBatchConfig",
    "TokenizerConfig",
    "TrainedTokenizerConfig",
    "TrainingConfig",
    "UniformConfig",
]


class Config(ConfigSection):
    """A training run, and the search with its model."""

    run: str | None = None
    """Run folder; null: `runs/NAME` for `NAME.yaml`."""
    seed: Count = 1
    """Random seed for initialisation, dropout, shuffling and subword sampling."""
    data: DataConfig
    tokenizer: TokenizerConfig = TrainedTokenizerConfig()
    """SentencePiece models: trained on the training corpus, or existing ones."""
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    decoding: DecodingConfig = DecodingConfig()

    @property
    def objectives(self) -> list[ObjectiveConfig]:
        """The sections that are minimised beside the cross-entropy."""
        given = [value for _, value in self.training if isinstance(value, ObjectiveConfig)]
        own = self.model.attention.objective
        return given if own is None else [*given, own]

    @model_validator(mode="after")
    def _one_table_has_one_vocabulary(self) -> "Config":
        if self.model.tied_embeddings == "all" and not self.tokenizer.joint:
            raise ValueError(
                "`model.tied_embeddings: all` needs one vocabulary for both languages: set "
                "`tokenizer.joint: true`, or tie only the `target`"
            )
        return self

    @model_validator(mode="after")
    def _links_are_of_training(self) -> "Config":
        for name, corpus in (("validation", self.data.validation), ("test", self.data.test)):
            if corpus is not None and corpus.alignments is not None:
                raise ValueError(
                    f"`data.{name}.alignments` would do nothing, for links guide training alone: "
                    "leave it out, or give `data.train.alignments`"
                )
        if self.training.guided_alignment is not None and self.data.train.alignments is None:
            raise ValueError(
                "`training.guided_alignment` says how links guide attention, and there are none: "
                "leave it out, or give `data.train.alignments`"
            )
        return self

    @model_validator(mode="after")
    def _links_guide_by_default(self) -> "Config":
        """Writes out how links guide, so that a run folder shows it too."""
        if self.training.guided_alignment is not None or self.data.train.alignments is None:
            return self
        guided = {"guided_alignment": GuidedAlignmentConfig()}
        return self.model_copy(update={"training": self.training.model_copy(update=guided)})

    @model_validator(mode="after")
    def _links_guide_what_learns(self) -> "Config":
        attention, guided = self.model.attention, self.training.guided_alignment
        if guided is None:
            return self
        if not attention.learns_weights:
            raise ValueError(
                f"`mechanism: {attention.mechanism}` has no weights that `data.train.alignments` "
                "could guide: leave them out, or choose `mechanism: global`"
            )
        if attention.objective is not None:
            raise ValueError(
                "`data.train.alignments` guide by a gradient, and `estimator: reinforce` "
                "learns by reward: leave them out, or choose `estimator: gumbel`"
            )
        if guided.cost == "ce" and attention.zeros is not None:
            raise ValueError(
                "`guided_alignment.cost: ce` has no gradient where weights are exactly zero, as by "
                f"{attention.zeros}: choose `cost: mse`, or `mechanism: global` with "
                "`normalizer: softmax`"
            )
        return self

    @model_validator(mode="after")
    def _links_guide_the_step_that_knows(self) -> "Config":
        guided, decoder = self.training.guided_alignment, self.model.decoder
        reads = guided is not None and guided.step == "shifted"
        if reads and isinstance(decoder, BahdanauDecoderConfig):
            raise ValueError(
                "`guided_alignment.step: shifted` guides the weights of the step that has read a "
                "piece, and `decoder.kind: bahdanau` attends before it reads: choose "
                "`step: predicted`, or `decoder.kind: luong`"
            )
        return self

    @model_validator(mode="after")
    def _search_asks_for_what_there_is(self) -> "Config":
        attention = self.model.attention
        if self.decoding.attention_seed is not None and not attention.samples:
            raise ValueError(
                "`decoding.attention_seed` samples positions, and `mechanism: "
                f"{attention.mechanism}` weighs them: leave it out, or choose `mechanism: hard` or "
                "`monotonic`"
            )
        if self.decoding.coverage_penalty and not attention.has_weights:
            raise ValueError(
                "`decoding.coverage_penalty` sums the weights of attention, and `mechanism: "
                f"{attention.mechanism}` has none: leave it out, or choose `mechanism: global`"
            )
        return self
