"""Random clauses whose words make sense together."""

from dataclasses import replace
from functools import cache
from random import Random
from typing import Literal

from demo_corpus import nouns, verbs
from demo_corpus.meaning import Clause, Nominal, NounPhrase, PrepositionalPhrase
from demo_corpus.words import Adverbial, Modal, Nature, Noun, Preposition, Pronoun, Verb

Tense = Literal["present", "past", "modal"]
Determiners = frozenset[str]

_ALL = frozenset(nouns.DETERMINERS)
_KNOWN = frozenset(name for name, each in nouns.DETERMINERS.items() if each.definite)
_COUNTED = frozenset({"zwei", "drei", "viele"})
_COUNTS = tuple(each for name, each in nouns.DETERMINERS.items() if name in _COUNTED)
_OWNED = frozenset({"mein", "unser"})
_WITH_ARTICLE = _ALL - {"-"}
_DATIVE = _WITH_ARTICLE - {"viele"}  # vielen would be rare

_PRONOUNS = (nouns.ICH, nouns.DU, nouns.ER, nouns.SIE, nouns.WIR, nouns.SIE_PLURAL)
# Efforts are in every pattern of sentence, and a particle gives a verb more forms: this evens out.
_EVERYDAY = tuple(
    verb
    for verb in verbs.VERBS
    for _ in range(1 + 2 * (verb.nature < Nature.EFFORT) + 3 * bool(verb.particle))
)


