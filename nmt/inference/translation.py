"""What a translator returns: one translation of one line, and what the model looked at."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nmt.data.tokenizer import Tokenizer, Tokenizers
from nmt.evaluation.words import END, Offsets, WordMatrix, Words, fold, spelling


@dataclasses.dataclass(frozen=True, eq=False)
class Translation:
    """One translation of one line, with what the model attended to while writing it.

    `attention` is float32, (target pieces, source pieces); pieces end with the end of sentence.
    It holds the weights of attention, or what another `method` of explanation puts in their place.
    """

    source: str
    text: str
    score: float  # what hypotheses are ranked by: see nmt.inference.ranking
    log_prob: float  # of the pieces, natural logarithm
    source_pieces: tuple[str, ...]
    target_pieces: tuple[str, ...]
    attention: npt.NDArray[np.float32]
    method: str = "attention"  # one of nmt.inference.explanations.METHODS
    # Where the pieces stand in the source and in the text, if they do not spell its words.
    source_offsets: Offsets | None = None
    target_offsets: Offsets | None = None

    @classmethod
    def of(
        cls,
        tokenizers: Tokenizers,
        *,
        source: tuple[str, Sequence[int]],
        target: tuple[str | None, Sequence[int]],
        **measured: Any,
    ) -> "Translation":
        """Returns the translation of a line that `target` gives as text and ids, or as ids alone.

        Both may have been cut. The source ends with the end of sentence; a target may lack it.
        """
        line, ids = source
        source_pieces = tuple(tokenizers.source.pieces(ids))
        text, tokens = target
        target_pieces = tuple(tokenizers.target.pieces(tokens))
        written = len(_without_end(target_pieces))
        where: Callable[[], Offsets]
        if text is None:
            text = tokenizers.target.decode(tokens)
            where = partial(tokenizers.target.decoded_offsets, tokens[:written])
        else:
            where = partial(_offsets, tokenizers.target, text, written)
        return cls(
            source=line,
            text=text,
            source_pieces=source_pieces,
            target_pieces=target_pieces,
            source_offsets=_unspelled(
                line, source_pieces, partial(_offsets, tokenizers.source, line, len(ids) - 1)
            ),
            target_offsets=_unspelled(text, target_pieces, where),
            **measured,
        )

    @property
    def is_cut(self) -> bool:
        """Whether it reached the longest length allowed before the model ended it."""
        return bool(self.target_pieces) and self.target_pieces[-1] != END

    @cached_property
    def words(self) -> WordMatrix:
        """The same between the words of `source.split()` and `text.split()`."""
        return self.fold()

    def fold(self, *, end: bool = False) -> WordMatrix:
        """Returns `words`; with `end`, the end of sentence is kept as the last one of each side."""
        source = _words(self.source, self.source_pieces, self.source_offsets)
        target = _words(self.text, self.target_pieces, self.target_offsets)
        if end:
            source, target = (
                words.ended() if pieces[-1:] == (END,) else words
                for words, pieces in ((source, self.source_pieces), (target, self.target_pieces))
            )
        return fold(self.attention, source, target)


def empty_translation(source: str, text: str) -> Translation:
    """The translation of a line without any piece."""
    none = np.zeros((0, 0), np.float32)
    return Translation(source, text, 0.0, 0.0, (), (), none, source_offsets=(), target_offsets=())


def _offsets(tokenizer: Tokenizer, text: str, number: int) -> Offsets:
    """Returns where the first pieces of a text stand."""
    return tokenizer.offsets(text)[:number]


def _unspelled(line: str, pieces: Sequence[str], offsets: Callable[[], Offsets]) -> Offsets | None:
    """Returns the offsets of pieces in a line, or None where the pieces spell its words.

    They nearly always do, and asking SentencePiece would take longer than all else in folding.
    """
    if spelling(_without_end(pieces)).split() == line.split():
        return None
    return offsets()


def _words(line: str, pieces: Sequence[str], offsets: Offsets | None) -> Words:
    if offsets is None:
        return Words.spelled(_without_end(pieces))
    return Words.at(line, offsets)


def _without_end(pieces: Sequence[str]) -> Sequence[str]:
    return pieces[:-1] if pieces and pieces[-1] == END else pieces
