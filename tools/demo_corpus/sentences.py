"""Random sentences that make sense."""

from dataclasses import replace
from functools import cache
from random import Random

from demo_corpus import nouns, verbs
from demo_corpus.clauses import Clauses, Tense, named
from demo_corpus.meaning import Clause, Front, Nominal, NounPhrase, Sentence
from demo_corpus.words import Adverbial, Nature, Pronoun, Verb

# Each with its translation.
_THAT = ("dass", "that")
_WHETHER = ("ob", "whether")
_BECAUSE = ("weil", "because")
_ALTHOUGH = ("obwohl", "although")
_WHEN = ("wenn", "when")
_WHILE = ("während", "while")
_BEFORE = ("bevor", "before")

_TIME = NounPhrase(nouns.LEISURE, nouns.DETERMINERS["-"])
_OUTDOORS = ("garden", "nature", "town", "venue", "market")
_THE_WEATHER = NounPhrase(nouns.WEATHER, nouns.DETERMINERS["der"])


class Speaker:
    """Makes random sentences."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._clauses = Clauses(rng)
        self._patterns = (
            *(self._statement,) * 10,
            *(self._report,) * 5,
            *(self._hindrance,) * 3,
            self._condition,
            self._meanwhile,
            self._succession,
        )

    def sentence(self) -> Sentence:
        """Returns a sentence that names nothing and nobody twice."""
        while True:
            sentence = self._rng.choice(self._patterns)()
            if _acceptable(sentence):
                return sentence

    def _statement(self) -> Sentence:
        if self._chance(0.18):
            return Sentence(self._clauses.naming())
        clause = self._clauses.anything(negated=self._chance(0.2))
        return Sentence(clause, self._front(clause))

    def _report(self) -> Sentence:
        """Returns a sentence such as: he says that it is cold; he asks whether it is cold."""
        verb = self._rng.choice((verbs.SAY, verbs.KNOW, verbs.BELIEVE, verbs.ASK))
        tense: Tense = "past" if verb is verbs.SAY and self._chance(0.5) else "present"
        negated = verb in (verbs.KNOW, verbs.BELIEVE) and self._chance(0.5)
        subject = self._clauses.subject(verb, tense, known=True)
        main = Clause(verb, subject, past=tense == "past", negated=negated)
        asked = verb is verbs.ASK or (verb is verbs.KNOW and negated)
        content = self._clauses.anything(
            "past" if tense == "past" else None,
            negated=not (asked or negated) and self._chance(0.2),
        )
        return Sentence(main, "subject", _WHETHER if asked else _THAT, content)

    def _hindrance(self) -> Sentence:
        """Returns a sentence such as: he does not work because he is ill."""
        tense: Tense = self._rng.choice(("present", "past", "modal"))
        verb, subject = self._doer(Nature.EFFORT, tense)
        negated = self._chance(0.5)
        main = self._clauses.doing(verb, tense, subject=subject, negated=negated)
        cause = Clause(verbs.BE, _resumed(subject), past=tense == "past")
        if subject is not nouns.DU and self._chance(0.35):
            cause = replace(cause, verb=verbs.HAVE, negated=True, object=_TIME)
        else:
            cause = replace(cause, predicate=nouns.ADJECTIVES[self._rng.choice(("krank", "müde"))])
        return self._joined(main, _BECAUSE if negated else _ALTHOUGH, cause)

    def _condition(self) -> Sentence:
        """Returns a sentence such as: we go to the park when the weather is beautiful."""
        tense: Tense = self._rng.choice(("present", "modal"))
        verb, subject = self._doer(Nature.EFFORT, tense)
        main = self._clauses.doing(verb, tense, subject=subject, timed=False)
        if self._chance(0.5):
            condition = Clause(verbs.HAVE, _resumed(subject), object=_TIME)
        else:
            outdoors = any(noun.kind in _OUTDOORS for noun in named(main))
            weather = self._rng.choice(("schön", "warm") if outdoors else ("schlecht", "kalt"))
            condition = Clause(verbs.BE, _THE_WEATHER, predicate=nouns.ADJECTIVES[weather])
        return self._joined(main, _WHEN, condition)

    def _meanwhile(self) -> Sentence:
        """Returns a sentence such as: she reads while he cooks."""
        tense: Tense = self._rng.choice(("present", "past"))
        main, other = (
            self._clauses.doing(self._rng.choice(choice), tense, timed=False)
            for choice in (_verbs(Nature.DEED), _verbs(Nature.HABIT, lasting=True))
        )
        return self._joined(main, _WHILE, other)

    def _succession(self) -> Sentence:
        """Returns a sentence such as: she reads before she cooks."""
        tense: Tense = self._rng.choice(("present", "past"))
        verb, subject = self._doer(Nature.HABIT, tense)
        main = self._clauses.doing(verb, tense, subject=subject, timed=False)
        kind = "kin" if isinstance(subject, Pronoun) else subject.noun.kind
        following = self._rng.choice(_verbs(Nature.EFFORT, subject=kind))
        other = self._clauses.doing(following, tense, subject=_resumed(subject), timed=False)
        return self._joined(main, _BEFORE, other)

    def _joined(self, main: Clause, conjunction: tuple[str, str], other: Clause) -> Sentence:
        return Sentence(main, "clause" if self._chance(0.35) else "subject", conjunction, other)

    def _doer(self, least: Nature, tense: Tense) -> tuple[Verb, Nominal]:
        """Returns a verb and its subject, to which er or sie can refer later (not das Kind)."""
        while True:
            verb = self._rng.choice(_verbs(least))
            subject = self._clauses.subject(verb, tense, known=True)
            if isinstance(subject, Pronoun):
                return verb, subject
            person = subject.noun.kind in verbs.PERSONS.split()
            if person and (subject.plural or subject.noun.article != "das"):
                return verb, subject

    def _front(self, clause: Clause) -> Front:
        if clause.time and clause.time is not verbs.ALWAYS and self._chance(0.5):
            return "time"
        fronted = clause.place and clause.verb is not verbs.BE and not clause.negated
        return "place" if fronted and self._chance(0.4) else "subject"

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability


@cache
def _verbs(least: Nature, *, lasting: bool = False, subject: str = "kin") -> tuple[Verb, ...]:
    return tuple(
        verb
        for verb in verbs.VERBS
        if verb.nature >= least and verb.lasting >= lasting and subject in verb.subjects.split()
    )


def _resumed(subject: Nominal) -> Pronoun:
    """Returns the pronoun that refers to a subject."""
    if isinstance(subject, Pronoun):
        return subject
    if subject.plural:
        return nouns.SIE_PLURAL
    return nouns.ER if subject.noun.article == "der" else nouns.SIE


def _acceptable(sentence: Sentence) -> bool:
    """Returns whether nothing is said twice, and no verb form would be rare in the corpus.

    The first person of a separable verb in a subordinate clause (dass ich anrufe) is excluded: a
    corpus of this size would have each form only a few times.
    """
    clauses = [clause for clause in (sentence.main, sentence.subordinate) if clause]
    said: list[object] = []
    for clause in clauses:
        said += [clause.verb, *(noun.english for noun in named(clause))]
        said += [each for each in (clause.complement, clause.time) if isinstance(each, Adverbial)]
    if sentence.conjunction in (_THAT, _WHETHER, _WHILE):
        said += [nouns.WIR if clause.subject is nouns.ICH else clause.subject for clause in clauses]
    if len(set(said)) < len(said):
        return False
    last = clauses[-1]
    simple_present = not last.past and not last.modal
    return not (
        sentence.subordinate and last.verb.particle and last.subject is nouns.ICH and simple_present
    )
