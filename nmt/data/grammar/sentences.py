"""What the embedded corpus says: meanings drawn at random, and such as a speaker finds sensible."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Literal, TypeVar

from nmt.data.grammar.meaning import (
    Clause,
    Front,
    Nominal,
    NounPhrase,
    PrepositionalPhrase,
    Sentence,
)
from nmt.data.grammar.nouns import (
    ADJECTIVES,
    DETERMINERS,
    DU,
    ER,
    ICH,
    KINDS,
    MODALS,
    NOUNS,
    PRONOUNS,
    SIE,
    SIE_PLURAL,
    WERDEN,
    WIR,
)
from nmt.data.grammar.verbs import (
    ALWAYS,
    ASK,
    BE,
    BELIEVE,
    BYGONE,
    HABITUAL,
    HAVE,
    HOPE,
    KNOW,
    LAST_WEEK,
    NOW,
    PERSONS,
    PLANNED,
    SAY,
    TODAY,
    VERBS,
    INSIDE,
    OUTSIDE,
    BEFORE,
)
from nmt.data.grammar.words import Adjective, Adverbial, Nature, Noun, Preposition, Pronoun, Verb

Tense = Literal["present", "past", "modal"]
_T = TypeVar("_T")

_COUNTED = frozenset({"zwei", "drei", "viele"})
_NEW = _COUNTED | {"ein", "-"}

_TIME = next(noun for noun in NOUNS if noun.kind == "leisure")
_WEATHER = next(noun for noun in NOUNS if noun.kind == "weather")
_BARE = DETERMINERS["-"]


@cache
def _nouns(kinds: str) -> tuple[Noun, ...]:
    return tuple(noun for noun in NOUNS if noun.kind in kinds.split())


@cache
def _verbs(least: Nature, *, lasting: bool = False) -> tuple[Verb, ...]:
    return tuple(verb for verb in VERBS if verb.nature >= least and verb.lasting >= lasting)


class Speaker:
    """Draws sentences from one random generator."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def sentence(self) -> Sentence:
        """Returns a sentence that names nothing and nobody twice."""
        while True:
            draw = self._random.random()
            if draw < 0.5:
                sentence = self._statement()
            elif draw < 0.68:
                sentence = self._report()
            elif draw < 0.8:
                sentence = self._reason()
            elif draw < 0.9:
                sentence = self._condition()
            else:
                sentence = self._simultaneous() if draw < 0.95 else self._sequence()
            if _varied(sentence):
                return sentence

    def _statement(self) -> Sentence:
        clause = self._any_clause()
        return Sentence(clause, self._front(clause))

    def _report(self) -> Sentence:
        """He says that ..., she asks whether ..."""
        verb = self._choose((SAY, SAY, KNOW, KNOW, BELIEVE, HOPE, ASK))
        past = verb is SAY and self._chance(0.3)
        negated = verb in (KNOW, BELIEVE) and self._chance(0.5)
        main = Clause(verb, self._subject(verb, "past" if past else "present", without=_NEW), past=past, negated=negated)
        whether = verb is ASK or (verb is KNOW and negated)
        content = self._clause(self._choose(VERBS), "past") if past else self._any_clause()
        return Sentence(main, "subject", ("ob", "whether") if whether else ("dass", "that"), content)

    def _reason(self) -> Sentence:
        """Who is ill does not work, or works although he is ill."""
        tense = self._choose(("present", "past", "modal"))
        negated = self._chance(0.5)
        main = self._clause(self._choose(_verbs(Nature.EFFORT)), tense, subject=self._resumable(tense), negated=negated)
        cause = self._hindrance(main, past=tense == "past")
        conjunction = ("weil", "because") if negated else ("obwohl", "although")
        return self._joined(main, conjunction, cause)

    def _condition(self) -> Sentence:
        """When the weather is good, or when there is time."""
        tense: Tense = self._choose(("present", "modal"))
        main = self._clause(self._choose(_verbs(Nature.EFFORT)), tense, subject=self._resumable(tense), timed=False)
        if self._chance(0.5):
            condition = Clause(BE, NounPhrase(_WEATHER, DETERMINERS["der"]), predicate=ADJECTIVES[self._choose(KINDS["weather"].predicates)])
        else:
            condition = Clause(HAVE, self._resumed(main.subject), object=NounPhrase(_TIME, _BARE))
        return self._joined(main, ("wenn", "when"), condition)

    def _simultaneous(self) -> Sentence:
        tense: Tense = self._choose(("present", "past"))
        main = self._clause(self._choose(_verbs(Nature.DEED)), tense, timed=False)
        other = self._clause(self._choose(_verbs(Nature.HABIT, lasting=True)), tense, timed=False)
        return self._joined(main, ("während", "while"), other)

    def _sequence(self) -> Sentence:
        tense: Tense = self._choose(("present", "past"))
        main = self._clause(self._choose(_verbs(Nature.HABIT)), tense, subject=self._resumable(tense), timed=False)
        other = self._clause(self._choose(_verbs(Nature.HABIT)), tense, subject=self._resumed(main.subject), timed=False)
        return self._joined(main, ("bevor", "before"), other)

    def _joined(self, main: Clause, conjunction: tuple[str, str], other: Clause) -> Sentence:
        front: Front = "clause" if self._chance(0.35) else "subject"
        return Sentence(main, front, conjunction, other)

    def _hindrance(self, main: Clause, *, past: bool) -> Clause:
        subject = self._resumed(main.subject)
        if self._chance(0.35):
            return Clause(HAVE, subject, past=past, negated=True, object=NounPhrase(_TIME, _BARE))
        return Clause(BE, subject, past=past, predicate=ADJECTIVES[self._choose(("krank", "müde"))])

    def _any_clause(self) -> Clause:
        verb = self._choose(VERBS) if self._chance(0.85) else BE
        draw = self._random.random()
        tense: Tense = "present" if draw < 0.4 else "past" if draw < 0.7 or verb.nature < Nature.DEED else "modal"
        return self._clause(verb, tense, negated=self._chance(0.2))

    def _clause(
        self, verb: Verb, tense: Tense, *, subject: Nominal | None = None, negated: bool = False, timed: bool = True
    ) -> Clause:
        if verb is BE:
            return self._being(tense, negated=negated)
        subject = subject or self._subject(verb, tense, without=_NEW if negated else frozenset("-"))
        modal = None
        if tense == "modal":
            modal = self._choose([modal for modal in MODALS if modal.deniable or not negated])
        thing = recipient = complement = place = time = None
        if verb.objects:
            thing = self._object(verb.objects, subject, without=_COUNTED if negated else frozenset())
        if verb.recipient == "always" or (verb.recipient == "sometimes" and self._chance(0.4)):
            recipient = self._object(PERSONS, subject, without=_NEW if negated else _COUNTED)
        if verb.complements:
            complement = self._complement(self._choose(verb.complements))
        draw = self._random.random()
        if verb.options and draw < 0.4:
            complement = self._complement(self._choose(verb.options))
        elif verb.places and draw > 0.65:
            place = self._complement(self._choose(verb.places))
        clause = Clause(verb, subject, tense == "past", modal, negated, recipient, thing, None, complement, place)
        if timed and self._chance(0.5):
            times = _times(clause)
            if times:
                clause = replace(clause, time=self._choose(times))
        return clause

    def _being(self, tense: Tense, *, negated: bool) -> Clause:
        past = tense == "past"
        subject = self._subject(BE, tense, without=_NEW)
        kind = "adult" if isinstance(subject, Pronoun) else subject.noun.kind
        if kind in f"{PERSONS} animal vehicle" and self._chance(0.3):
            place = self._complement(self._choose((OUTSIDE, INSIDE, BEFORE)))
            clause = Clause(BE, subject, past, negated=negated, place=place)
        else:
            predicate = ADJECTIVES[self._choose(KINDS[kind].predicates)]
            if isinstance(subject, NounPhrase) and predicate.german in KINDS[kind].attributes:
                subject = replace(subject, adjective=None)
            clause = Clause(BE, subject, past, negated=negated, predicate=predicate)
        if (clause.place or clause.predicate.passing) and self._chance(0.4):
            clause = replace(clause, time=self._choose(BYGONE) if past else TODAY)
        return clause

    def _subject(self, verb: Verb, tense: Tense, *, without: frozenset[str]) -> Nominal:
        if verb.subjects.startswith("adult") and self._chance(0.4):
            bare = tense == "present" and not verb.present[DU.person]
            people = (ICH, ICH, ER, SIE, WIR, SIE_PLURAL) if bare else (ICH, DU, ER, SIE, WIR, SIE_PLURAL)
            return self._choose(people)
        return self._noun_phrase(verb.subjects, without=without)

    def _resumable(self, tense: Tense) -> Nominal:
        while True:
            verb = SAY
            subject = self._subject(SAY, tense, without=_NEW)
            if isinstance(subject, Pronoun) or subject.plural or subject.noun.article != "das":
                return subject

    def _resumed(self, subject: Nominal) -> Pronoun:
        if isinstance(subject, Pronoun):
            return subject
        if subject.plural:
            return SIE_PLURAL
        return ER if subject.noun.article == "der" else SIE

    def _object(self, kinds: str, subject: Nominal, *, without: frozenset[str]) -> Nominal:
        if kinds.startswith("adult") and self._chance(0.25):
            person = subject.person if isinstance(subject, Pronoun) else 2
            first = (0, 3)
            pronouns = [p for p in PRONOUNS if p.accusative and p.person != person and not (p.person in first and person in first)]
            return self._choose(pronouns)
        return self._noun_phrase(kinds, without=without)

    def _complement(self, preposition: Preposition | Adverbial) -> PrepositionalPhrase | Adverbial:
        if isinstance(preposition, Adverbial):
            return preposition
        plural = preposition.kinds.startswith("adult")
        return PrepositionalPhrase(preposition, self._noun_phrase(preposition.kinds, without=_COUNTED | {"-"}, singular=not plural))

    def _noun_phrase(self, kinds: str, *, without: frozenset[str] = frozenset(), singular: bool = False) -> NounPhrase:
        noun = self._choose(_nouns(kinds))
        kind = KINDS[noun.kind]
        name = self._choose([d for d in kind.determiners if d not in without] + ["der"]) if self._chance(0.6) else "der"
        if name in _COUNTED:
            plural = True
        elif name == "-":
            plural = bool(noun.plural)
        else:
            plural = bool(noun.plural) and name != "ein" and not singular and self._chance(0.3)
        adjective = ADJECTIVES[self._choose(kind.attributes)] if kind.attributes and self._chance(0.3) else None
        return NounPhrase(noun, DETERMINERS[name], plural, adjective)

    def _front(self, clause: Clause) -> Front:
        if clause.time and clause.time is not ALWAYS and self._chance(0.45):
            return "time"
        if clause.place and not clause.negated and self._chance(0.4):
            return "place"
        return "subject"

    def _choose(self, options: Sequence[_T]) -> _T:
        return options[int(self._random.random() * len(options))]

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability


def _times(clause: Clause) -> tuple[Adverbial, ...]:
    verb = clause.verb
    if verb.nature < Nature.EVENT:
        return ()
    if clause.modal:
        return PLANNED if clause.modal is WERDEN else (*PLANNED, NOW)
    if clause.past:
        return tuple(t for t in BYGONE if not (t is LAST_WEEK and verb.nature == Nature.HABIT))
    counted = isinstance(clause.object, NounPhrase) and clause.object.plural and not clause.object.determiner.definite
    return HABITUAL if verb.nature >= Nature.HABIT and not clause.negated and not counted else ()


def _varied(sentence: Sentence) -> bool:
    clauses = [clause for clause in (sentence.main, sentence.subordinate) if clause]
    nouns = [noun.english for clause in clauses for noun in _named(clause)]
    verbs = [clause.verb for clause in clauses]
    return len(set(nouns)) == len(nouns) and len(set(verbs)) == len(verbs)


def _named(clause: Clause) -> list[Noun]:
    nominals = [clause.subject, clause.recipient, clause.object]
    phrases = [p.phrase for p in (clause.complement, clause.place) if isinstance(p, PrepositionalPhrase)]
    return [n.noun for n in (*nominals, *phrases) if isinstance(n, NounPhrase)]
