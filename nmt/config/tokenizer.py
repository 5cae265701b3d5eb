"""The part of the configuration that is about tokenizers: trained here, or existing models."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nmt.config.section import ChoiceByKeys, Positive, Section


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


class TrainedTokenizerConfig(Section):
    """SentencePiece models that are trained from the training text."""

    kind: Literal["unigram", "bpe"] = "unigram"
    vocabulary_size: Annotated[int, Field(ge=8)] = 8000
    joint: bool = True  # one model for both languages
    character_coverage: Annotated[float, Field(gt=0.9, le=1)] = 1.0  # share of the characters kept
    byte_fallback: bool = False  # unknown characters become bytes instead of <unk>
    sampling: SamplingConfig | None = None  # other segmentations in each epoch

    @model_validator(mode="after")
    def _candidates_are_drawn_from(self) -> "TrainedTokenizerConfig":
        if self.kind == "bpe" and self.sampling and self.sampling.candidates != -1:
            raise ValueError(
                "`sampling.candidates` are those of `kind: unigram`, and `kind: bpe` draws by "
                "leaving merges out: leave it out, or choose `kind: unigram`"
            )
        return self


class JointModelConfig(Section):
    """An existing SentencePiece model for both languages."""

    joint: ClassVar[bool] = True

    model: str  # the path of the .model file
    sampling: SamplingConfig | None = None  # other segmentations in each epoch


class SeparateModelsConfig(Section):
    """Existing SentencePiece models, one of each language."""

    joint: ClassVar[bool] = False

    source_model: str  # the path of the .model file of the source language
    target_model: str  # and of the target language
    sampling: SamplingConfig | None = None  # other segmentations in each epoch


TokenizerConfig = Annotated[
    JointModelConfig | SeparateModelsConfig | TrainedTokenizerConfig, ChoiceByKeys()
]
