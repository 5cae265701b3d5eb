"""The whole configuration as typed models, with every default: here and nowhere else.

`nmt.configfile` reads it from YAML and writes it back.
"""

from pydantic import model_validator

from nmt.config.data import BatchConfig, CorpusConfig, DataConfig, SamplingConfig, TokenizerConfig
from nmt.config.decoding import DecodingConfig
from nmt.config.model import (
    SCORES,
    AttentionConfig,
    DecoderConfig,
    EncoderConfig,
    HardConfig,
    ModelConfig,
    MonotonicConfig,
)
from nmt.config.section import Count, Section
from nmt.config.training import (
    GuidedAlignmentConfig,
    ScheduleConfig,
    TrainingConfig,
)

__all__ = [
    "SCORES",
    "AttentionConfig",
    "BatchConfig",
    "Config",
    "CorpusConfig",
    "DataConfig",
    "DecoderConfig",
    "DecodingConfig",
    "EncoderConfig",
    "GuidedAlignmentConfig",
    "HardConfig",
    "ModelConfig",
    "MonotonicConfig",
    "SamplingConfig",
    "ScheduleConfig",
    "Section",
    "TokenizerConfig",
    "TrainingConfig",
]


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
        decoder = self.model.decoder.kind
        if self.training.guided_alignment.step == "read" and decoder == "bahdanau":
            raise ValueError(
                "`guided_alignment.step: read` guides the weights of the step that has read a "
                "piece, and `decoder.kind: bahdanau` attends before it reads: choose "
                "`step: write`, or `decoder.kind: luong`"
            )
        return self
