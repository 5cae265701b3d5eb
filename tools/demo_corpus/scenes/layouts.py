"""What is in a picture: groups of equal shapes, and how the groups lie to each other."""

from dataclasses import dataclass
from typing import Literal

from demo_corpus.words import Adjective, Noun

Axis = Literal["x", "y"]
Side = Literal["low", "middle", "high"]  # along an axis: x to the right, y downwards

SMALL = Adjective("klein", "small")
LARGE = Adjective("groß", "large")
SCALES = (SMALL, LARGE)
COLORS = (
    Adjective("rot", "red"),
    Adjective("grün", "green"),
    Adjective("blau", "blue"),
    Adjective("gelb", "yellow"),
    Adjective("violett", "purple"),
    Adjective("schwarz", "black"),
)
KINDS = (
    Noun("shape", "der", "Kreis", "Kreise", "circle", "circles"),
    Noun("shape", "der", "Ring", "Ringe", "ring", "rings"),
    Noun("shape", "das", "Quadrat", "Quadrate", "square", "squares"),
    Noun("shape", "das", "Dreieck", "Dreiecke", "triangle", "triangles"),
    Noun("shape", "das", "Kreuz", "Kreuze", "cross", "crosses"),
    Noun("shape", "die", "Raute", "Rauten", "diamond", "diamonds"),
)


@dataclass(frozen=True)
class Group:
    """One, two or three equal shapes side by side."""

    count: int
    scale: Adjective
    color: Adjective
    kind: Noun


@dataclass(frozen=True)
class Alone:
    """One group, at a place in the picture."""

    group: Group
    x: Side
    y: Side

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups in the order of their numbers."""
        return (self.group,)


@dataclass(frozen=True)
class Line:
    """Two or three groups, from left to right or from top to bottom."""

    axis: Axis
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Corner:
    """A group with one above or below it, and one to the left or to the right of it."""

    corner: Group
    vertical: Group
    horizontal: Group
    above: bool
    left: bool

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups in the order of their numbers."""
        return self.corner, self.vertical, self.horizontal


Layout = Alone | Line | Corner
