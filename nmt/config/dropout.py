"""Settings of dropout, place by place."""

from typing import Any, ClassVar, Literal

from nmt.config.section import ConfigSection, Fraction, JsonSchema

DropoutPlace = Literal["embeddings", "layers", "annotations", "readout"]


class DropoutConfig(ConfigSection):
    """Dropout rates: how much of what is set to zero in training.

    A plain number is the `rate`. A mask is the same at all positions of a sentence; of whole words
    it is one for each position. [networks.md](networks.md#dropout) has the equations.
    """

    short_forms: ClassVar[tuple[JsonSchema, ...]] = (
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    )

    rate: Fraction = 0.3
    """Rate wherever a place has none of its own."""
    embeddings: Fraction | None = None
    """Components of the embeddings of both languages; null: `rate`."""
    layers: Fraction | None = None
    """Components between stacked layers; null: `rate`."""
    annotations: Fraction | None = None
    """Components of the annotations; null: `rate`."""
    readout: Fraction | None = None
    """Components of the readout; null: `rate`."""
    recurrent: Fraction = 0.0
    """Components of a state where recurrent matrices read it (Gal and Ghahramani 2016)."""
    source_words: Fraction = 0.0
    """Positions of the source whose whole embedding is dropped."""
    target_words: Fraction = 0.0
    """Positions of the target whose whole embedding is dropped before the decoder reads it."""

    def at(self, place: DropoutPlace) -> float:
        """Returns the rate of a place."""
        own: float | None = getattr(self, place)
        return self.rate if own is None else own

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """Returns the mapping for which a plain rate is short."""
        return {"rate": value} if isinstance(value, int | float | str) else value
