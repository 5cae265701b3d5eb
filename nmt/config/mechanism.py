"""What the settings of all attention mechanisms have in common: abilities, scores, normalizers."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, JsonValue, field_validator

from nmt.config.section import Buildable, ObjectiveConfig

# Score functions by name; a class of the user is given by such a path itself.
SCORES = {
    "additive": "nmt.attention.scores:AdditiveScore",
    "normed_additive": "nmt.attention.scores:NormedAdditiveScore",
    "dot": "nmt.attention.dot_scores:DotScore",
    "scaled_dot": "nmt.attention.dot_scores:ScaledDotScore",
    "general": "nmt.attention.dot_scores:GeneralScore",
    "scaled_general": "nmt.attention.dot_scores:ScaledGeneralScore",
    "location": "nmt.attention.scores:LocationScore",
}
# JSON schema of `score`: editors offer the names, and accept a path.
SCHEMA: list[JsonValue] = [{"enum": [*SCORES]}, {"type": "string", "pattern": ":"}]


class MechanismConfig(Buildable):
    """Base of all mechanisms: what a mechanism can do."""

    has_weights: ClassVar[bool] = True  # a weight for each source position
    learns_weights: ClassVar[bool] = True  # the weights depend on parameters
    samples: ClassVar[bool] = False  # positions are sampled if `decoding.attention_seed` is given

    @property
    def imported(self) -> str | None:
        """The path `package.module:Class` of a class of the user that the mechanism needs."""
        return None

    @property
    def objective(self) -> ObjectiveConfig | None:
        """An objective beside the cross-entropy, without which the weights would not learn."""
        return None

    @property
    def zeros(self) -> str | None:
        """The setting that gives source words weights of exactly zero, which have no gradient."""
        return None

    @property
    def varies(self) -> bool:
        """Whether two passes over a batch in training differ by the mechanism alone."""
        return self.samples

    def size_conflicts(self, query_size: int, annotation_size: int) -> Iterator[str]:
        """Yields why the mechanism cannot have a decoder state and annotations of these sizes."""
        yield from ()


class ScoredConfig(MechanismConfig):
    """A mechanism that compares the decoder's state with source positions."""

    compares: ClassVar[str | None] = None  # the positions scored at a time, if not all of them

    mechanism: str
    score: Annotated[str, Field(json_schema_extra={"anyOf": SCHEMA})] = "additive"
    """[Score function](attention.md#scores-modelattentionscore), or the path of your own."""
    score_options: dict[str, JsonValue] = Field(default={})
    """Keyword arguments of the score function's class."""

    @property
    def imported(self) -> str | None:
        """The path of a score function of the user."""
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
        if self.imported is None:
            yield from self._option_conflicts()
        if self.score == "location" and self.compares is not None:
            yield (
                f"`mechanism: {self.mechanism}` compares {self.compares}, and `score: location` "
                "compares nothing: choose another score, or `mechanism: global`"
            )

    def _option_conflicts(self) -> Iterator[str]:
        """Yields options of the scores here that are no sizes."""
        for name in self.score_options.keys() & {"hidden_size", "max_positions"}:
            size = self.score_options[name]
            if type(size) is not int or size < 1:
                yield f"`score_options.{name}` is an integer of at least 1, not {size!r}"

    def size_conflicts(self, query_size: int, annotation_size: int) -> Iterator[str]:
        """Yields that a product of two vectors needs vectors of one size."""
        if self.score in ("dot", "scaled_dot") and query_size != annotation_size:
            yield (
                f"the score {self.score!r} compares the decoder state with annotations directly: "
                f"`decoder.hidden_size` ({query_size}) must be the size of an annotation "
                f"({annotation_size}), twice the `encoder.hidden_size` or an "
                "`encoder.annotation_size`; or choose 'general'"
            )


class NormalizedConfig(ScoredConfig):
    """A mechanism that normalizes the scores of all positions together."""

    normalizer: Literal["softmax", "sparsemax", "entmax15"] = "softmax"
    """Function that turns scores into weights; `sparsemax` and `entmax15` give exact zeros."""

    @property
    def zeros(self) -> str | None:
        """Sparsemax and entmax, which give low scores a weight of zero."""
        return None if self.normalizer == "softmax" else f"`normalizer: {self.normalizer}`"
