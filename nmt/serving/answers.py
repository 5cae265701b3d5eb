"""What the server answers: translations with their words, and where these are in the texts."""

import itertools
from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from nmt.config.data import WordBoundaries
from nmt.evaluation.words import word_spans
from nmt.inference.translation import Translation
from nmt.serving.tasks import Result

DIGITS = 5  # behind the point of probabilities and weights
WEIGHTS = 1_000_000  # of all matrices of an answer, of words: some 8 megabytes of JSON
PIECES = 4 * WEIGHTS  # of the matrices of a line, from which those of words are computed
NO_ROOM = (
    f"it has no matrix, since an answer has {WEIGHTS:,} weights at most; ask for fewer or shorter "
    "lines, or fewer translations of each"
)


class Answer(BaseModel):
    """A JSON object; fields without a value are left out."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    @property
    def json_text(self) -> str:
        """The object as JSON, in one line."""
        return self.model_dump_json(exclude_none=True)


class Word(Answer):
    """A word, and its place in a text, in Unicode characters."""

    text: str
    start: int
    """The number of characters before it."""
    end: int
    """The number of characters before what follows it."""
    log_prob: float | None = None
    """Of a target word: the natural logarithm of its probability."""


class TranslationAnswer(Answer):
    """A translation of a line."""

    source: str
    text: str
    score: float
    """By which translations are ranked."""
    log_prob: float
    """The natural logarithm of the probability of the pieces."""
    utility: float | None = None
    """Expected, from 0 to 100, if minimum Bayes risk has chosen it."""
    source_words: list[Word]
    target_words: list[Word]
    source_pieces: tuple[str, ...]
    target_pieces: tuple[str, ...]
    piece_log_probs: list[float]
    """Of the target pieces."""
    method: str
    """What `attention` shows."""
    attention: list[list[float]] | None = None
    """A row for each target word, with a weight for each source word; empty for an empty line.
    There is none where an answer would have more than a million weights."""
    is_cut: bool
    """Whether it ends at the longest length allowed."""
    warning: str | None = None
    """What is to be known of it: for example, that constraints could not be satisfied."""

    @classmethod
    def of(
        cls, translation: Translation, *, warnings: list[str], attention: bool
    ) -> "TranslationAnswer":
        """Returns the answer for a translation, with its matrix or without."""
        boundaries = translation.word_boundaries
        log_probs = translation.word_log_probs
        return cls(
            source=translation.source,
            text=translation.text,
            score=round(translation.score, DIGITS),
            log_prob=round(translation.log_prob, DIGITS),
            utility=translation.utility,
            source_words=_words(translation.source, word_spans(translation.source, boundaries)),
            target_words=[
                word.model_copy(update={"log_prob": round(value, DIGITS)})
                for word, (_, value) in zip(
                    _words(translation.text, word_spans(translation.text, boundaries)),
                    log_probs,
                    strict=False,  # the last one is of the end of sentence
                )
            ],
            source_pieces=translation.source_pieces,
            target_pieces=translation.target_pieces,
            piece_log_probs=_rounded(translation.piece_log_probs),
            method=translation.method,
            attention=_rounded(translation.words.weights) if attention else None,
            is_cut=translation.is_cut,
            warning="; ".join(warnings) or None,
        )


class LineAnswer(Answer):
    """The translations of a line, best first."""

    line: int
    """Its number, counted from 0."""
    translations: list[TranslationAnswer]


class TranslateAnswer(Answer):
    """The translations of a text."""

    model: str
    source: str
    target: str
    translations: list[list[TranslationAnswer]]
    """Of each line, best first; those of an empty line are one empty translation."""


class ExplainAnswer(TranslationAnswer):
    """A given translation, its probability, and its matrix."""

    model: str


class ModelAnswer(Answer):
    """A model."""

    name: str
    source: str
    target: str
    beam: int
    n_best: int | None
    """The most translations of a line; null: as many as wanted."""
    methods: tuple[str, ...]
    """The explanations that it has."""
    default: bool
    """Whether it is asked where a request names neither model nor languages."""


class LimitsAnswer(Answer):
    """How much a request may have."""

    characters: int
    lines: int


class ModelsAnswer(Answer):
    """The models, and the limits of a request."""

    models: list[ModelAnswer]
    limits: LimitsAnswer


class ErrorAnswer(Answer):
    """What is wrong with a request, or why it is not answered now."""

    error: Annotated[str, Field(examples=["text: missing, and required"])]


def fitting(lines: Iterable[Result]) -> list[bool]:
    """Returns for which lines, in order, an answer has room for the matrices."""
    left, fits = WEIGHTS, list[bool]()
    for line in lines:
        pairs = ((each.source, each.text, each.word_boundaries) for each in line.ranked)
        wanted = sum(itertools.starmap(weights, pairs))
        fits.append(line.attention and wanted <= left)
        left -= wanted if fits[-1] else 0
    return fits


def weights(source: str, text: str, boundaries: WordBoundaries) -> int:
    """Returns how many weights the matrix of the words of two texts has."""
    return len(word_spans(source, boundaries)) * len(word_spans(text, boundaries))


def of_line(found: Result, *, attention: bool, fits: bool = True) -> list[TranslationAnswer]:
    """Returns the answers for the translations of a line, with matrices if wanted, and if they fit.

    Where they do not fit, a warning says so.
    """
    warnings = [*found.warnings, *([NO_ROOM] if attention and not fits else [])]
    return [
        TranslationAnswer.of(each, warnings=warnings, attention=attention and fits)
        for each in found.ranked
    ]


def _words(line: str, places: list[tuple[int, int]]) -> list[Word]:
    return [Word(text=line[start:end], start=start, end=end) for start, end in places]


def _rounded(values: npt.NDArray[np.float32]) -> Any:
    return np.round(values.astype(np.float64), DIGITS).tolist()