class Clauses:
    """Makes random clauses."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def anything(self, tense: Tense | None = None, *, negated: bool = False) -> Clause:
        """Returns a clause with any verb."""
        verb = verbs.BE if self._chance(0.2) else self._rng.choice(_EVERYDAY)
        chosen = self._rng.choice(_tenses(verb) if tense is None else (tense,))
        if verb is verbs.BE:
            return self.being(chosen, negated=negated)
        return self.doing(verb, chosen, negated=negated)

    def naming(self) -> Clause:
        """Returns a clause such as: that is a big house; that was not my car."""
        objects = verbs.BE_SOMETHING.objects
        thing = self._noun_phrase(objects, _OWNED | {"ein"}, singular=True)
        attributes = nouns.KINDS[thing.noun.kind].attributes
        if attributes and self._chance(0.5):
            thing = replace(thing, adjective=nouns.ADJECTIVES[self._rng.choice(attributes)])
        past, negated = self._chance(0.3), self._chance(0.3)
        return Clause(verbs.BE_SOMETHING, nouns.DAS, past=past, negated=negated, object=thing)

    def being(self, tense: Tense, *, negated: bool = False) -> Clause:
        """Returns a clause such as: the dog is in the garden; the soup was cold."""
        subject = self.subject(verbs.BE, tense, known=True)
        kind = "adult" if isinstance(subject, Pronoun) else subject.noun.kind
        clause = Clause(verbs.BE, subject, past=tense == "past", negated=negated)
        if kind in verbs.LIVING.split() and self._chance(0.4):
            return self._timed(replace(clause, place=self._place(verbs.BE)))
        predicate = nouns.ADJECTIVES[self._rng.choice(nouns.KINDS[kind].predicates)]
        if isinstance(subject, NounPhrase) and predicate.german in nouns.KINDS[kind].attributes:
            subject = replace(subject, adjective=None)  # the old house is not new
        return self._timed(replace(clause, subject=subject, predicate=predicate))

    def doing(
        self,
        verb: Verb,
        tense: Tense,
        *,
        subject: Nominal | None = None,
        negated: bool = False,
        timed: bool = True,
    ) -> Clause:
        """Returns a clause with all complements that the verb requires, and perhaps more."""
        subject = subject or self.subject(verb, tense, known=negated)
        modal = self._rng.choice(_modals(negated)) if tense == "modal" else None
        clause = Clause(verb, subject, tense == "past", modal, negated)
        if verb.objects:
            clause = replace(clause, object=self._object(clause))
        if verb.recipient == "always" or (verb.recipient == "sometimes" and self._chance(0.4)):
            recipient = self._affected(clause, verbs.PERSONS, _KNOWN if negated else _DATIVE)
            clause = replace(clause, recipient=recipient)
        if verb.complements or (verb.options and self._chance(0.4)):
            head = self._rng.choice(verb.complements or verb.options)
            clause = replace(clause, complement=self._adverbial(head))
        if verb.places and not (verb.options and clause.complement) and self._chance(0.4):
            clause = replace(clause, place=self._place(verb))
        return self._timed(clause) if timed else clause

    def subject(self, verb: Verb, tense: Tense, *, known: bool = False) -> Nominal:
        """Returns a subject; with `known` a definite one, as negated clauses and "to be" need."""
        if "kin" in verb.subjects.split() and self._chance(0.5):
            return self._rng.choice(_subject_pronouns(verb, tense))
        return self._noun_phrase(verb.subjects, _KNOWN if known else _WITH_ARTICLE)

    def _object(self, clause: Clause) -> Nominal:
        verb = clause.verb
        if verb.case == "dative":
            return self._affected(clause, verb.objects, _KNOWN if clause.negated else _DATIVE)
        determiners = {verbs.HAVE: _ALL - _KNOWN, verbs.BUY: _ALL - _OWNED}.get(verb, _ALL)
        if clause.negated:
            determiners -= _COUNTED
        return self._affected(clause, verb.objects, determiners)

    def _affected(self, clause: Clause, kinds: str, determiners: Determiners) -> Nominal:
        """Returns an object, which can be a pronoun if it can be a person."""
        if "kin" in kinds.split() and self._chance(0.25):
            return self._rng.choice(_object_pronouns(clause.subject))
        return self._noun_phrase(kinds, determiners)

    def _place(self, verb: Verb) -> PrepositionalPhrase:
        return self._governed(self._rng.choice(verb.places))

    def _adverbial(self, head: Preposition | Adverbial) -> PrepositionalPhrase | Adverbial:
        return head if isinstance(head, Adverbial) else self._governed(head)

    def _governed(self, preposition: Preposition) -> PrepositionalPhrase:
        place = "kin" not in preposition.kinds.split()
        determiners = _WITH_ARTICLE - _COUNTED
        return PrepositionalPhrase(
            preposition, self._noun_phrase(preposition.kinds, determiners, singular=place)
        )

    def _noun_phrase(
        self, kinds: str, determiners: Determiners, *, singular: bool = False
    ) -> NounPhrase:
        noun = self._rng.choice(_nouns(kinds))
        kind = nouns.KINDS[noun.kind]
        names = tuple(name for name in kind.determiners if name in determiners)
        name = "der" if "der" in names and self._chance(0.3) else self._rng.choice(names)
        many = name in _COUNTED or name == "-" or (name != "ein" and self._chance(0.4))
        adjective = None
        if kind.attributes and self._chance(0.4):
            adjective = nouns.ADJECTIVES[self._rng.choice(kind.attributes)]
        plural = many and bool(noun.plural) and not singular
        return NounPhrase(noun, nouns.DETERMINERS[name], plural, adjective)

    def _timed(self, clause: Clause) -> Clause:
        times = _times(clause)
        if times and self._chance(0.5):
            return replace(clause, time=self._rng.choice(times))
        return clause

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability


def named(clause: Clause) -> list[Noun]:
    """Returns the nouns of a clause."""
    phrases = [clause.subject, clause.recipient, clause.object]
    for adverbial in (clause.complement, clause.place):
        if isinstance(adverbial, PrepositionalPhrase):
            phrases.append(adverbial.phrase)
    return [phrase.noun for phrase in phrases if isinstance(phrase, NounPhrase)]


@cache
def _nouns(kinds: str) -> tuple[Noun, ...]:
    return tuple(noun for noun in nouns.NOUNS if noun.kind in kinds.split())


@cache
def _tenses(verb: Verb) -> tuple[Tense, ...]:
    plannable: tuple[Tense, ...] = ("modal",) if verb.nature >= Nature.DEED else ()
    return ("present", "present", "past", *plannable)


@cache
def _modals(negated: bool) -> tuple[Modal, ...]:
    return tuple(modal for modal in nouns.MODALS if modal.deniable or not negated)


@cache
def _subject_pronouns(verb: Verb, tense: Tense) -> tuple[Pronoun, ...]:
    """Returns pronouns for which the verb has a form; ich more often, if it has its own form."""
    if tense == "modal" or (tense == "past" and not verb.preterite):
        return _PRONOUNS
    forms = verb.preterite if tense == "past" and verb.preterite else verb.present
    return (*(nouns.ICH,) * 4, *(pronoun for pronoun in _PRONOUNS if forms[pronoun.person]))


def _object_pronouns(subject: Nominal) -> tuple[Pronoun, ...]:
    """Returns the pronouns that do not mean the subject."""
    taken = (nouns.ICH, nouns.WIR) if subject in (nouns.ICH, nouns.WIR) else (subject,)
    return tuple(pronoun for pronoun in _PRONOUNS if pronoun.accusative and pronoun not in taken)


def _times(clause: Clause) -> tuple[Adverbial, ...]:
    """Returns the adverbials of time that go with a clause."""
    nature = clause.verb.nature
    if clause.verb is verbs.BE:
        if clause.predicate and not clause.predicate.passing:
            return ()
        return verbs.BYGONE if clause.past else (verbs.TODAY,)
    if clause.modal:
        return verbs.PLANNED if clause.modal is nouns.WERDEN else (verbs.NOW, *verbs.PLANNED)
    if clause.past and nature >= Nature.EVENT:
        return tuple(
            time for time in verbs.BYGONE if time is not verbs.LAST_WEEK or nature != Nature.HABIT
        )
    several = isinstance(clause.object, NounPhrase) and clause.object.determiner in _COUNTS
    if clause.past or nature < Nature.HABIT or clause.negated or several:
        return ()
    return verbs.HABITUAL
