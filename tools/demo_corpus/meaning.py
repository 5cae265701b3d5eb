"""The meaning of a sentence in the embedded corpus, independent of the language."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from demo_corpus.words import (
    Adjective,
    Adverbial,
    Determiner,
    Modal,
    Noun,
    Preposition,
    Pronoun,
    Verb,
)

Front = Literal["subject", "time", "place", "clause"]


class Word(NamedTuple):
    """A word of a language, and the units of the meaning that it expresses.

    A unit is a name such as "subject noun" or "verb". Words of the two languages that
    express a common unit are linked in the gold alignment.
    """

    text: str
    units: tuple[str, ...]


@dataclass(frozen=True)
class NounPhrase:
    """A noun with what stands before it: ein alter Mann, viele Kinder, ein kleiner roter Kreis."""

    noun: Noun
    determiner: Determiner
    plural: bool = False
    adjective: Adjective | None = None
    size: Adjective | None = None  # before the other adjective

    @property
    def adjectives(self) -> tuple[Adjective, ...]:
        """The adjectives in their order, which is the same in both languages."""
        return tuple(each for each in (self.size, self.adjective) if each)


Nominal = NounPhrase | Pronoun


@dataclass(frozen=True)
class PrepositionalPhrase:
    """A preposition and its noun phrase: im Garten, für meinen Vater."""

    preposition: Preposition
    phrase: NounPhrase


@dataclass(frozen=True)
class Clause:
    """Who does what to whom, where and when."""

    verb: Verb
    subject: Nominal
    past: bool = False
    modal: Modal | None = None
    negated: bool = False
    recipient: Nominal | None = None
    object: Nominal | None = None
    predicate: Adjective | None = None  # the house is old
    complement: PrepositionalPhrase | Adverbial | None = None  # what the verb asks for: go home
    place: PrepositionalPhrase | None = None
    time: Adverbial | None = None

    @property
    def person(self) -> int:
        """The place of the subject's verb form in `Forms`."""
        if isinstance(self.subject, Pronoun):
            return self.subject.person
        return 3 if self.subject.plural else 2

    @property
    def new_object(self) -> bool:
        """Whether the object is new to the listener: ein Buch, Bücher, zwei Bücher."""
        return isinstance(self.object, NounPhrase) and not self.object.determiner.definite


@dataclass(frozen=True)
class Sentence:
    """A main clause, alone or with a subordinate one behind it, or before it in front position."""

    main: Clause
    front: Front = "subject"
    conjunction: tuple[str, str] | None = None  # German, English
    subordinate: Clause | None = None
