"""Random scenes in splits that have no sentence in common, and the lines of the file."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import get_args

from demo_corpus.meaning import Word
from demo_corpus.scenes.grammar import finished, sentence
from demo_corpus.scenes.layouts import (
    COLOURS,
    KINDS,
    SCALES,
    Alone,
    Axis,
    Corner,
    Group,
    Layout,
    Line,
    Side,
)
from demo_corpus.scenes.placement import place
from nmt.data.scenes import Shape

SIZES = {"train": 8_000, "validation": 300, "test": 500}
_GREYS = (170, 230)
_NO_GROUP = "-"


@dataclass(frozen=True)
class DrawnLayout:
    """A layout with the place of each shape, and its sentences."""

    background: int
    groups: tuple[tuple[Shape, ...], ...]
    german: tuple[Word, ...]
    english: tuple[Word, ...]

    def line(self, split: str) -> str:
        """Returns the line of the file, as `nmt.data.scenes` describes it."""
        groups = ";".join(
            " ".join(
                (
                    f"{group[0].colour} {group[0].kind} {group[0].size}",
                    *(f"{shape.left},{shape.top}" for shape in group),
                )
            )
            for group in self.groups
        )
        columns = [split, str(self.background), groups]
        for words in (self.german, self.english):
            columns += [_text(words), "".join(_number(word) for word in words)]
        return "\t".join(columns)


def generate(split: str, *, seed: int = 1, size: int | None = None) -> list[DrawnLayout]:
    """Returns `size` different scenes of a split: as many as `SIZES` has for it, if not given.

    The same seed gives the same scenes in the same order on all platforms; a smaller size gives the
    first of them. No German or English sentence is twice in a split, nor in two splits, not even
    with different seeds.

    Raises:
        KeyError: there is no such split.
    """
    usual = SIZES[split]
    wanted = usual if size is None else size
    rng = Random(seed)
    found: dict[str, DrawnLayout] = {}
    while len(found) < wanted:
        layout = _layout(rng)
        if not _distinct(layout):
            continue
        german, english = (tuple(finished(words)) for words in sentence(layout))
        text = _text(english)
        if text in found or _split_of(text) != split:
            continue
        if groups := place(layout, rng):
            found[text] = DrawnLayout(rng.randint(*_GREYS), groups, german, english)
    return list(found.values())


def table() -> str:
    """Returns the text of the file: its splits one after the other, a scene a line."""
    return "".join(f"{drawn.line(split)}\n" for split in SIZES for drawn in generate(split))


def _layout(rng: Random) -> Layout:
    """Returns a random layout: mostly of two or three groups, of which there are more."""
    chance = rng.random()
    if chance < 0.14:
        sides: tuple[Side, ...] = get_args(Side)
        return Alone(_group(rng), rng.choice(sides), rng.choice(sides))
    if chance < 0.63:
        axes: tuple[Axis, ...] = get_args(Axis)
        groups = 2 if chance < 0.43 else 3
        return Line(rng.choice(axes), tuple(_group(rng) for _ in range(groups)))
    corner, vertical, horizontal = (_group(rng) for _ in range(3))
    return Corner(corner, vertical, horizontal, above=rng.random() < 0.5, left=rng.random() < 0.5)


def _group(rng: Random) -> Group:
    return Group(rng.randint(1, 3), rng.choice(SCALES), rng.choice(COLOURS), rng.choice(KINDS))


def _distinct(layout: Layout) -> bool:
    """Whether each group can be told from the others, also by "the square" for a corner."""
    groups = layout.groups
    if len({(group.colour, group.kind) for group in groups}) < len(groups):
        return False
    if isinstance(layout, Corner):
        return layout.corner.kind not in (layout.vertical.kind, layout.horizontal.kind)
    return True


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _number(word: Word) -> str:
    """Returns the number of the group that a word names."""
    return word.units[0].split()[0] if word.units else _NO_GROUP


def _split_of(text: str) -> str:
    """Returns the split by a hash of the English sentence, so that no seed mixes splits."""
    bucket = zlib.crc32(text.encode()) % 10
    return {0: "test", 1: "validation"}.get(bucket, "train")
