"""Settings of tokenizers: SentencePiece models that are trained, or existing ones."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nmt.config.section import ChoiceByKeys, ConfigSection, Positive


class SamplingConfig(ConfigSection):
    """Subword regularization (Kudo 2018; BPE-dropout, Provilkov et al. 2020)."""

    alpha: Positive = 0.1
    """Unigram: smoothing of the distribution; BPE: probability of dropping a merge."""
    nbest_size: Annotated[int, Field(le=512)] = -1
    """Unigram: number of best segmentations to sample from; -1: all of them."""

    def _conflicts(self) -> Iterator[str]:
        if self.nbest_size != -1 and self.nbest_size < 2:
            yield "`nbest_size` is -1, for all segmentations, or 2 and more"


class TrainedTokenizerConfig(ConfigSection):
    """SentencePiece models that are trained on the training corpus."""

    kind: Literal["unigram", "bpe"] = "unigram"
    """Subword algorithm."""
    vocabulary_size: Annotated[int, Field(ge=8)] = 8000
    """Number of pieces of each model."""
    joint: bool = True
    """Whether both languages share one model."""
    character_coverage: Annotated[float, Field(gt=0.9, le=1)] = 1.0
    """Fraction of the characters in the text that the vocabulary covers."""
    byte_fallback: bool = False
    """Encode unknown characters as bytes instead of `<unk>`."""
    sampling: SamplingConfig | None = None
    """Subword sampling: other segmentations in each epoch; null: none."""

    def _conflicts(self) -> Iterator[str]:
        if self.kind == "bpe" and self.sampling and self.sampling.nbest_size != -1:
            yield (
                "`sampling.nbest_size` are those of `kind: unigram`, and `kind: bpe` draws by "
                "leaving merges out: leave it out, or choose `kind: unigram`"
            )


class JointModelConfig(ConfigSection):
    """An existing SentencePiece model for both languages."""

    joint: ClassVar[bool] = True

    model: str
    """Path of the .model file."""
    sampling: SamplingConfig | None = None
    """Subword sampling: other segmentations in each epoch; null: none."""


class SeparateModelsConfig(ConfigSection):
    """Existing SentencePiece models, one for each language."""

    joint: ClassVar[bool] = False

    source_model: str
    """Path of the .model file of the source language."""
    target_model: str
    """Path of the .model file of the target language."""
    sampling: SamplingConfig | None = None
    """Subword sampling: other segmentations in each epoch; null: none."""


TokenizerConfig = Annotated[
    JointModelConfig | SeparateModelsConfig | TrainedTokenizerConfig, ChoiceByKeys()
]
