"""The part of the configuration that is about search; each setting can be given when decoding."""

from typing import Annotated, Literal

from pydantic import Field

from nmt.config.section import Choice, Count, NotNegative, Positive, ProcessorConfig, Section, Size

Exponent = Annotated[float, Field(ge=0, le=5)]  # of more, powers of lengths are no float32


class NoLengthPenalty(Section):
    """Hypotheses are ranked by log p, which prefers short ones."""

    kind: Literal["none"] = "none"


class AverageLengthPenalty(Section):
    """Hypotheses are ranked by log p / length ** alpha."""

    kind: Literal["average"] = "average"
    alpha: Exponent = 1.0


class GnmtLengthPenalty(Section):
    """Hypotheses are ranked by log p / ((5 + length) / 6) ** alpha (Wu et al. 2016)."""

    kind: Literal["gnmt"] = "gnmt"
    alpha: Exponent = 0.6


LengthPenalty = Annotated[
    NoLengthPenalty | AverageLengthPenalty | GnmtLengthPenalty,
    Choice(default="average", number="alpha"),
]


class DecodingConfig(Section):
    """Search. The longest hypothesis is `max_ratio` times the source pieces plus `max_extra`."""

    beam: Size = 5  # hypotheses extended at each step; 1 is greedy search, with patience 1
    length_penalty: LengthPenalty = AverageLengthPenalty()
    coverage_penalty: NotNegative = 0.0  # beta of Wu et al. (2016); 0: none
    patience: Positive | None = 1.0  # done when so many times `beam` have finished; null: exact
    prune: Positive | None = None  # drop what is so many nats below the likeliest; null: none
    max_ratio: Annotated[float, Field(gt=0, le=100)] = 1.5  # target pieces a source piece
    max_extra: Annotated[int, Field(ge=0, le=10_000)] = 10  # target pieces on top
    # translations of a source piece that may be used, of the 100 likeliest; null: all pieces
    shortlist: Annotated[int, Field(ge=1, le=100)] | None = None
    draw: Count | None = None  # hard, monotonic: seed to draw positions by; null: take the best
    batch: Size = 64  # sentences searched at once, at most; of wide beams and long lines fewer
    max_pieces: Size = 512  # of a line; a longer one is cut, with a warning

    @property
    def processors(self) -> list[ProcessorConfig]:
        """The sections that have a say in what may be written, in their order."""
        return [value for _, value in self if isinstance(value, ProcessorConfig)]
