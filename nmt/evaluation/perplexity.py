"""Perplexity: exp(-log p / n), where n counts pieces or words, ends of sentences included."""

import math
from dataclasses import dataclass


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
        if not self.pieces:
            return f"no perplexity: {self.lines:,} lines without a piece"
        by_piece, by_word = (math.exp(-self.log_prob / n) for n in (self.pieces, self.words))
        return (
            f"perplexity {by_piece:.4g} per piece, {by_word:.4g} per word (log p "
            f"{self.log_prob:.2f}, {self.lines:,} lines, {self.pieces:,} pieces, "
            f"{self.words:,} words)"
        )
