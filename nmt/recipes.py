"""Recipes: settings that fit the amount of text that there is.

Little text needs a small vocabulary, whose pieces are seen often enough, strong dropout, of words
too, small batches and many epochs (Sennrich and Zhang 2019, Revisiting low-resource neural machine
translation). Much text needs a large network.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from nmt.config import TrainedTokenizerConfig
from nmt.data.files import one_line
from nmt.data.survey import COVERED, Side, Survey
from nmt.data.texts import Pair
from nmt.data.tokenizer_training import TooFewPiecesError, sample, trained_model


@dataclass(frozen=True)
class Recipe:
    """Settings for training corpora of less than a number of pairs."""

    below: float  # pairs
    vocabulary: int  # pieces of a model
    embedding: int
    encoder: int  # units in each direction
    decoder: int
    dropout: float
    words: float  # dropout of whole words
    batch: int  # pieces of the longer side, in a mean batch
    updates: int
    rate: float  # the learning rate
    warmup: int  # updates
    input_feeding: bool = True


# fmt: off
RECIPES = (
    #      below      vocabulary embed. enc.  dec. dropout words batch  updates  rate warmup
    Recipe(10_000,         2_000,  256,  256,  512,  0.5,  0.0,  1_000,  10_000, 1e-3,   400),
    # This one was measured, on 29,000 captions: docs/results.md.
    Recipe(50_000,         8_000,  512,  512, 1024,  0.3,  0.0,  1_000,   4_500, 2e-3, 400, False),
    Recipe(200_000,        8_000,  512,  512, 1024,  0.3,  0.1,  2_000,  30_000, 1e-3,   400),
    Recipe(1_000_000,     16_000,  512,  512, 1024,  0.2,  0.0,  4_000, 100_000, 5e-4, 4_000),
    Recipe(math.inf,      32_000,  512,  512, 1024,  0.1,  0.0,  4_000, 300_000, 5e-4, 4_000),
)
# Networks that a computer without a GPU trains in hours; of as many pieces as the ones above.
SMALL = (
    #      below      vocabulary embed. enc.  dec. dropout words batch  updates  rate warmup
    RECIPES[0],
    # These two were measured, on 29,000 captions and on 164,000 short sentences: docs/results.md.
    Recipe(50_000,         8_000,  256,  256,  512,  0.1,  0.0,  1_000,   4_500, 2e-3,   400),
    Recipe(200_000,        8_000,  256,  256,  512,  0.2,  0.0,    700,  10_000, 2e-3,   400),
    Recipe(1_000_000,     16_000,  256,  256,  512,  0.1,  0.0,  1_500,  20_000, 1e-3, 1_000),
    Recipe(math.inf,      32_000,  256,  256,  512,  0.1,  0.0,  1_500,  50_000, 1e-3, 1_000),
)
# fmt: on
SENTENCES = (16, 256)  # in a batch: the least and the most
EPOCHS = (3, 150)
LENGTHS = (100, 250)  # `data.max_length`
VALIDATIONS = 20  # if all epochs are used

# Characters of a piece in a mean line; in a long one, which may be unlike the others; in scripts
# whose characters are words or syllables.
MEAN_PIECE, SHORT_PIECE, SYLLABIC_PIECE = 4.0, 3.0, 1.5
SYLLABIC = {"Hani", "Hira", "Kana", "Bopo", "Hang"}
RESERVED = 261  # pieces that a model has besides characters: 256 bytes, four special ones, a space
SAMPLE = 20_000  # sentences that tell how many pieces a text gives


def recipe(pairs: int, *, small: bool = False) -> Recipe:
    """Returns the recipe for a number of pairs."""
    return next(each for each in (SMALL if small else RECIPES) if pairs < each.below)


def tokenizer(found: Survey, read: Callable[[], Iterable[Pair]]) -> TrainedTokenizerConfig:
    """Returns settings with which a tokenizer can be trained on a corpus, which `read` reads.

    The number of pieces is that of the recipe, more if the characters alone are nearly as many, or
    fewer if the text does not give as many.
    """
    wanted = recipe(found.pairs).vocabulary
    joint = found.source.script == found.target.script
    sides = (found.source, found.target)
    models = [(0, 1)] if joint else [(0,), (1,)]
    many = [sum(sides[place].distinct for place in places) > wanted // 4 for places in models]
    config = TrainedTokenizerConfig(
        joint=joint,
        character_coverage=COVERED if any(many) else 1.0,
        normalization=_normalization(found),
    )
    sizes = []
    for places in models:
        own = [sides[place] for place in places]
        characters = sum(side.common if any(many) else side.distinct for side in own)
        needed = characters + RESERVED
        size = max(wanted, needed + wanted // 2)
        if sum(side.vocabulary for side in own) < 2 * size:  # it may not give as many
            lines = (one_line(pair[place]) for pair in read() for place in places)
            size = _possible(size, lines, config, needed=needed)
        sizes.append(size)
    all_sizes = sizes[0] if joint else (sizes[0], sizes[1])
    return config.model_copy(update={"vocabulary_size": all_sizes})


def _normalization(found: Survey) -> Literal["identity", "nfc"]:
    """Returns `nfc` where a text has two spellings, if the target is not all in the other form.

    A model that writes another form than that of its references has no score.
    """
    two = "both" in (found.source.form, found.target.form)
    return "nfc" if two and found.target.form != "NFD" else "identity"


def _possible(
    size: int, lines: Iterable[str], config: TrainedTokenizerConfig, *, needed: int
) -> int:
    """Returns a number of pieces, or fewer if a text does not give as many.

    They are then three quarters of those that are not needed for characters: cleaning may leave
    less text, and with all of them each word would be a piece.
    """
    try:
        trained_model(sample(lines, SAMPLE), config, symbols=(), size=size, side="training")
    except TooFewPiecesError as error:
        return min(error.most, needed + (error.most - needed) * 3 // 4)
    return size


@dataclass(frozen=True)
class Schedule:
    """How much is trained: a batch in sentences, an epoch in batches, and how many epochs."""

    sentences: int
    batches: int
    epochs: int
    warmup: int  # updates, a tenth at most

    @classmethod
    def of(cls, found: Survey, chosen: Recipe) -> "Schedule":
        """Returns the schedule of a recipe for a corpus."""
        pieces = max(_pieces(s, s.characters, MEAN_PIECE) for s in (found.source, found.target))
        sentences = min(chosen.batch / pieces, found.pairs)
        rounded = _within(2 ** round(math.log2(sentences)), SENTENCES)
        batches = math.ceil(found.pairs / rounded)
        epochs = _within(chosen.updates / batches, EPOCHS)
        return cls(rounded, batches, epochs, min(chosen.warmup, batches * epochs // 10))

    @property
    def updates(self) -> int:
        """The number of updates in all epochs."""
        return self.batches * self.epochs

    @property
    def validate_every(self) -> int:
        """The updates between two validations: hundreds."""
        return max(1, round(self.updates / VALIDATIONS / 100)) * 100


def max_length(found: Survey, size: int | tuple[int, int]) -> int:
    """Returns a limit on pieces that leaves out few lines of a corpus, if any.

    Args:
        found: What the corpus is like.
        size: The number of pieces of its tokenizer, or those of both sides.
    """
    return _within(math.ceil(long_pieces(found, size) / 50) * 50, LENGTHS)


def long_pieces(found: Survey, size: int | tuple[int, int]) -> float:
    """Returns about how many pieces a long line has, at most: 99 of 100 have no more."""
    wanted = recipe(found.pairs).vocabulary
    sizes = size if isinstance(size, tuple) else (size, size)
    return max(
        _pieces(side, side.long_characters, SHORT_PIECE if own >= wanted else 1.0)
        for side, own in zip((found.source, found.target), sizes, strict=True)
    )


def reach(chosen: Recipe) -> str:
    """Returns in words how many pairs a recipe is for."""
    least = max((each.below for each in RECIPES if each.below < chosen.below), default=0)
    if math.isinf(chosen.below):
        return f"{least:,} pairs and more"
    return f"{least:,} to {chosen.below:,} pairs"


def _pieces(side: Side, characters: float, of_piece: float) -> float:
    """Returns about how many pieces so many characters are, the end of the sentence included."""
    return 1 + characters / (min(SYLLABIC_PIECE, of_piece) if side.script in SYLLABIC else of_piece)


def _within(number: float, limits: tuple[int, int]) -> int:
    return min(max(math.ceil(number), limits[0]), limits[1])
