"""The embedded corpus of scenes: pictures of a few shapes, and what is in them in two languages.

`tools/demo_corpus` writes it into the file beside this module, one scene a line, with the columns

    split  background  groups  German sentence  its words  English sentence  its words

separated by tabs. Groups are separated by semicolons: "red circle 10 3,5 15,5" are two red circles
10 pixels wide, with the left and top edge of each. The words of a sentence have a character each:
the number of the group that the word names, or a dash. Pictures are not stored: `draw` draws them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nmt.data import embedded
from nmt.errors import DataError

if TYPE_CHECKING:
    import PIL.Image
    import PIL.ImageDraw

PATH = Path(__file__).with_name("scenes.tsv.gz")
PIXELS = 64  # the height and width of a picture, in which boxes are given
COLORS = {
    "red": (230, 0, 0),
    "green": (0, 160, 0),
    "blue": (0, 0, 240),
    "yellow": (255, 230, 0),
    "purple": (160, 0, 200),
    "black": (0, 0, 0),
}

# Corners as fractions of a shape's box; circles and rings have none.
_THIRD, _HALF = 1 / 3, 1 / 2
_CORNERS = {
    "square": ((0, 0), (1, 0), (1, 1), (0, 1)),
    "triangle": ((_HALF, 0), (1, 1), (0, 1)),
    "diamond": ((_HALF, 0), (1, _HALF), (_HALF, 1), (0, _HALF)),
}
_HOLE = 0.28  # of a ring, from each edge of its box
_OVERSAMPLING = 4  # drawn pixels per pixel and axis, whose mean makes smooth edges


class Box(NamedTuple):
    """A rectangle in pixels of a picture of 64x64; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Shape:
    """A circle, ring, square, triangle, cross or diamond that fills a square box."""

    kind: str
    color: str
    size: int  # pixels, both wide and high
    left: int
    top: int

    @property
    def box(self) -> Box:
        """The pixels that the shape is drawn in."""
        return Box(self.left, self.top, self.left + self.size, self.top + self.size)

    @property
    def center(self) -> tuple[float, float]:
        """The center in pixels: from the left, and from the top."""
        return self.left + self.size / 2, self.top + self.size / 2


@dataclass(frozen=True)
class Sentence:
    """A sentence, and for each of its words the boxes of the shapes that it names.

    Words are counted between spaces, so punctuation belongs to the word before it. Articles,
    numbers, adjectives and nouns name shapes; other words, such as "is" and "above", have no boxes.
    """

    text: str
    boxes: tuple[tuple[Box, ...], ...]


@dataclass(frozen=True)
class Scene:
    """What is in a picture, on a gray background from 0 (black) to 255 (white)."""

    shapes: tuple[Shape, ...]
    background: int
    german: Sentence
    english: Sentence

    def sentence(self, language: str) -> Sentence:
        """Returns the sentence in a language.

        Raises:
            DataError: there is none.
        """
        if language not in ("de", "en"):
            raise DataError(f"the corpus of scenes has no language {language!r}; choose de or en")
        return self.german if language == "de" else self.english


def scenes(split: str) -> list[Scene]:
    """Returns the scenes of a split: 8,000 for train, 300 for validation, 500 for test.

    Raises:
        DataError: there is no such split.
    """
    return list(map(_scene, embedded.rows(PATH, split, name="the corpus of scenes")))


def draw(scene: Scene, size: int = PIXELS) -> "PIL.Image.Image":
    """Returns the picture of a scene in RGB, `size` pixels wide and high.

    The same scene gives the same pixels in each run. All pixels outside of the boxes of the shapes
    have the color of the background.
    """
    import PIL.Image
    import PIL.ImageDraw

    wide = size * _OVERSAMPLING
    gray = (scene.background,) * 3
    image = PIL.Image.new("RGB", (wide, wide), gray)
    canvas = PIL.ImageDraw.Draw(image)
    for shape in scene.shapes:
        _draw(canvas, shape, wide / PIXELS, gray)
    return image.reduce(_OVERSAMPLING)


def _scene(columns: list[str]) -> Scene:
    background, text, german, german_words, english, english_words = columns
    groups = [tuple(_shapes(group)) for group in text.split(";")]
    return Scene(
        tuple(shape for group in groups for shape in group),
        int(background),
        _sentence(german, german_words, groups),
        _sentence(english, english_words, groups),
    )


def _shapes(group: str) -> Iterator[Shape]:
    color, kind, size, *corners = group.split()
    for corner in corners:
        left, top = corner.split(",")
        yield Shape(kind, color, int(size), int(left), int(top))


def _sentence(text: str, words: str, groups: list[tuple[Shape, ...]]) -> Sentence:
    boxes = [tuple(shape.box for shape in group) for group in groups]
    return Sentence(text, tuple(() if word == "-" else boxes[int(word)] for word in words))


def _draw(
    canvas: "PIL.ImageDraw.ImageDraw", shape: Shape, scale: float, background: tuple[int, int, int]
) -> None:
    color = COLORS[shape.color]
    match shape.kind:
        case "circle":
            canvas.ellipse(_inside(shape, 0, 0, 1, 1, scale), color)
        case "ring":
            canvas.ellipse(_inside(shape, 0, 0, 1, 1, scale), color)
            canvas.ellipse(_inside(shape, _HOLE, _HOLE, 1 - _HOLE, 1 - _HOLE, scale), background)
        case "cross":
            canvas.rectangle(_inside(shape, _THIRD, 0, 1 - _THIRD, 1, scale), color)
            canvas.rectangle(_inside(shape, 0, _THIRD, 1, 1 - _THIRD, scale), color)
        case kind:
            left, top, right, bottom = _inside(shape, 0, 0, 1, 1, scale)
            canvas.polygon(
                [(left + x * (right - left), top + y * (bottom - top)) for x, y in _CORNERS[kind]],
                color,
            )


def _inside(
    shape: Shape, left: float, top: float, right: float, bottom: float, scale: float
) -> tuple[int, int, int, int]:
    """Returns a part of a shape's box in drawn pixels, of which the last ones are inclusive."""
    return (
        round((shape.left + left * shape.size) * scale),
        round((shape.top + top * shape.size) * scale),
        round((shape.left + right * shape.size) * scale) - 1,
        round((shape.top + bottom * shape.size) * scale) - 1,
    )
