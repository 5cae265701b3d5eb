"""English: agreement, do-support, articles, and the order of words in a clause."""

from demo_corpus.meaning import Clause, Front, Nominal, NounPhrase, PrepositionalPhrase, Word
from demo_corpus.words import Adverbial, Modal, Pronoun

_BE_PRESENT = ("am", "are", "is", "are")
_BE_PAST = ("was", "were", "was", "were")
_THIRD = 2


def english_clause(clause: Clause, front: Front = "subject") -> list[Word]:
    """Returns the words in the order subject, verb, objects, place, time.

    A fronted time stays in front; a place does not, for English fronts it less readily than German.
    """
    time = _adverbial(clause.time, "time")
    inner = clause.time is not None and clause.time.inner
    verbs, particle = _verbs(clause)
    denied = clause.negated and clause.new_object
    objects = [
        *_nominal(clause.recipient, "recipient"),
        *_nominal(clause.object, "object", denied=denied),
    ]
    shifted = bool(clause.verb.particle) and isinstance(clause.object, Pronoun)  # picks him up
    return [
        *(time if front == "time" else []),
        *_nominal(clause.subject, "subject"),
        *(time if front != "time" and inner else []),
        *verbs,
        *([*objects, *particle] if shifted else [*particle, *objects]),
        *([Word(clause.predicate.english, ("predicate",))] if clause.predicate else []),
        *_adverbial(clause.complement, "complement"),
        *_adverbial(clause.place, "place"),
        *(time if front != "time" and not inner else []),
    ]


def third_person(verb: str) -> str:
    """Returns the third person singular: works, washes, tidies, has."""
    if verb == "have":
        return "has"
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        return f"{verb}es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"


def english_noun_phrase(phrase: NounPhrase, role: str, *, denied: bool = False) -> list[Word]:
    """Returns the phrase; a denied one follows a negation: not a car, not any books."""
    noun, determiner = phrase.noun, phrase.determiner
    words = [Word(adjective.english, (f"{role} adjective",)) for adjective in phrase.adjectives]
    words.append(Word(noun.english_plural if phrase.plural else noun.english, (f"{role} noun",)))
    article = determiner.english_plural if phrase.plural else determiner.english
    if denied and not article:
        article = "any"
    if article == "a" and words[0].text[0] in "aeiou":
        article = "an"
    return [Word(article, (f"{role} determiner",)), *words] if article else words


def _verbs(clause: Clause) -> tuple[list[Word], list[Word]]:
    """Returns the verbs with their negation, and what follows the verb's first word: look *for*."""
    base, past, *others = clause.verb.english.split()
    units = ("verb",) if others else ("verb", "particle")
    particle = [Word(other, ("particle",)) for other in others]
    if clause.modal:
        return [*_modal(clause, clause.modal), Word(base, units)], particle
    if base == "be":
        form = (_BE_PAST if clause.past else _BE_PRESENT)[clause.person]
        return [Word(form, ("finite", *units)), *_negation(clause)], particle
    if clause.negated:
        return [*_do_support(clause), Word(base, units)], particle
    present = third_person(base) if clause.person == _THIRD else base
    form = past if clause.past else present
    return [Word(form, ("finite", *units))], particle


def _modal(clause: Clause, modal: Modal) -> list[Word]:
    """Returns the modal verb with its negation; a "to" is said by the German infinitive."""
    first, *others = modal.english.split()
    if modal.inflected and clause.negated:
        words = [*_do_support(clause), Word(first, ("finite",))]
    elif modal.inflected and clause.person == _THIRD:
        words = [Word(third_person(first), ("finite",))]
    elif first == "can" and clause.negated:
        words = [Word("cannot", ("finite", "negation"))]
    else:
        words = [Word(first, ("finite",)), *_negation(clause)]
    return [*words, *(Word(other, ("verb" if other == "to" else "finite",)) for other in others)]


def _do_support(clause: Clause) -> list[Word]:
    present = "does" if clause.person == _THIRD else "do"
    return [Word("did" if clause.past else present, ("finite",)), *_negation(clause)]


def _negation(clause: Clause) -> list[Word]:
    return [Word("not", ("negation",))] if clause.negated else []


def _nominal(nominal: Nominal | None, role: str, *, denied: bool = False) -> list[Word]:
    match nominal:
        case None:
            return []
        case Pronoun():
            text = nominal.english if role == "subject" else nominal.english_object
            return [Word(text, (role,))]
        case NounPhrase():
            return english_noun_phrase(nominal, role, denied=denied)


def _adverbial(phrase: PrepositionalPhrase | Adverbial | None, role: str) -> list[Word]:
    match phrase:
        case None:
            return []
        case Adverbial():
            return [
                Word(word, (f"{role} {part}",))
                for part, (_, english) in enumerate(phrase.parts)
                for word in english.split()
            ]
        case PrepositionalPhrase():
            preposition = phrase.preposition.english.split()
            return [
                *(Word(word, (f"{role} preposition",)) for word in preposition),
                *english_noun_phrase(phrase.phrase, role),
            ]
