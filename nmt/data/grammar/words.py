"""What the embedded corpus knows of a word: its principal parts, and the company it keeps."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal

Case = Literal["nominative", "accusative", "dative"]
Forms = tuple[str, str, str, str]  # of a verb, after ich, du, er, wir; "" where none is used


class Nature(IntEnum):
    """How a happening lies in time; each allows what those above it allow, and more."""

    STATE = 0  # holds, without a date: to need, to live somewhere
    EVENT = 1  # has a date: to see, to find
    DEED = 2  # can be wanted or planned: to sell, to ask
    HABIT = 3  # recurs every day: to sleep, to drink
    EFFORT = 4  # is given up by who is ill: to work, to help


@dataclass(frozen=True)
class Noun:
    """A noun; its article (der, die, das) is its gender, and "" a plural that is not used."""

    kind: str
    article: str
    singular: str
    plural: str
    english: str
    english_plural: str
    weak: bool = False  # the n-declension: der Junge, den Jungen


@dataclass(frozen=True)
class Determiner:
    """An article, or what stands in its place."""

    stem: str
    endings: Literal["der", "dieser", "ein", "none"]
    adjective_endings: Literal["weak", "mixed", "strong"]
    english: str
    english_plural: str
    definite: bool = False


@dataclass(frozen=True)
class Adjective:
    """An adjective."""

    german: str
    english: str
    passing: bool = False  # can have been true yesterday alone: ill, but not old


@dataclass(frozen=True)
class Pronoun:
    """A personal pronoun; `person` is the place of its verb form in `Forms`."""

    person: int
    nominative: str
    accusative: str  # "" for sie, which would be her, them or it
    dative: str
    english: str
    english_object: str


@dataclass(frozen=True)
class Modal:
    """A modal verb, or the `werden` of the future."""

    forms: Forms
    english: str
    inflected: bool = False  # has to, does not have to; but: can, cannot
    deniable: bool = True  # not: would not like to


@dataclass(frozen=True)
class Preposition:
    """A preposition in one of its senses: the case it governs, the kinds of nouns it takes."""

    german: str
    case: Case
    english: str
    kinds: str


@dataclass(frozen=True)
class Adverbial:
    """A fixed phrase in parts (German, English) that translate each other: am Abend, zu Hause."""

    parts: tuple[tuple[str, str], ...]
    inner: bool = False  # stands before the English verb: often


@dataclass(frozen=True)
class Verb:
    """A verb, its principal parts, and the kinds of nouns it goes with."""

    german: str  # the infinitive; a bar sets off a separable particle: an|rufen
    third: str
    participle: str
    english: str  # its first word is inflected: look for
    past: str
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
        return self.german.replace("|", "")

    @cached_property
    def present(self) -> Forms:
        """The present tense without the particle."""
        plural = self.german.rpartition("|")[2]
        return self.irregular or (f"{plural.removesuffix('en')}e", "", self.third, plural)
