"""Perplexity: exp(-log p / n), where n counts pieces or words, ends of sentences included."""

import math
from dataclasses import dataclass

from nmt.counting import counted


@dataclass
class Perplexity:
    """Adds up what is known of each line of a text."""

    log_prob: float = 0.0  # natural logarithm
    pieces: int = 0
    words: int = 0
    lines: int = 0

    def add(self, log_prob: float, *, pieces: int, words: int) -> None:
        """Adds a line, whose end counts as a piece and as a word."""
        self.log_prob += log_prob
        self.pieces += pieces
        self.words += words
        self.lines += 1

    def __str__(self) -> str:
        if not self.lines:
            return "no perplexity: no pairs were read"
        if not self.pieces:
            return f"no perplexity: {counted(self.lines, 'line')} without a piece"
        return (
            f"perplexity {self._of(self.pieces):.4g} per piece, {self._of(self.words):.4g} per "
            f"word (log p {self.log_prob:.2f}, {counted(self.lines, 'line')}, "
            f"{counted(self.pieces, 'piece')}, {counted(self.words, 'word')})"
        )

    def _of(self, number: int) -> float:
        """Returns the perplexity per piece or word, of which there are so many."""
        try:
            return math.exp(-self.log_prob / number)
        except OverflowError:  # a long line without spaces is one improbable word
            return math.inf
