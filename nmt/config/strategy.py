"""Settings of the strategy by which a search selects translations."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from nmt.config.section import Buildable, Choice, Count, NotNegative, Size, imported


class StrategyConfig(Buildable):
    """A section that names how a search selects translations."""

    def build(self, *sizes: Any, **arguments: Any) -> Any:
        """Returns `Class.of(self, *sizes, **arguments)`."""
        return imported(self.implementation).of(self, *sizes, **arguments)

    def most(self, beam: int) -> int | None:
        """Returns how many translations of a sentence there can be; none: as many as wanted."""
        return beam


class GreedyConfig(StrategyConfig):
    """The likeliest piece at each step: a beam of 1, whatever `decoding.beam` is."""

    implementation: ClassVar[str] = "nmt.inference.beam:BeamSearch"

    kind: Literal["greedy"] = "greedy"

    def most(self, beam: int) -> int:
        """Returns that there is one translation."""
        return 1


class BeamConfig(StrategyConfig):
    """Beam search: the likeliest hypotheses of each length live on."""

    implementation: ClassVar[str] = "nmt.inference.beam:BeamSearch"

    kind: Literal["beam"] = "beam"


class DiverseBeamConfig(StrategyConfig):
    """Diverse beam search (Vijayakumar et al. 2018): groups of a beam avoid each other's pieces.

    `decoding.beam` is the size of all groups together.
    """

    implementation: ClassVar[str] = "nmt.inference.diverse:DiverseBeamSearch"

    kind: Literal["diverse_beam"] = "diverse_beam"
    groups: Size = 5
    """Number of groups, a divisor of `decoding.beam`; 1: beam search."""
    penalty: NotNegative = 0.5
    """Nats that a piece costs for each time that earlier groups chose it at the same step."""


class SampleConfig(StrategyConfig):
    """Translations are drawn by their probability, piece by piece; `--n-best` is their number.

    The temperature applies first. Then a piece must satisfy every limit that is given; the
    likeliest always does.
    """

    implementation: ClassVar[str] = "nmt.inference.sampling:Sampling"

    kind: Literal["sample"] = "sample"
    temperature: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    """Divides log-probabilities; below 1: likelier pieces; above: more varied ones."""
    top_k: Size | None = None
    """Draw from this many likeliest pieces; null: all."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Draw from the fewest pieces that together have this probability; null: all."""
    epsilon: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Draw from pieces that are more probable than this (Hewitt et al. 2022); null: all."""
    seed: Count = 1
    """Random seed; together with the sentence, it decides what is drawn."""

    def most(self, beam: int) -> None:
        """Returns that there is no limit."""
        return


SearchStrategy = Annotated[
    GreedyConfig | BeamConfig | DiverseBeamConfig | SampleConfig, Choice(default="beam")
]
