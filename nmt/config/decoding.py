"""Settings of the search for a translation; each can also be given when decoding."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from nmt.config.risk import SAMPLES, MbrConfig
from nmt.config.section import (
    Choice,
    ConfigSection,
    Count,
    NotNegative,
    Positive,
    ProcessorConfig,
    Size,
)
from nmt.config.splitting import SplitConfig
from nmt.config.strategy import BeamConfig, DiverseBeamConfig, SearchStrategy

PlaceholderKind = Literal["variables", "addresses", "numbers"]
Exponent = Annotated[float, Field(ge=0, le=5)]  # larger powers of a length overflow float32


class NoLengthPenalty(ConfigSection):
    """Hypotheses are ranked by log p, which prefers short ones."""

    kind: Literal["none"] = "none"


class AverageLengthPenalty(ConfigSection):
    """Hypotheses are ranked by log p / length ** alpha."""

    kind: Literal["average"] = "average"
    alpha: Exponent = 1.0
    """Exponent of the length; 0: no penalty; 1: mean log-probability per piece."""


class GnmtLengthPenalty(ConfigSection):
    """Hypotheses are ranked by log p / ((5 + length) / 6) ** alpha (Wu et al. 2016)."""

    kind: Literal["gnmt"] = "gnmt"
    alpha: Exponent = 0.6
    """Exponent of the length penalty; 0: none."""


LengthPenalty = Annotated[
    NoLengthPenalty | AverageLengthPenalty | GnmtLengthPenalty,
    Choice(default="average", number="alpha"),
]


class DecodingConfig(ConfigSection):
    """The search for a translation: see [decoding.md](decoding.md).

    A hypothesis has at most `max_output_ratio` times the source pieces plus `max_extra` pieces.
    Each setting can be given to a trained run too: `nmt translate RUN in.txt decoding.beam=8`.
    """

    strategy: SearchStrategy = BeamConfig()
    """How translations are selected: greedily, by a beam, by a diverse beam, or by sampling."""
    beam: Size = 5
    """Beam size; 1: greedy search."""
    mbr: MbrConfig = None
    """Minimum Bayes risk decoding: choose the candidate that is most like all of them, by `chrf` or
    `bleu`; null: the one with the highest score."""
    length_penalty: LengthPenalty = AverageLengthPenalty()
    """Length penalty: how log-probabilities are divided to rank hypotheses."""
    coverage_penalty: NotNegative = 0.0
    """Weight of the coverage penalty, beta of Wu et al. (2016); 0: none."""
    patience: Positive | None = 1.0
    """Stop when this many times `beam` hypotheses have finished; null: exact search."""
    prune: Positive | None = None
    """Drop hypotheses more than this many nats below the best; null: none."""
    max_output_ratio: Annotated[float, Field(gt=0, le=100)] = 1.5
    """Maximum target pieces per source piece."""
    max_extra: Annotated[int, Field(ge=0, le=10_000)] = 10
    """Target pieces allowed in addition."""
    min_output_ratio: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Minimum target pieces per source piece, but not more than the maximum."""
    no_repeat_ngram: Size | None = None
    """Never write the same sequence of this many pieces twice; null: allow it."""
    shortlist: Annotated[int, Field(ge=1, le=100)] | None = None
    """Restrict the output to this many likely translations per source piece; null: no limit."""
    copy_unseen: bool = True
    """Copy source characters that no piece spells into the output, and translate the rest: see
    [languages.md](languages.md#characters-that-the-vocabulary-does-not-have)."""
    placeholders: tuple[PlaceholderKind, ...] = ()
    """What is kept as it is, once each: `variables` such as `{name}` and `%1$s`, `addresses` of
    pages and mail, `numbers`. See [markup.md](markup.md#placeholders)."""
    unknown: Literal["copy", "omit", "forbid"] = "copy"
    """`<unk>` in a hypothesis: copy the source word it attends to, omit it, or never choose it."""
    attention_seed: Count | None = None
    """`hard`, `monotonic`: sample attention positions with this seed; null: take the likeliest."""
    batch: Size = 64
    """Maximum sentences per batch; fewer with wide beams and long lines."""
    max_pieces: Size = 512
    """Maximum source pieces of a line, with its end; `split` says what becomes of a longer one."""
    split: SplitConfig = SplitConfig()
    """Which lines are translated [sentence by sentence](decoding.md#long-lines); `long`: those that
    are longer than all training sentences, or would be cut."""

    def _conflicts(self) -> Iterator[str]:
        strategy, beam = self.strategy, self.beam
        if isinstance(strategy, DiverseBeamConfig) and beam % strategy.groups:
            yield (
                f"a beam of {beam} cannot be divided into {strategy.groups} equal groups: set "
                "`beam` to a multiple of `strategy.groups`"
            )
        most, candidates = strategy.most(beam), self.candidates
        if candidates == 1:
            yield (
                "`mbr` (minimum Bayes risk) chooses from several candidates, and there is one: set "
                "a larger `beam` or `mbr.candidates`, or `strategy: sample`"
            )
        if candidates is not None and most is not None and candidates > most:
            yield (
                f"`mbr.candidates` is {candidates}, and the search finds {most}: set a larger "
                "`beam`, or `strategy: sample`"
            )

    @property
    def candidates(self) -> int | None:
        """The number of candidates of minimum Bayes risk decoding; none without it."""
        if self.mbr is None:
            return None
        return self.mbr.candidates or self.strategy.most(self.beam) or SAMPLES

    @property
    def processors(self) -> list[ProcessorConfig]:
        """The sections that change the scores of the next piece, in the order of the fields."""
        return [value for _, value in self if isinstance(value, ProcessorConfig)]
