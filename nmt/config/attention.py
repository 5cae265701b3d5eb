"""Settings of each attention mechanism; of coverage; of the estimators of hard attention."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from nmt.config.mechanism import MechanismConfig, NormalizedConfig, ScoredConfig
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


class GlobalConfig(NormalizedConfig):
    """Soft attention over all source positions (Bahdanau et al. 2015; Luong et al. 2015)."""

    implementation: ClassVar[str] = "nmt.attention.soft:GlobalAttention"

    mechanism: Literal["global"] = "global"
    coverage: CoverageConfig = None
    """Coverage: how far each source position has been translated, as an input of the score."""

    def build(self, *sizes: Any, **arguments: Any) -> Any:
        """Returns the attention module, with coverage if `coverage` is given."""
        if self.coverage is None:
            return super().build(*sizes, **arguments)
        return imported("nmt.attention.coverage:CoverageAttention")(self, *sizes, **arguments)

    def _conflicts(self) -> Iterator[str]:
        yield from super()._conflicts()
        if self.score == "location" and self.coverage is not None:
            yield (
                f"`coverage: {self.coverage.kind}` is added to what a score compares, and "
                "`score: location` compares nothing: choose another score, or `coverage: none`"
            )


class LocalConfig(NormalizedConfig):
    """Soft attention in a window (Luong et al. 2015, section 3.2)."""

    compares: ClassVar[str | None] = "the positions of a window"

    window: Size = 10
    """Positions attended to on each side of the center."""

    @property
    def zeros(self) -> str | None:
        """The mechanism itself: weights outside of the window are zero."""
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
        """The estimator, if it is a loss of its own (REINFORCE)."""
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
    """Standard deviation of Gaussian noise on the scores in training; it makes decisions sharp."""

    @property
    def varies(self) -> bool:
        """Whether the scores have noise: without it, training weighs all positions."""
        return self.noise > 0


class MultiHeadConfig(NormalizedConfig):
    """Multi-head attention (Vaswani et al. 2017)."""

    implementation: ClassVar[str] = "nmt.attention.multihead:MultiHeadAttention"

    mechanism: Literal["multi_head"] = "multi_head"
    heads: Size = 4
    """Number of heads; each works on an equal part of the annotation."""

    def size_conflicts(self, query_size: int, annotation_size: int) -> Iterator[str]:
        """Yields that the heads share an annotation in equal parts."""
        if annotation_size % self.heads:
            yield (
                f"`attention.heads` ({self.heads}) must divide the size of an annotation "
                f"({annotation_size}), twice the `encoder.hidden_size` or an "
                "`encoder.annotation_size`"
            )


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
