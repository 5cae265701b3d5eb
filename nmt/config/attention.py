"""The part of the configuration that is about attention: mechanisms, coverage, estimators.

What a mechanism can do is said by its class, so that nothing else has a list of names.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, JsonValue, field_validator

from nmt.config.section import (
    Buildable,
    Choice,
    ConfigSection,
    Fraction,
    NotNegative,
    ObjectiveConfig,
    Positive,
    Size,
    imported,
)

# The score functions by name; any other is named by its path, as these are.
SCORES = {
    "additive": "nmt.attention.scores:AdditiveScore",
    "normed_additive": "nmt.attention.scores:NormedAdditiveScore",
    "dot": "nmt.attention.dot_scores:DotScore",
    "scaled_dot": "nmt.attention.dot_scores:ScaledDotScore",
    "general": "nmt.attention.dot_scores:GeneralScore",
    "scaled_general": "nmt.attention.dot_scores:ScaledGeneralScore",
    "location": "nmt.attention.scores:LocationScore",
}
# For editors, which offer the names.
SCHEMA: list[JsonValue] = [{"enum": [*SCORES]}, {"type": "string", "pattern": ":"}]


class LinguisticCoverageConfig(Buildable):
    """Linguistic coverage: attention received so far, over the fertility (Tu et al. 2016)."""

    implementation: ClassVar[str] = "nmt.attention.coverage:LinguisticCoverage"

    kind: Literal["linguistic"] = "linguistic"
    max_fertility: Positive = 2.0
    """Maximum number of target tokens per source position."""


class NeuralCoverageConfig(Buildable):
    """Neural coverage: a small recurrent state per source position (Tu et al. 2016)."""

    implementation: ClassVar[str] = "nmt.attention.coverage:NeuralCoverage"

    kind: Literal["neural"] = "neural"
    size: Size = 10
    """Size of the coverage vector of a source position."""


CoverageConfig = Annotated[LinguisticCoverageConfig | NeuralCoverageConfig | None, Choice()]


class ReinforceConfig(ObjectiveConfig):
    """Policy gradient, REINFORCE (Williams 1992; Xu et al. 2015)."""

    implementation: ClassVar[str] = "nmt.training.reinforce:Reinforce"

    kind: Literal["reinforce"] = "reinforce"
    reward_weight: Positive = 0.1
    """Weight of the reward, lambda_r of Xu et al. (2015); 1 is unbiased."""
    entropy_weight: NotNegative = 0.01
    """Weight of the entropy bonus, lambda_e of Xu et al. (2015); it keeps exploring."""
    soft_fraction: Fraction = 0.5
    """Fraction of sentences trained with soft attention."""
    baseline_decay: Fraction = 0.9
    """Decay of the moving average of the loss, which is the baseline."""


class GumbelConfig(ConfigSection):
    """Straight-through Gumbel-softmax (Jang et al. 2017)."""

    kind: Literal["gumbel"] = "gumbel"
    temperature: Positive = 1.0
    """Temperature of the softmax whose gradient is used."""


EstimatorConfig = Annotated[ReinforceConfig | GumbelConfig, Choice(default="reinforce")]


class MechanismConfig(Buildable):
    """What every mechanism says of itself."""

    has_weights: ClassVar[bool] = True  # of source positions
    learns_weights: ClassVar[bool] = True
    samples: ClassVar[bool] = False  # positions, where `decoding.attention_seed` is given

    @property
    def imported(self) -> str | None:
        """The dotted path of a class that is imported to build the mechanism."""
        return None

    @property
    def objective(self) -> ObjectiveConfig | None:
        """What is minimised for its weights to learn, beside the cross-entropy."""
        return None

    @property
    def zeros(self) -> str | None:
        """The setting by which real positions can have weights of zero, which have no gradient."""
        return None


class ScoredConfig(MechanismConfig):
    """A mechanism that compares the decoder's state with source positions."""

    compares: ClassVar[str | None] = None  # what is compared at a time, if not all positions

    mechanism: str
    score: Annotated[str, Field(json_schema_extra={"anyOf": SCHEMA})] = "additive"
    """[Score function](attention.md#scores-modelattentionscore), or a class of your own."""
    score_options: dict[str, JsonValue] = Field(default={})
    """Keyword arguments of the score's class."""

    @property
    def imported(self) -> str | None:
        """The dotted path of a score of the user's own."""
        return self.score if ":" in self.score else None

    @field_validator("score")
    @classmethod
    def _known_score(cls, score: str) -> str:
        if score not in SCORES and ":" not in score:
            raise ValueError(
                f"unknown score {score!r}; choose one of {', '.join(SCORES)}, "
                "or name a class of your own as package.module:Class"
            )
        return score

    def _conflicts(self) -> Iterator[str]:
        if self.score == "location" and self.compares is not None:
            yield (
                f"`mechanism: {self.mechanism}` compares {self.compares}, and `score: location` "
                "compares nothing: choose another score, or `mechanism: global`"
            )


