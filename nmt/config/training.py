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
    extend: bool = False  # move the end of a run although its cosine or luong schedule moves too
    max_skipped: Size = 10  # updates in a row left out as unsound; then training stops
    log_every: Size = 50  # steps
    attention_images: Count = 4  # validation sentences drawn for TensorBoard

    @model_validator(mode="after")
    def _ends(self) -> "TrainingConfig":
        if self.max_steps is None and self.max_epochs is None:
            raise ValueError("give `max_steps` or `max_epochs`")
        return self


class DecodingConfig(Section):
    """Search. The longest hypothesis is `max_ratio` times the source pieces plus `max_extra`."""

    beam: Size = 5  # hypotheses kept; 1 is greedy search
    normalisation: Literal["none", "average", "gnmt"] = "average"
    alpha: Annotated[float, Field(ge=0)] = 1.0  # average: length ** alpha; gnmt: Wu et al. (2016)
    max_ratio: Positive = 1.5  # target pieces a source piece
    max_extra: Count = 10  # target pieces on top
    coverage_penalty: Annotated[float, Field(ge=0)] = 0.0  # beta of Wu et al. (2016); 0: none
    shortlist: Count | None = None  # translations of a source piece that may be used; null: all
    prune: Positive | None = None  # nats below the best hypothesis that give one up; null: none
    draw: Count | None = None  # hard, monotonic: seed to draw positions by; null: take the best
    batch: Size = 64  # sentences of 128 pieces; four times as many of 32 or fewer
    max_source: Size = 512  # pieces; a longer line is cut, with a warning
