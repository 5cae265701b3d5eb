"""Random scenes in splits that have no sentence in common, and the lines of the file."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import get_args

from demo_corpus.meaning import Word
from demo_corpus.scenes.grammar import finished, sentence
from demo_corpus.scenes.layouts import (
    COLORS,
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
        groups = ";".join(_described(group) for group in self.groups)
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
    return list(islice((drawn for name, drawn in _random(seed) if name == split), wanted))


def table() -> str:
    """Returns the text of the file: its splits one after the other, a scene a line."""
    lines: dict[str, list[str]] = {split: [] for split in SIZES}
    scenes = _random(seed=1)  # one pass, with the same scenes as `generate`
    while any(len(lines[split]) < size for split, size in SIZES.items()):
        split, drawn = next(scenes)
        lines[split].append(f"{drawn.line(split)}\n")
    return "".join(line for split, size in SIZES.items() for line in lines[split][:size])


def _random(seed: int) -> Iterator[tuple[str, DrawnLayout]]:
    """Yields the split of a random scene, and the scene; no sentence comes twice."""
    rng = Random(seed)
    found = set()
    while True:
        layout = _layout(rng)
        groups = place(layout, rng) if _distinct(layout) else None
        if groups is None:
            continue
        german, english = (tuple(finished(words)) for words in sentence(layout))
        text = _text(english)
        if text not in found:
            found.add(text)
            yield _split_of(text), DrawnLayout(rng.randint(*_GREYS), groups, german, english)


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
    return Group(rng.randint(1, 3), rng.choice(SCALES), rng.choice(COLORS), rng.choice(KINDS))


def _distinct(layout: Layout) -> bool:
    """Whether each group can be told from the others, also by "the square" for a corner."""
    groups = layout.groups
    if len({(group.color, group.kind) for group in groups}) < len(groups):
        return False
    if isinstance(layout, Corner):
        return layout.corner.kind not in (layout.vertical.kind, layout.horizontal.kind)
    return True


def _described(group: tuple[Shape, ...]) -> str:
    first = group[0]
    corners = " ".join(f"{shape.left},{shape.top}" for shape in group)
    return f"{first.color} {first.kind} {first.size} {corners}"


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _number(word: Word) -> str:
    """Returns the number of the group that a word names."""
    return word.units[0].split()[0] if word.units else _NO_GROUP


def _split_of(text: str) -> str:
    """Returns the split by a hash of the English sentence, so that no seed mixes splits."""
    bucket = zlib.crc32(text.encode()) % 10
    return {0: "test", 1: "validation"}.get(bucket, "train")
