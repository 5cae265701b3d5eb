"""The part of the configuration that is about learning, and about search."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nmt.config.section import Choice, Count, Fraction, ObjectiveConfig, Positive, Section, Size

Cut = Annotated[float, Field(gt=0, lt=1)]


class AdamConfig(Section):
    """Adam (Kingma and Ba 2015)."""

    kind: Literal["adam"] = "adam"


class AdamWConfig(Section):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"
    weight_decay: Positive = 0.01  # fraction of the weights, times the rate, taken off each step


class AdadeltaConfig(Section):
    """Adadelta (Zeiler 2012), as Bahdanau et al. (2015) have it; its learning rate is 1."""

    kind: Literal["adadelta"] = "adadelta"


class SgdConfig(Section):
    """Stochastic gradient descent without momentum."""

    kind: Literal["sgd"] = "sgd"


OptimizerConfig = Annotated[
    AdamConfig | AdamWConfig | AdadeltaConfig | SgdConfig, Choice(default="adam")
]


class ConstantScheduleConfig(Section):
    """The learning rate itself."""

    kind: Literal["constant"] = "constant"
    warmup_steps: Count = 0  # the rate grows linearly over so many steps


class InverseSqrtScheduleConfig(Section):
    """rate * sqrt(warmup_steps / step) after the warm-up (Vaswani et al. 2017)."""

    kind: Literal["inverse_sqrt"] = "inverse_sqrt"
    warmup_steps: Size = 4000  # the rate grows linearly over so many steps


class PlateauScheduleConfig(Section):
    """The rate is cut when validation does not improve."""

    kind: Literal["plateau"] = "plateau"
    warmup_steps: Count = 0  # the rate grows linearly over so many steps
    factor: Cut = 0.5  # what the rate is multiplied by
    patience: Count = 2  # validations without improvement before the rate is reduced


class LuongScheduleConfig(Section):
    """The rate is cut at one step and at equal distances after it (Luong et al. 2015)."""

    kind: Literal["luong"] = "luong"
    warmup_steps: Count = 0  # the rate grows linearly over so many steps
    factor: Cut = 0.5  # what the rate is multiplied by
    start_step: Count | None = None  # of the first cut; two thirds of all steps if not given
    every_steps: Size | None = None  # from cut to cut; a twelfth of all steps if not given


class CosineScheduleConfig(Section):
    """Half a cosine, from the rate to zero at the last step."""

    kind: Literal["cosine"] = "cosine"
    warmup_steps: Count = 0  # the rate grows linearly over so many steps


ScheduleConfig = Annotated[
    ConstantScheduleConfig
    | InverseSqrtScheduleConfig
    | PlateauScheduleConfig
    | LuongScheduleConfig
    | CosineScheduleConfig,
    Choice(default="constant"),
]


class GuidedAlignmentConfig(ObjectiveConfig):
    """How `data.train.alignments` teach attention (Chen et al. 2016)."""

    implementation: ClassVar[str] = "nmt.training.guided:GuidedAlignment"

    cost: Literal["ce", "mse"] = "ce"  # cross-entropy, or half the squared difference
    weight: Positive = 0.1  # of the cost of a target piece, beside its loss
    step: Literal["write", "read"] = "write"  # the one that writes the piece, or the one after it


class TrainingConfig(Section):
    """Optimisation, validation and stopping."""

    optimizer: OptimizerConfig = AdamConfig()
    learning_rate: Positive = 5.0e-4
    schedule: ScheduleConfig = ConstantScheduleConfig()  # of the learning rate
    clip_norm: Positive | None = 1.0  # of the mean gradient of a target token
    label_smoothing: Fraction = 0.1
    guided_alignment: GuidedAlignmentConfig | None = None  # if `data.train.alignments` are given
    accumulate: Size = 1  # batches whose gradients make one step
    compute_type: Literal["float32", "bfloat16"] = "float32"  # parameters stay float32
    max_steps: Size | None = None  # updates; training ends at the first limit reached
    max_epochs: Size | None = 20  # passes over the corpus
    validate_every: Size = 500  # steps
    validation_beam: Size = 1  # the search that validation BLEU is measured with
    metric: Literal["bleu", "perplexity"] = "bleu"  # chooses the best checkpoint, stops early
    patience: Size | None = 10  # validations without a new best; null: train to the end
    extend: bool = False  # move the end of a run although its cosine or luong schedule moves too
    max_skipped: Size = 10  # updates in a row left out as unsound; then training stops
    log_every: Size = 50  # steps
    attention_images: Count = 4  # validation sentences drawn for TensorBoard

    @model_validator(mode="after")
    def _ends(self) -> "TrainingConfig":
        if self.max_steps is None and self.max_epochs is None:
            raise ValueError("give `max_steps` or `max_epochs`")
        return self
