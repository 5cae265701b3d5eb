"""Where the pairs of a corpus are, and what is known of them."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field

from nmt.config.endings import TABLES, is_table, suffix
from nmt.config.section import ConfigSection, JsonSchema, OneOrSeveral

EMBEDDED = ("embedded", "scenes")  # paths of corpora that come with the package
EFLOMAL = "eflomal"  # instead of a file of links: the program that makes them


class CorpusConfig(ConfigSection):
    """Parallel text: exactly one of `path`, `source` with `target`, and `hub`.

    A plain string is short for a mapping with this `path`, a list of two for a pair of text files.
    """

    short_forms: ClassVar[tuple[JsonSchema, ...]] = (
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
    )

    path: str | None = None
    """Prefix `x` of two text files `x.de` and `x.en`; a TSV, JSONL or Parquet; or `embedded`, or
    `scenes`, which has pictures."""
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
    languages: tuple[str, str] | None = None
    """Codes of this corpus's own languages; null: `data.source` and `data.target`."""
    source_tag: str | None = None
    """A word such as `<2fr>` that is put in front of each source sentence."""
    alignments: str | None = None
    """`data.train` only: file of word links `i-j`, line by line, which guide the attention; or
    `eflomal`, [which aligns the text](explanations.md#links-by-eflomal)."""
    weight: Annotated[float, Field(gt=0, le=1000)] | None = None
    """`data.train` only: how often an epoch reads each pair; 0.5: half of them; null: once."""

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """Returns the mapping for which a string or a list of two files is short."""
        if isinstance(value, str):
            return {"path": value}
        if isinstance(value, list) and list(map(type, value)) == [str, str]:
            return {"source": value[0], "target": value[1]}
        return value

    @property
    def paths(self) -> list[str]:
        """The paths and URLs of its files, or the prefix of them."""
        return [path for path in (self.path, self.source, self.target) if path is not None]

    @property
    def columns_are_codes(self) -> bool:
        """Whether its columns are known by the codes of the languages, as none are named."""
        by_name = self.hub is not None or suffix(self.path or "") in {*TABLES} - {".tsv"}
        return by_name and self.columns is None

    def _conflicts(self) -> Iterator[str]:
        pair = self.source is not None or self.target is not None
        if pair and (self.source is None or self.target is None):
            yield "`source` and `target` are a pair of files; give both"
        if sum([self.path is not None, pair, self.hub is not None]) != 1:
            yield "give exactly one of `path`, `source` with `target`, and `hub`"
        if self.subset is not None and self.hub is None:
            yield "`subset` is of a Hugging Face dataset: leave it out, or give `hub`"
        split = type(self).model_fields["split"].default
        if self.split != split and self.hub is None and self.path not in EMBEDDED:
            yield (
                f"`split: {self.split}` is of a Hugging Face dataset or of an embedded corpus, "
                "and files have none: leave it out"
            )
        has_columns = self.hub is not None or is_table(self.path or "")
        if self.columns is not None and not has_columns:
            yield (
                "`columns` are those of a Hugging Face dataset, a TSV, JSON lines or Parquet, and "
                "plain text has none: leave them out"
            )
        if self.columns is not None and self.columns[0] == self.columns[1]:
            yield (
                f"`columns` are the source and its translation, and not {self.columns[0]} twice: "
                "name two columns"
            )
        if self.source_tag is not None and self.source_tag.split() != [self.source_tag]:
            yield f"`source_tag` is one word, such as <2fr>, and not {self.source_tag!r}"


TrainingCorpora = Annotated[CorpusConfig | tuple[CorpusConfig, ...], OneOrSeveral()]
