"""The part of the configuration that is about text: corpora, batches, tokenizers."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nmt.config.section import Positive, Section, Size


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
