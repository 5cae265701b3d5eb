"""Settings of what a source is: text, vectors, or pictures."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from nmt.config.section import Buildable, Choice, ConfigSection, Count, Fraction, Size

if TYPE_CHECKING:
    from nmt.config.data import DataConfig


class InputShape(NamedTuple):
    """The shape of a source that is not text: a vector at each position."""

    size: int  # components of a vector
    dtype: str = "float32"  # of a component
    grid: tuple[int, int] | None = None  # rows and columns of a picture's positions


class TextInputConfig(ConfigSection):
    """Sentences, which a tokenizer divides into pieces."""

    kind: Literal["text"] = "text"

    @property
    def shape(self) -> None:
        """None: the embeddings of the model decide on the size of the vectors."""
        return None

    @property
    def reading(self) -> "TextInputConfig":
        """The settings, all of which are of reading."""
        return self

    def conflicts(self, data: "DataConfig") -> Iterator[str]:
        """Yields why a corpus has no text."""
        yield from _of_pictures(data)


class GivenInputConfig(Buildable):
    """Settings of sources that are not text: a vector is given at each position."""

    training: ClassVar[tuple[str, ...]] = ()  # settings that change what training alone reads

    kind: str

    @property
    def reading(self) -> "GivenInputConfig":
        """The settings that decide on what is read, and the defaults of those of training alone."""
        fields = type(self).model_fields
        return self.model_copy(update={name: fields[name].default for name in self.training})

    @property
    @abstractmethod
    def shape(self) -> InputShape:
        """The shape of a source."""

    def conflicts(self, data: "DataConfig") -> Iterator[str]:
        """Yields a line for each setting of the data that is for text alone."""
        given = {
            "stream": data.stream,
            "clean": data.clean,
            "train.alignments": data.linked,
            "train.source_tag": data.tags,
        }
        if self.kind != "pictures":
            yield from _of_pictures(data)
        if "embedded" in data.paths:
            yield f"the corpus `embedded` has text, and `input` is {self.kind}: choose `scenes`"
        for name in (name for name, value in given.items() if value):
            yield f"`{name}` is for sources of text, and `input` is {self.kind}: leave it out"


class VectorInputConfig(GivenInputConfig):
    """Vectors that are given: features of speech, grids of pictures, annotations of encoders."""

    implementation: ClassVar[str] = "nmt.data.vectors:Vectors"

    kind: Literal["vectors"] = "vectors"
    size: Size
    """Components of each vector."""
    max_length: Size = 2000
    """Maximum vectors of a source; longer training pairs are left out."""

    @property
    def shape(self) -> InputShape:
        """The size of the vectors."""
        return InputShape(self.size)


class PictureInputConfig(GivenInputConfig):
    """Pictures, divided into square cells: one position of the source is one cell."""

    implementation: ClassVar[str] = "nmt.data.pictures:Pictures"
    training: ClassVar[tuple[str, ...]] = ("shift", "brightness")

    kind: Literal["pictures"] = "pictures"
    height: Size = 64
    """Pixels; every picture is resized to this height and width."""
    width: Size = 64
    """Pixels."""
    cell: Size = 8
    """Pixels per side of a cell; a power of two."""
    invalid: Literal["refuse", "skip"] = "refuse"
    """What to do with training pairs whose picture is missing or damaged."""
    shift: Count = 0
    """Move each training picture at random by up to so many pixels each way; edges are repeated."""
    brightness: Fraction = 0.0
    """Make each training picture at random brighter or darker by up to this fraction."""

    @property
    def grid(self) -> tuple[int, int]:
        """The rows and columns of cells."""
        return self.height // self.cell, self.width // self.cell

    @property
    def shape(self) -> InputShape:
        """The colors of all pixels of a cell, and the grid of the cells."""
        return InputShape(3 * self.cell**2, "uint8", self.grid)

    @property
    def max_length(self) -> int:
        """The number of cells."""
        rows, columns = self.grid
        return rows * columns

    def _conflicts(self) -> Iterator[str]:
        if self.cell & (self.cell - 1):
            yield f"`cell` is {self.cell}, and must be a power of two, such as 8"
        for name, pixels in (("height", self.height), ("width", self.width)):
            if pixels % self.cell:
                yield f"`{name}` ({pixels}) must be a multiple of `cell` ({self.cell})"
            if self.shift >= pixels:
                yield (
                    f"`shift` of {self.shift} pixels moves a picture out of its `{name}` "
                    f"({pixels}): make it smaller, such as {pixels // 16}"
                )


InputConfig = Annotated[
    TextInputConfig | VectorInputConfig | PictureInputConfig, Choice(default="text")
]


def _of_pictures(data: "DataConfig") -> Iterator[str]:
    if "scenes" in data.paths:
        yield "the corpus `scenes` has pictures: set `input: pictures`"
