"""Settings of all that is read: which corpora, their cleaning, and batches of their pairs."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from nmt.config.corpora import CorpusConfig, TrainingCorpora
from nmt.config.endings import STREAMED, is_url, suffix
from nmt.config.inputs import InputConfig, TextInputConfig
from nmt.config.section import (
    ChoiceByKeys,
    ConfigSection,
    Fraction,
    JsonSchema,
    Positive,
    Size,
)

WordBoundaries = Literal["spaces", "unicode"]
WORD_BOUNDARIES: Final[WordBoundaries] = "spaces"  # the default


BleuTokenizer = Literal[
    "13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "flores101", "flores200", "spBLEU-1K",
    "none",
]  # fmt: skip


class _SwitchedOn(ConfigSection):
    """A section for which `true` is short, if all of it has its defaults."""

    short_forms: ClassVar[tuple[JsonSchema, ...]] = ({"const": True},)

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """Returns the mapping for which `true` is short."""
        return {} if value is True else value


class CleaningConfig(_SwitchedOn):
    """Which training pairs are left out before anything is learned from them.

    See [languages.md](languages.md#cleaning). `true` is short for the defaults.
    """

    duplicates: bool = True
    """Leave out pairs that have occurred before, in any of the training corpora."""
    held_out: Literal["either", "source", "pair"] | None = "either"
    """Leave out pairs with either side, the source, or both sides in validation or test."""
    identical: bool = True
    """Leave out pairs whose target is the source, not translated."""
    max_characters: Size | None = 1000
    """Maximum characters per side, without spaces."""
    max_ratio: Annotated[float, Field(ge=1)] | None = 4.0
    """Maximum ratio of the sides in characters, in proportion to the mean ratio of the corpus."""
    min_letters: Fraction = 0.5
    """Minimum fraction of letters among the characters of each side; 0: any."""
    min_script: Fraction = 0.5
    """Minimum fraction of letters in the usual script of the corpus, on each side; 0: any."""


class StreamConfig(_SwitchedOn):
    """[Streaming](streaming-data.md): training pairs are read as they are needed, and not kept.

    `true` is short for the defaults.
    """

    buffer: Size = 100_000
    """Pairs that are held at a time, to be shuffled and put into batches together."""
    sample: Size = 200_000
    """First pairs, which decide on the tokenizer and on the sizes of batches."""


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
    input: InputConfig = TextInputConfig()
    """What a source is: text, vectors, or pictures."""
    bleu_tokenizer: BleuTokenizer | None = None
    """Tokenizer of BLEU; null: that of [the language](languages.md#bleu-for-each-language)."""
    train: TrainingCorpora
    """Training corpus, or a list of them, which are read together."""
    stream: StreamConfig | None = None
    """Read the training corpus as a stream; null: read it whole, onto the disk."""
    validation: CorpusConfig
    """Validation corpus."""
    test: CorpusConfig | None = None
    """Test corpus, which `nmt evaluate` translates if it is given no other text."""
    temperature: Annotated[float, Field(ge=1)] | None = None
    """Read small training corpora more often: n ** (1 / temperature) of n pairs; null: weights."""
    clean: CleaningConfig | None = None
    """Cleaning of the training corpus; null: none."""
    max_length: Size = 100
    """Maximum pieces per side, end of sentence included; longer training pairs are left out."""
    max_length_ratio: Positive = 9.0
    """Maximum ratio of the longer to the shorter side; other training pairs are left out."""
    reverse_target: bool = False
    """Write translations from right to left, for [rescoring](ensembles.md#right-to-left-models)."""
    word_boundaries: WordBoundaries = WORD_BOUNDARIES
    """What divides the words that links count: `spaces` and tabs alone, as in fast_align and Moses,
    or all white space of `unicode`, as in eflomal; see
    [Words of links](languages.md#words-of-links)."""
    batch: BatchConfig = SentenceBatchConfig()
    """Batch size, in sentences or in tokens."""

    @property
    def languages(self) -> tuple[str, str]:
        """The codes of source and target."""
        return self.source, self.target

    @property
    def corpora(self) -> tuple[CorpusConfig, ...]:
        """The training corpora."""
        return self.train if isinstance(self.train, tuple) else (self.train,)

    @property
    def held_out(self) -> dict[str, CorpusConfig]:
        """The corpora that are not trained on, by name: validation, and test if there is one."""
        named = {"validation": self.validation, "test": self.test}
        return {name: corpus for name, corpus in named.items() if corpus is not None}

    @property
    def paths(self) -> list[str | None]:
        """The paths of all corpora."""
        return [each.path for each in (*self.corpora, *self.held_out.values())]

    @property
    def _train_paths(self) -> list[str]:
        return [path for each in self.corpora for path in each.paths]

    @property
    def linked(self) -> bool:
        """Whether a training corpus has word links."""
        return any(corpus.alignments is not None for corpus in self.corpora)

    @property
    def tags(self) -> list[str]:
        """The tags of all training corpora."""
        return sorted({each.source_tag for each in self.corpora if each.source_tag is not None})

    @property
    def text_sides(self) -> tuple[str, ...]:
        """The sides of a pair that are text."""
        return ("source", "target") if self.input.kind == "text" else ("target",)

    @property
    def longest(self) -> tuple[int, int]:
        """The most positions of a source and of a target to train on."""
        given = None if isinstance(self.input, TextInputConfig) else self.input.max_length
        return given or self.max_length, self.max_length

    def _conflicts(self) -> Iterator[str]:
        yield from self.input.conflicts(self)
        if self.stream is not None:
            yield from self._stream_conflicts(self.stream)
        elif any(map(is_url, self._train_paths)):
            yield "`train` is at a URL, which is read as a stream: set `stream: true`"
        if self.temperature is not None and len(self.corpora) == 1:
            yield "`temperature` is for several training corpora: leave it out"
        if self.temperature is not None and any(each.weight for each in self.corpora):
            yield "`temperature` chooses the weights of the corpora: leave it out, or each `weight`"
        yield from self._column_conflicts()
        tagged = all(each.source_tag is not None for each in self.corpora)
        for name, corpus in self.held_out.items():
            if any(map(is_url, corpus.paths)):
                yield (
                    f"`{name}` is at a URL, and it is read whole, from files: download it, and "
                    "give its path"
                )
            if corpus.weight is not None:
                yield f"`{name}.weight` would do nothing, for it is of training alone: leave it out"
            if tagged and corpus.source_tag not in self.tags:
                yield (
                    f"`{name}.source_tag` is {corpus.source_tag or 'missing'}, and training has "
                    f"no such pairs: give one of {', '.join(self.tags)}"
                )

    def _column_conflicts(self) -> Iterator[str]:
        """Yields which corpora would have their source as their target, as columns are codes."""
        train = [("train", each) for each in self.corpora]
        for name, corpus in [*train, *self.held_out.items()]:
            source, target = corpus.languages or self.languages
            if corpus.columns_are_codes and source == target:
                yield (
                    f"`{name}` has a column for each language, and both are {source}: name the "
                    "columns, `columns: [SOURCE, TARGET]`"
                )

    def _stream_conflicts(self, stream: StreamConfig) -> Iterator[str]:
        """Yields what cannot be done with pairs that are read once, in an unknown number."""
        if self.temperature is not None or any(each.weight for each in self.corpora):
            yield (
                "`temperature` and `weight` need the number of pairs, which a stream does not "
                "tell: leave them out, or leave out `stream`"
            )
        if self.linked:
            yield ("`alignments` are not read with a stream: leave them out, or leave out `stream`")
        if self.clean is not None and self.clean.duplicates:
            yield (
                "`clean.duplicates` compares all pairs, and a stream keeps none: set it to false"
            )
        if isinstance(self.batch, SentenceBatchConfig) and stream.buffer < self.batch.sentences:
            yield (
                f"`stream.buffer` of {stream.buffer} pairs does not fill a batch of "
                f"{self.batch.sentences}: raise it to a hundred times that, or more"
            )
        for path in self._train_paths:
            if path == "embedded":
                yield "the embedded corpus is small: leave out `stream`"
            if is_url(path) and suffix(path) not in STREAMED:
                yield f"`train` at a URL must be Parquet or JSON lines: {path} is neither"
