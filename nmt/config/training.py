"""The part of the configuration that is about learning, and about search."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nmt.config.section import Count, Fraction, Positive, Section, Size


class ScheduleConfig(Section):
    """The learning rate over time; every kind may start with a linear warm-up."""

    kind: Literal["constant", "inverse_sqrt", "plateau", "luong", "cosine"] = "constant"
    warmup_steps: Count = 0  # the rate grows linearly over so many steps
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5  # plateau, luong: what the rate is cut by
    patience: Count = 2  # plateau: validations without a new best that do not cut yet
    start_step: Count | None = None  # luong: the first cut; two thirds of all steps if not given
    every_steps: Size | None = None  # luong: from cut to cut; a twelfth of all steps if not given


class GuidedAlignmentConfig(Section):
    """How `data.train.alignments` teach attention (Chen et al. 2016)."""

    cost: Literal["ce", "mse"] = "ce"  # cross-entropy, or half the squared difference
    weight: Positive = 0.1  # of the cost of a target piece, beside its loss
    step: Literal["write", "read"] = "write"  # the one that writes the piece, or the one after it


class TrainingConfig(Section):
    """Optimisation, validation and stopping."""

    optimizer: Literal["adam", "adamw", "adadelta", "sgd"] = "adam"
    learning_rate: Positive = 5.0e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.0  # adamw
    schedule: ScheduleConfig = ScheduleConfig()
    clip_norm: Positive | None = 1.0  # of the mean gradient of a target token
    label_smoothing: Fraction = 0.1
    guided_alignment: GuidedAlignmentConfig = GuidedAlignmentConfig()
    accumulate: Size = 1  # batches whose gradients make one step
    compute_type: Literal["float32", "bfloat16"] = "float32"  # parameters stay float32
    max_steps: Size | None = None  # updates; training ends at the first limit reached
    max_epochs: Size | None = 20  # passes over the corpus
    validate_every: Size = 500  # steps
    validation_beam: Size = 1  # the search that validation BLEU is measured with
    metric: Literal["bleu", "perplexity"] = "bleu"  # chooses the best checkpoint, stops early
    patience: Size | None = 10  # validations without a new best; null: train to the end
    max_skipped: Size = 10  # updates in a row left out as unsound; then training stops
    log_every: Size = 50  # steps
    attention_images: Count = 4  # validation sentences drawn for TensorBoard

    @model_validator(mode="after")
    def _ends(self) -> "TrainingConfig":
        if self.max_steps is None and self.max_epochs is None:
            raise ValueError("give `max_steps` or `max_epochs`")
        return self
