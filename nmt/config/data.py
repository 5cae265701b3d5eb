"""The part of the configuration that is about corpora and batches."""

from pathlib import PurePath
from typing import Annotated, Any

from pydantic import model_validator

from nmt.config.section import ChoiceByKeys, Positive, Section, Size

# What the path of one file ends in; any other path is the prefix of two text files.
TABLES = (".tsv", ".json", ".jsonl", ".parquet")


def is_table(path: str) -> bool:
    """Returns whether a path is that of one file with named columns, gzipped or not."""
    return PurePath(path.removesuffix(".gz")).suffix in TABLES


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

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """Returns the mapping that a string or a list of two is short for."""
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

    @model_validator(mode="after")
    def _all_is_read(self) -> "CorpusConfig":
        if self.subset is not None and self.hub is None:
            raise ValueError("`subset` is of a Hugging Face dataset: leave it out, or give `hub`")
        split = type(self).model_fields["split"].default
        if self.split != split and self.hub is None and self.path != "embedded":
            raise ValueError(
                f"`split: {self.split}` is of a Hugging Face dataset or of the embedded corpus, "
                "and files have none: leave it out"
            )
        has_columns = self.hub is not None or is_table(self.path or "")
        if self.columns is not None and not has_columns:
            raise ValueError(
                "`columns` are those of a Hugging Face dataset, a TSV, JSON lines or Parquet, and "
                "plain text has none: leave them out"
            )
        return self


class SentenceBatchConfig(Section):
    """Batches of so many sentences."""

    sentences: Size = 64  # rows of every batch
    shapes: Size = 14  # at most this many (source, target) lengths, so many compilations


class TokenBatchConfig(Section):
    """Batches of so many tokens, of which short sentences have more rows."""

    tokens: Size  # maximum padded tokens per batch, on the longer side
    shapes: Size = 14  # at most this many (source, target) lengths, so many compilations


BatchConfig = Annotated[TokenBatchConfig | SentenceBatchConfig, ChoiceByKeys()]


class DataConfig(Section):
    """Corpora, length filters and batches."""

    source: str = "de"  # the code of the source language: a file ending or a column
    target: str = "en"  # the code of the target language
    train: CorpusConfig
    validation: CorpusConfig
    test: CorpusConfig | None = None
    max_length: Size = 100  # pieces, end of sentence included; longer training pairs are left out
    max_ratio: Positive = 9.0  # pieces of the longer side over pieces of the shorter one
    batch: BatchConfig = SentenceBatchConfig()
