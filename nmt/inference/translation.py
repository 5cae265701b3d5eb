"""The result of a translator: one translation of one line, and its attention."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.data.tokenizers import Tokenizers
from nmt.evaluation.words import END, Offsets, WordMatrix, Words, fold, spelling, split
from nmt.inference.display import as_html
from nmt.inference.unseen import Remainder

NONE = np.zeros(0, np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Translation:
    """One translation of one line, with its attention.

    `attention` is float32, (target pieces, source pieces); pieces end with the end of sentence.
    It holds attention weights, or the matrix of another `method` of explanation.
    """

    source: str
    text: str
    score: float  # by which hypotheses are ranked: see nmt.inference.ranking
    log_prob: float  # of the pieces, natural logarithm
    source_pieces: tuple[str, ...]
    target_pieces: tuple[str, ...]
    attention: npt.NDArray[np.float32]
    method: str = "attention"  # one of nmt.inference.methods
    # The places of the pieces in the source and in the text, if they do not spell its words.
    source_offsets: Offsets | None = None
    target_offsets: Offsets | None = None
    word_boundaries: WordBoundaries = WORD_BOUNDARIES
    parts: tuple["Translation", ...] = ()  # of a line that was divided: see nmt.inference.joining
    # Natural logarithms, of the target pieces.
    piece_log_probs: npt.NDArray[np.float32] = dataclasses.field(default_factory=lambda: NONE)
    utility: float | None = None  # expected, from 0 to 100, if minimum Bayes risk has chosen it

    @classmethod
    def of(
        cls,
        tokenizers: Tokenizers,
        *,
        source: tuple[Remainder, Sequence[int]],
        target: tuple[Remainder | None, Sequence[int]],
        word_boundaries: WordBoundaries = WORD_BOUNDARIES,
        **measured: Any,
    ) -> "Translation":
        """Returns the translation of a line; source and target are given as text and piece ids.

        Without a text, the target is decoded from its ids. Both sides may have been cut. The source
        ends with the end of sentence; a target may lack it. `measured` are the other fields.
        """
        given, ids = source
        source_pieces = tuple(tokenizers.source.pieces(ids))
        text, tokens = target
        target_pieces = tuple(tokenizers.target.pieces(tokens))
        written = len(_without_end(target_pieces))
        target_text = tokenizers.target.decode(tokens) if text is None else text.line

        def source_offsets() -> Offsets:
            return given.spans(tokenizers.source.offsets(given.text)[: len(ids) - 1])

        def target_offsets() -> Offsets:
            if text is None:
                return tokenizers.target.decoded_offsets(tokens[:written])
            return text.spans(tokenizers.target.offsets(text.text)[:written])

        unspelled = partial(_unspelled, boundaries=word_boundaries)
        return cls(
            source=given.line,
            text=target_text,
            source_pieces=source_pieces,
            target_pieces=target_pieces,
            source_offsets=unspelled(given.line, source_pieces, source_offsets),
            target_offsets=unspelled(target_text, target_pieces, target_offsets),
            word_boundaries=word_boundaries,
            **measured,
        )

    @property
    def is_cut(self) -> bool:
        """Whether it was cut at the longest length allowed."""
        return bool(self.target_pieces) and self.target_pieces[-1] != END

    @cached_property
    def words(self) -> WordMatrix:
        """The attention between the words of source and text, which `word_boundaries` divide."""
        return self.fold()

    @cached_property
    def source_words(self) -> Words:
        """The words of the source, and which of them each of its pieces belongs to."""
        return _words(
            self.source, self.source_pieces, self.source_offsets, boundaries=self.word_boundaries
        )

    @cached_property
    def target_words(self) -> Words:
        """The words of the text, and which of them each of its pieces belongs to."""
        return _words(
            self.text, self.target_pieces, self.target_offsets, boundaries=self.word_boundaries
        )

    @property
    def word_log_probs(self) -> list[tuple[str, float]]:
        """The words of the text and the end of sentence, each with its log-probability.

        They sum to `log_prob`. A word of which the model wrote nothing has 0, such as one that was
        set aside and copied; the pieces of an empty text belong to the end of sentence.
        """
        words = self.target_words.sums(self.piece_log_probs.astype(np.float64)).tolist()
        ended = self.target_pieces[-1:] == (END,)
        end = [(END, self.log_prob - sum(words))] if ended else []
        return [*zip(self.target_words.labels, words, strict=True), *end]

    def fold(self, *, end: bool = False) -> WordMatrix:
        """Returns `words`; with `end`, the end of sentence is the last word of each side."""
        source, target = self.source_words, self.target_words
        if end:
            source, target = (
                words.ended() if pieces[-1:] == (END,) else words
                for words, pieces in ((source, self.source_pieces), (target, self.target_pieces))
            )
        return fold(self.attention, source, target)

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: source, text, score, and a heat map of the words."""
        return as_html(self)


def empty_translation(
    source: str, text: str, word_boundaries: WordBoundaries = WORD_BOUNDARIES
) -> Translation:
    """Returns the translation of a line without any piece."""
    none, method = np.zeros((0, 0), np.float32), "attention"
    return Translation(source, text, 0.0, 0.0, (), (), none, method, (), (), word_boundaries)


def distinct(ranked: Iterable[Translation]) -> Iterator[Translation]:
    """Yields translations whose words no earlier one has; other pieces may spell the same words."""
    seen: set[tuple[str, ...]] = set()
    for each in ranked:
        words = split(each.text, each.word_boundaries)
        if words not in seen:
            seen.add(words)
            yield each


def _unspelled(
    line: str,
    pieces: Sequence[str],
    offsets: Callable[[], Offsets],
    *,
    boundaries: WordBoundaries,
) -> Offsets | None:
    """Returns the offsets of pieces in a line, or None where the pieces spell its words.

    They nearly always do, and asking SentencePiece takes longer than the rest of `fold`.
    """
    if split(spelling(_without_end(pieces)), boundaries) == split(line, boundaries):
        return None
    return offsets()


def _words(
    line: str, pieces: Sequence[str], offsets: Offsets | None, *, boundaries: WordBoundaries
) -> Words:
    if offsets is None:
        return Words.spelled(_without_end(pieces), boundaries)
    return Words.at(line, offsets, boundaries)


def _without_end(pieces: Sequence[str]) -> Sequence[str]:
    return pieces[:-1] if pieces and pieces[-1] == END else pieces