class NormalizedConfig(ScoredConfig):
    """A mechanism that makes weights of all scores at once."""

    normalizer: Literal["softmax", "sparsemax", "entmax15"] = "softmax"
    """Function that turns scores into weights; `sparsemax` and `entmax15` give exact zeros."""

    @property
    def zeros(self) -> str | None:
        """All but the softmax give low scores no weight at all."""
        return None if self.normalizer == "softmax" else f"`normalizer: {self.normalizer}`"


class GlobalConfig(NormalizedConfig):
    """Soft attention over all source positions (Bahdanau et al. 2015; Luong et al. 2015)."""

    implementation: ClassVar[str] = "nmt.attention.soft:GlobalAttention"

    mechanism: Literal["global"] = "global"
    coverage: CoverageConfig = None
    """Coverage: what has been translated of each source position, as an input of the score."""

    def build(self, *sizes: Any, **arguments: Any) -> Any:
        """Returns the mechanism, which carries a coverage if there is one."""
        if self.coverage is None:
            return super().build(*sizes, **arguments)
        mechanism = imported("nmt.attention.coverage:CoverageAttention")
        return mechanism(self, *sizes, **arguments)

    def _conflicts(self) -> Iterator[str]:
        if self.score == "location" and self.coverage is not None:
            yield (
                f"`coverage: {self.coverage.kind}` is added to what a score compares, and "
                "`score: location` compares nothing: choose another score, or `coverage: none`"
            )


class LocalConfig(NormalizedConfig):
    """Soft attention in a window (Luong et al. 2015, section 3.2)."""

    compares: ClassVar[str | None] = "the positions of a window"

    window: Size = 10
    """Positions attended to on each side of the centre."""

    @property
    def zeros(self) -> str | None:
        """Outside of the window there is no weight."""
        return f"`mechanism: {self.mechanism}`"


class LocalMConfig(LocalConfig):
    """Soft attention near the diagonal: local-m of Luong et al. (2015)."""

    implementation: ClassVar[str] = "nmt.attention.local:LocalMonotonicAttention"

    mechanism: Literal["local_m"] = "local_m"


class LocalPConfig(LocalConfig):
    """Soft attention near a predicted position: local-p of Luong et al. (2015)."""

    implementation: ClassVar[str] = "nmt.attention.local:LocalPredictiveAttention"

    mechanism: Literal["local_p"] = "local_p"


class HardConfig(NormalizedConfig):
    """Hard attention: the context is one annotation, sampled by the weights (Xu et al. 2015)."""

    implementation: ClassVar[str] = "nmt.attention.hard:HardAttention"

    samples: ClassVar[bool] = True

    mechanism: Literal["hard"] = "hard"
    estimator: EstimatorConfig = ReinforceConfig()
    """Gradient estimator: a sampled position has no gradient of its own."""

    @property
    def objective(self) -> ObjectiveConfig | None:
        """The estimator, if it learns by reward."""
        return self.estimator if isinstance(self.estimator, ObjectiveConfig) else None


class MonotonicConfig(ScoredConfig):
    """Monotonic attention: a pointer that only moves forwards (Raffel et al. 2017)."""

    implementation: ClassVar[str] = "nmt.attention.monotonic:MonotonicAttention"

    compares: ClassVar[str | None] = "one position after the other"
    samples: ClassVar[bool] = True

    mechanism: Literal["monotonic"] = "monotonic"
    offset: float = -1.0
    """Initial bias of the scores, with which the pointer moves e^-offset positions per step."""
    noise: NotNegative = 1.0
    """Standard deviation of Gaussian noise on the scores in training; it makes them decide."""


class MultiHeadConfig(NormalizedConfig):
    """Multi-head attention (Vaswani et al. 2017)."""

    implementation: ClassVar[str] = "nmt.attention.multihead:MultiHeadAttention"

    mechanism: Literal["multi_head"] = "multi_head"
    heads: Size = 4
    """Number of heads, which share an annotation in equal parts."""


class UniformConfig(MechanismConfig):
    """A baseline: the mean of all annotations."""

    implementation: ClassVar[str] = "nmt.attention.baselines:UniformAttention"

    learns_weights: ClassVar[bool] = False

    mechanism: Literal["uniform"] = "uniform"


class NoAttentionConfig(MechanismConfig):
    """A baseline: the encoder's last states, and no attention (Cho et al. 2014)."""

    implementation: ClassVar[str] = "nmt.attention.baselines:NoAttention"

    has_weights: ClassVar[bool] = False
    learns_weights: ClassVar[bool] = False

    mechanism: Literal["none"] = "none"


AttentionConfig = Annotated[
    GlobalConfig
    | LocalMConfig
    | LocalPConfig
    | HardConfig
    | MonotonicConfig
    | MultiHeadConfig
    | UniformConfig
    | NoAttentionConfig,
    Choice("mechanism", default="global"),
]
