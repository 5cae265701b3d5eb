"""Settings of how long lines are divided into sentences for a translation."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from nmt.config.section import ConfigSection, JsonSchema

When = Literal["never", "cut", "long", "always"]
SentenceRules = Literal["own", "sentencex"]


class SplitConfig(ConfigSection):
    """Which lines are translated sentence by sentence: see [decoding.md](decoding.md#long-lines).

    A string is short for a mapping with this `when`.
    """

    short_forms: ClassVar[tuple[JsonSchema, ...]] = ({"type": "string"},)

    when: When = "long"
    """`cut`: lines of more than `max_pieces`, which would be cut; `long`: those that are longer
    than all training sentences, too; `always`: each line of several sentences; `never`: none."""
    sentences: SentenceRules = "own"
    """Where sentences end: by rules of nmt's own, or by those of the package sentencex."""

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """Returns the mapping for which a string is short."""
        return {"when": value} if isinstance(value, str) else value

    def _conflicts(self) -> Iterator[str]:
        if self.when == "never" and self.sentences != type(self).model_fields["sentences"].default:
            yield f"`sentences: {self.sentences}` would do nothing with `when: never`: leave it out"
