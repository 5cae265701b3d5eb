"""Settings of training: optimizer, learning rate, validation and stopping."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nmt.config.section import (
    Choice,
    ConfigSection,
    Count,
    Fraction,
    ObjectiveConfig,
    Positive,
    Size,
)

Factor = Annotated[float, Field(gt=0, lt=1)]


class AdamConfig(ConfigSection):
    """Adam (Kingma and Ba 2015)."""

    kind: Literal["adam"] = "adam"


class AdamWConfig(ConfigSection):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"
    weight_decay: Positive = 0.01
    """Decay of matrices per step: this fraction of them, times the learning rate."""


class AdadeltaConfig(ConfigSection):
    """Adadelta (Zeiler 2012), as in Bahdanau et al. (2015), whose `learning_rate` is 1."""

    kind: Literal["adadelta"] = "adadelta"


class SgdConfig(ConfigSection):
    """Stochastic gradient descent without momentum."""

    kind: Literal["sgd"] = "sgd"


OptimizerConfig = Annotated[
    AdamConfig | AdamWConfig | AdadeltaConfig | SgdConfig, Choice(default="adam")
]


class WarmUpConfig(ConfigSection):
    """Settings that all schedules have."""

    kind: str
    warmup_steps: Count = 0
    """Steps of linear warm-up."""


class ConstantScheduleConfig(WarmUpConfig):
    """A constant learning rate."""

    kind: Literal["constant"] = "constant"


class InverseSqrtScheduleConfig(WarmUpConfig):
    """rate * sqrt(warmup_steps / step) after the warm-up (Vaswani et al. 2017)."""

    kind: Literal["inverse_sqrt"] = "inverse_sqrt"
    warmup_steps: Size = 4000


class PlateauScheduleConfig(WarmUpConfig):
    """The rate is reduced when validation does not improve."""

    kind: Literal["plateau"] = "plateau"
    factor: Factor = 0.5
    """The learning rate is multiplied by this at each reduction."""
    patience: Count = 2
    """Validations without improvement that are allowed; the next one reduces the rate."""


class LuongScheduleConfig(WarmUpConfig):
    """The rate is reduced at one step and at equal intervals after it (Luong et al. 2015)."""

    kind: Literal["luong"] = "luong"
    factor: Factor = 0.5
    """The learning rate is multiplied by this at each reduction."""
    start_step: Count | None = None
    """Step of the first reduction; null: two thirds of all steps."""
    every_steps: Size | None = None
    """Steps between reductions; null: a twelfth of all steps."""


class CosineScheduleConfig(WarmUpConfig):
    """Half a cosine, from the rate to zero at the last step."""

    kind: Literal["cosine"] = "cosine"


ScheduleConfig = Annotated[
    ConstantScheduleConfig
    | InverseSqrtScheduleConfig
    | PlateauScheduleConfig
    | LuongScheduleConfig
    | CosineScheduleConfig,
    Choice(default="constant"),
]


class GuidedAlignmentConfig(ObjectiveConfig):
    """[Guided alignment](explanations.md#guided-alignment): word links train the attention.

    The method is that of Chen et al. (2016); the links are `data.train.alignments`.
    """

    implementation: ClassVar[str] = "nmt.training.guided:GuidedAlignment"

    cost: Literal["ce", "mse"] = "ce"
    """Cross-entropy, or half the squared difference, between weights and links."""
    weight: Positive = 0.1
    """Weight of the cost of a target piece, relative to its loss."""
    step: Literal["predicted", "shifted"] = "predicted"
    """Decoder step that the links of a piece guide: the step that predicts it, or the next one."""
    unlinked: Literal["ignored", "end"] = "ignored"
    """Words without a link cost nothing, or should attend to the end of the source sentence."""


class DoublyStochasticConfig(ObjectiveConfig):
    """[Doubly stochastic attention](attention.md#doubly-stochastic-attention).

    Each source position should be attended to once (Xu et al. 2015, section 4.2.1).
    """

    implementation: ClassVar[str] = "nmt.training.doubly_stochastic:DoublyStochastic"

    weight: Positive = 1.0
    """Weight of the cost of a sentence, lambda in equation 14 of the paper."""


class RDropConfig(ObjectiveConfig):
    """[R-Drop](recipe.md#r-drop): two passes with different dropout should agree."""

    implementation: ClassVar[str] = "nmt.training.r_drop:RDrop"
    passes: ClassVar[int] = 2

    weight: Positive = 5.0
    """Weight of the divergence, as in equation 4 of the paper."""


class TrainingConfig(ConfigSection):
    """Optimization, validation and stopping."""

    start_from: str | None = None
    """Run or bundle [whose parameters to start from](starting.md#start-from-a-trained-model)."""
    freeze: tuple[str, ...] = ()
    """Parameters or parts, by their names in `nmt info`, that stay as they are: `[encoder]`."""
    optimizer: OptimizerConfig = AdamConfig()
    """Optimizer, which turns gradients into updates."""
    learning_rate: Positive = 5.0e-4
    """Learning rate, which the schedule starts from or warms up to."""
    schedule: ScheduleConfig = ConstantScheduleConfig()
    """Learning rate over time."""
    clip_norm: Positive | None = 1.0
    """Maximum norm of the gradient of the mean loss per target token; null: no clipping."""
    ema: Factor | None = None
    """Decay of a [moving average](recipe.md#averages) of the parameters, such as 0.999, which is
    validated and translated with; null: none."""
    label_smoothing: Fraction = 0.1
    """Probability taken from the reference and spread over all target pieces."""
    guided_alignment: GuidedAlignmentConfig | None = None
    """Guided alignment; used with its defaults if only `data.train.alignments` is given."""
    r_drop: RDropConfig | None = None
    """R-Drop; null: none."""
    doubly_stochastic: DoublyStochasticConfig | None = None
    """Doubly stochastic attention; null: none."""
    gradient_accumulation: Size = 1
    """Batches whose gradients make one update; fewer at the end of an epoch of a stream."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Floating-point type of the computation; parameters stay float32."""
    max_steps: Size | None = None
    """Maximum number of updates; training ends at the first limit reached. null: no limit."""
    max_epochs: Size | None = 20
    """Maximum number of passes over the corpus; null: no limit."""
    validate_every: Size = 500
    """Updates between validations."""
    validation_beam: Size = 1
    """Beam size for validation BLEU; 1: greedy search."""
    keep: Count = 0
    """Last validations whose parameters are kept, for [`nmt average`](recipe.md#averages)."""
    metric: Literal["bleu", "perplexity"] = "bleu"
    """Validation metric that chooses the best checkpoint and stops early."""
    patience: Size | None = 10
    """Validations without improvement before training stops; null: never."""
    extend: bool = False
    """Allow a longer training of a run although its `cosine` or `luong` schedule changes by it."""
    max_skipped_updates: Size = 10
    """Stop after this many skipped updates in a row: the loss exploded or is not finite."""
    log_every: Size = 50
    """Updates between log records."""
    attention_images: Count = 4
    """Validation sentences whose attention is drawn for TensorBoard."""

    def _conflicts(self) -> Iterator[str]:
        if self.max_steps is None and self.max_epochs is None:
            yield "give `max_steps` or `max_epochs`"
