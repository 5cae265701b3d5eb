"""Settings of tokenizers: SentencePiece models that are trained, or existing ones."""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError, WrapValidator

from nmt.config.section import ChoiceByKeys, ConfigSection, Positive

# Pieces that a trained model has anyway.
RESERVED = re.compile(r"<(pad|unk|s|/s|0x[0-9A-F]{2})>")


def _one_or_two(value: Any, validated: Callable[[Any], Any]) -> Any:
    """Gives one message where pydantic has one for each member of the union."""
    try:
        return validated(value)
    except ValidationError:
        raise ValueError(
            f"expected an integer from 8 on, or two in a list, of source and target, not {value!r}"
        ) from None


Pieces = Annotated[int, Field(ge=8)]
VocabularySize = Annotated[Pieces | tuple[Pieces, Pieces], WrapValidator(_one_or_two)]


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
    vocabulary_size: VocabularySize = 8000
    """Number of pieces of each model; `[8000, 4000]`: of source and target, with `joint: false`."""
    joint: bool = True
    """Whether both languages share one model."""
    character_coverage: Annotated[float, Field(gt=0.9, le=1)] = 1.0
    """Fraction of the characters in the text that the vocabulary covers."""
    byte_fallback: bool = True
    """Encode unknown characters as bytes, which are 256 of the pieces, instead of `<unk>`."""
    normalization: Literal["identity", "nfc", "nfkc", "nmt_nfkc", "nmt_nfkc_cf"] = "identity"
    """What characters become: see [languages.md](languages.md#what-characters-become)."""
    symbols: tuple[str, ...] = ()
    """Texts such as `<2en>` or `%1$s` that are one piece each wherever they occur."""
    sampling: SamplingConfig | None = None
    """Subword sampling: other segmentations in each epoch; null: none."""

    def _conflicts(self) -> Iterator[str]:
        if self.kind == "bpe" and self.sampling and self.sampling.nbest_size != -1:
            yield (
                "`sampling.nbest_size` are those of `kind: unigram`, and `kind: bpe` draws by "
                "leaving merges out: leave it out, or choose `kind: unigram`"
            )
        if self.joint and isinstance(self.vocabulary_size, tuple):
            yield "two numbers in `vocabulary_size` are of two models: set `joint: false`"
        for number, symbol in enumerate(self.symbols):
            if not symbol or re.search(r"[\s▁]", symbol):
                yield f"`symbols`: {symbol!r} is empty or has a space; a piece has none inside"
            if RESERVED.fullmatch(symbol) or symbol in self.symbols[:number]:
                yield f"`symbols`: {symbol!r} is a piece already; leave it out"


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
