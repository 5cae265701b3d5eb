"""The lexicon of the embedded corpus: the forms of words, and which words go together.

Each noun is of a kind (an adult, a drink, a vehicle ...), and verbs, prepositions and adjectives go
with kinds of nouns, so that a teacher may read a book and no table ever eats an apple.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal

Case = Literal["nominative", "accusative", "dative"]
Forms = tuple[str, str, str, str]  # of a verb, after ich, du, er, wir; "" where none is used


class Nature(IntEnum):
    """How an event relates to time; each kind allows all that the kinds above it allow."""

    STATE = 0  # holds, without a date: to need, to live somewhere
    EVENT = 1  # has a date: to see, to find
    DEED = 2  # can be wanted or planned: to sell, to ask
    HABIT = 3  # recurs every day: to sleep, to drink
    EFFORT = 4  # is given up by who is ill: to work, to help


@dataclass(frozen=True, eq=False)
class Noun:
    """A noun; its article (der, die, das) is its gender, and "" a plural that is not used."""

    kind: str
    article: str
    singular: str
    plural: str
    english: str
    english_plural: str
    weak: bool = False  # the n-declension: der Junge, den Jungen


@dataclass(frozen=True, eq=False)
class Kind:
    """What may be said of the nouns of one kind, by the German words for it."""

    determiners: tuple[str, ...]
    attributes: tuple[str, ...]  # adjectives before the noun
    predicates: tuple[str, ...]  # adjectives after "to be"


@dataclass(frozen=True, eq=False)
class Determiner:
    """An article, or what stands in its place."""

    stem: str
    endings: Literal["der", "dieser", "ein", "none"]
    adjective_endings: Literal["weak", "mixed", "strong"]
    english: str
    english_plural: str
    definite: bool = False


@dataclass(frozen=True, eq=False)
class Adjective:
    """An adjective."""

    german: str
    english: str
    passing: bool = False  # may have been true yesterday alone: ill, but not old


@dataclass(frozen=True, eq=False)
class Pronoun:
    """A personal pronoun; `person` is the place of its verb form in `Forms`."""

    person: int
    nominative: str
    accusative: str  # "" for sie, which would be her, them or it
    dative: str
    english: str
    english_object: str


@dataclass(frozen=True, eq=False)
class Modal:
    """A modal verb, or the `werden` of the future."""

    forms: Forms
    english: str
    inflected: bool = False  # has to, does not have to; but: can, cannot
    deniable: bool = True


@dataclass(frozen=True, eq=False)
class Preposition:
    """A preposition in one of its senses: the case it governs, the kinds of nouns it takes."""

    german: str
    case: Case
    english: str
    kinds: str


@dataclass(frozen=True, eq=False)
class Adverbial:
    """A fixed phrase in parts (German, English) that translate each other: am Abend, zu Hause."""

    parts: tuple[tuple[str, str], ...]
    inner: bool = False  # stands before the English verb: often


@dataclass(frozen=True, eq=False)
class Verb:
    """A verb with its principal parts, as a dictionary gives them, and the words it goes with."""

    german: str  # infinitive, third person, participle; a bar sets off a separable particle
    english: str  # infinitive, past, and what follows: look looked for
    nature: Nature
    objects: str = ""
    case: Case = "accusative"
    subjects: str = "adult colleague child kin"
    recipient: Literal["always", "sometimes", "never"] = "never"
    complements: tuple[Preposition | Adverbial, ...] = ()  # one of them must follow
    options: tuple[Preposition, ...] = ()  # one of them may follow
    places: tuple[Preposition, ...] = ()  # where it may happen
    lasting: bool = False  # goes on while something else happens
    auxiliary: Literal["haben", "sein"] = "haben"
    irregular: Forms | None = None
    preterite: Forms | None = None  # where the perfect is not used: war, hatte

    @cached_property
    def particle(self) -> str:
        """What a main clause separates from the verb: the an of anrufen."""
        return self.german.partition("|")[0] if "|" in self.german else ""

    @cached_property
    def infinitive(self) -> str:
        """The infinitive in one word."""
        return self.german.replace("|", "").split()[0]

    @cached_property
    def participle(self) -> str:
        """The participle of the perfect."""
        return self.german.split()[2]

    @cached_property
    def present(self) -> Forms:
        """The present tense without the particle."""
        plural, third, _ = self.german.removeprefix(f"{self.particle}|").split()
        return self.irregular or (f"{plural.removesuffix('en')}e", "", third, plural)
