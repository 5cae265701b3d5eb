"""Settings of corpora and batches."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from nmt.config.endings import is_table
from nmt.config.section import ChoiceByKeys, ConfigSection, JsonSchema, Positive, Size


class CorpusConfig(ConfigSection):
    """Parallel text: exactly one of `path`, `source` with `target`, and `hub`.

    A plain string is short for a mapping with this `path`, a list of two for a pair of text files.
    """

    short_forms: ClassVar[tuple[JsonSchema, ...]] = (
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
    )

    path: str | None = None
    """Prefix `x` of two text files `x.de` and `x.en`; a TSV, JSONL or Parquet; or `embedded`."""
    source: str | None = None
    """Text file in the source language, one sentence per line."""
    target: str | None = None
    """Text file with the translation, line by line."""
    hub: str | None = None
    """Hugging Face dataset: a name on the hub, or the path of a local dataset."""
    subset: str | None = None
    """Configuration name of the dataset."""
    split: str = "train"
    """Split of the dataset or of the embedded corpus."""
    columns: tuple[str, str] | None = None
    """Column names of source and target; null: the language codes."""
    alignments: str | None = None
    """`data.train` only: file of word links `i-j`, line by line, which guide the attention."""

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """Returns the mapping for which a string or a list of two files is short."""
        if isinstance(value, str):
            return {"path": value}
        if isinstance(value, list) and len(value) == 2:
            return {"source": value[0], "target": value[1]}
        return value

    def _conflicts(self) -> Iterator[str]:
        pair = self.source is not None or self.target is not None
        if pair and (self.source is None or self.target is None):
            yield "`source` and `target` are a pair of files; give both"
        if sum([self.path is not None, pair, self.hub is not None]) != 1:
            yield "give exactly one of `path`, `source` with `target`, and `hub`"
        if self.subset is not None and self.hub is None:
            yield "`subset` is of a Hugging Face dataset: leave it out, or give `hub`"
        split = type(self).model_fields["split"].default
        if self.split != split and self.hub is None and self.path != "embedded":
            yield (
                f"`split: {self.split}` is of a Hugging Face dataset or of the embedded corpus, "
                "and files have none: leave it out"
            )
        has_columns = self.hub is not None or is_table(self.path or "")
        if self.columns is not None and not has_columns:
            yield (
                "`columns` are those of a Hugging Face dataset, a TSV, JSON lines or Parquet, and "
                "plain text has none: leave them out"
            )


class SentenceBatchConfig(ConfigSection):
    """Batches of a fixed number of sentences."""

    sentences: Size = 64
    """Sentence pairs per batch."""
    buckets: Size = 14
    """Maximum number of (source, target) lengths; the training step is compiled for each."""


class TokenBatchConfig(ConfigSection):
    """Batches of a fixed number of tokens: many short sentences, or few long ones."""

    tokens: Size
    """Maximum padded tokens per batch, on the longer side."""
    buckets: Size = 14
    """Maximum number of (source, target) lengths; the training step is compiled for each."""


BatchConfig = Annotated[TokenBatchConfig | SentenceBatchConfig, ChoiceByKeys()]


class DataConfig(ConfigSection):
    """Corpora, length filters and batches."""

    source: str = "de"
    """Code of the source language: the file ending or the column name."""
    target: str = "en"
    """Code of the target language."""
    train: CorpusConfig
    """Training corpus."""
    validation: CorpusConfig
    """Validation corpus."""
    test: CorpusConfig | None = None
    """Test corpus, which `nmt evaluate` translates if it is given no other text."""
    max_length: Size = 100
    """Maximum pieces per side, end of sentence included; longer training pairs are left out."""
    max_length_ratio: Positive = 9.0
    """Maximum ratio of the longer to the shorter side; other training pairs are left out."""
    batch: BatchConfig = SentenceBatchConfig()
    """Batch size, in sentences or in tokens."""
