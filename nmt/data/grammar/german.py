"""German: declension, and the order of words in main and subordinate clauses."""

from nmt.data.grammar.meaning import (
    Clause,
    Front,
    Nominal,
    NounPhrase,
    PrepositionalPhrase,
    Word,
)
from nmt.data.grammar.nouns import DETERMINERS
from nmt.data.grammar.words import Adverbial, Case, Forms, Noun, Pronoun

# The columns are der, die, das and plural; a dash is no ending.
_ENDINGS = {
    ("der", "nominative"): "er ie as ie",
    ("der", "accusative"): "en ie as ie",
    ("der", "dative"): "em er em en",
    ("dieser", "nominative"): "er e es e",
    ("dieser", "accusative"): "en e es e",
    ("dieser", "dative"): "em er em en",
    ("ein", "nominative"): "- e - e",
    ("ein", "accusative"): "en e - e",
    ("ein", "dative"): "em er em en",
    ("none", "nominative"): "- - - -",
    ("none", "accusative"): "- - - -",
    ("none", "dative"): "- - - -",
    ("weak", "nominative"): "e e e en",
    ("weak", "accusative"): "en e e en",
    ("weak", "dative"): "en en en en",
    ("mixed", "nominative"): "er e es en",
    ("mixed", "accusative"): "en e es en",
    ("mixed", "dative"): "en en en en",
    ("strong", "nominative"): "er e es e",
    ("strong", "accusative"): "en e es e",
    ("strong", "dative"): "em er em en",
}
_COLUMNS = {"der": 0, "die": 1, "das": 2}
_PLURAL = 3

_PERFECT: dict[str, Forms] = {
    "haben": ("habe", "hast", "hat", "haben"),
    "sein": ("bin", "bist", "ist", "sind"),
}
_CONTRACTIONS = {
    ("in", "dem"): "im",
    ("in", "das"): "ins",
    ("an", "dem"): "am",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
}


def german_main_clause(clause: Clause, front: Front = "subject") -> list[Word]:
    """Returns the clause with its finite verb second; behind a fronted clause the verb is first."""
    finite, closing = _verbs(clause)
    subject = _nominal(clause.subject, "nominative", "subject")
    first = {
        "subject": subject,
        "time": _phrase(clause.time, "time"),
        "place": _phrase(clause.place, "place"),
        "clause": [],
    }[front]
    inverted = [] if front == "subject" else subject
    return [*first, finite, *inverted, *_middle(clause, front), *closing]


def german_subordinate_clause(clause: Clause) -> list[Word]:
    """Returns the clause with its finite verb last, where a particle rejoins it: dass er anruft."""
    finite, closing = _verbs(clause)
    if clause.verb.particle and closing[-1].text == clause.verb.particle:
        finite, closing = _joined(closing[-1], finite), []
    subject = _nominal(clause.subject, "nominative", "subject")
    return [*subject, *_middle(clause, "subject"), *closing, finite]


def _verbs(clause: Clause) -> tuple[Word, list[Word]]:
    """Returns the finite verb, and what closes the clause: particle, participle or infinitive."""
    verb, person = clause.verb, clause.person
    if clause.modal:
        return _finite(clause.modal.forms[person]), [Word(verb.infinitive, ("verb", "particle"))]
    if clause.past and not verb.preterite:
        auxiliary = _finite(_PERFECT[verb.auxiliary][person])
        return auxiliary, [Word(verb.participle, ("verb", "particle"))]
    forms = verb.preterite if clause.past and verb.preterite else verb.present
    if verb.particle:
        return _finite(forms[person], "verb"), [Word(verb.particle, ("particle",))]
    return _finite(forms[person], "verb", "particle"), []


def _finite(text: str, *units: str) -> Word:
    return Word(text, ("finite", *units))


def _joined(first: Word, second: Word) -> Word:
    return Word(first.text + second.text, first.units + second.units)


def _middle(clause: Clause, front: Front) -> list[Word]:
    """Returns what stands between the finite verb and the words that close the clause.

    Pronouns come first, then the time, what is known, the negation, the place and what is new.
    """
    recipient = _nominal(clause.recipient, "dative", "recipient")
    kein = clause.negated and clause.indefinite_object
    thing = _nominal(clause.object, clause.verb.case, "object", denied=kein)
    return [
        *(recipient if isinstance(clause.recipient, Pronoun) else []),
        *(thing if isinstance(clause.object, Pronoun) else []),
        *([] if front == "time" else _phrase(clause.time, "time")),
        *(recipient if isinstance(clause.recipient, NounPhrase) else []),
        *(thing if isinstance(clause.object, NounPhrase) and not clause.indefinite_object else []),
        *([Word("nicht", ("negation",))] if clause.negated and not kein else []),
        *([] if front == "place" else _phrase(clause.place, "place")),
        *(thing if clause.indefinite_object else []),
        *_phrase(clause.complement, "complement"),
        *([Word(clause.predicate.german, ("predicate",))] if clause.predicate else []),
    ]


def _nominal(nominal: Nominal | None, case: Case, role: str, *, denied: bool = False) -> list[Word]:
    match nominal:
        case None:
            return []
        case Pronoun():
            return [Word(getattr(nominal, case), (role,))]
        case NounPhrase():
            return german_noun_phrase(nominal, case, role, denied=denied)


def german_noun_phrase(
    phrase: NounPhrase, case: Case, role: str, *, denied: bool = False
) -> list[Word]:
    """Returns the declined phrase; a denied one begins with kein, which also says the negation."""
    determiner = DETERMINERS["kein"] if denied else phrase.determiner
    column = _PLURAL if phrase.plural else _COLUMNS[phrase.noun.article]
    words = []
    if article := determiner.stem + _ending(determiner.endings, case, column):
        units = (f"{role} determiner", "negation") if denied else (f"{role} determiner",)
        words.append(Word(article, units))
    if phrase.adjective:
        ending = _ending(determiner.adjective_endings, case, column)
        words.append(Word(phrase.adjective.german + ending, (f"{role} adjective",)))
    words.append(Word(_noun(phrase.noun, case, plural=phrase.plural), (f"{role} noun",)))
    return words


def _phrase(phrase: PrepositionalPhrase | Adverbial | None, role: str) -> list[Word]:
    match phrase:
        case None:
            return []
        case Adverbial():
            return [
                Word(word, (f"{role} {part}",))
                for part, (german, _) in enumerate(phrase.parts)
                for word in german.split()
            ]
        case PrepositionalPhrase():
            preposition = Word(phrase.preposition.german, (f"{role} preposition",))
            first, *others = german_noun_phrase(phrase.phrase, phrase.preposition.case, role)
            contraction = _CONTRACTIONS.get((preposition.text, first.text))
            if contraction:
                return [Word(contraction, preposition.units + first.units), *others]
            return [preposition, first, *others]


def _noun(noun: Noun, case: Case, *, plural: bool) -> str:
    if plural:
        return f"{noun.plural}n" if case == "dative" and noun.plural[-1] not in "ns" else noun.plural
    return noun.plural if noun.weak and case != "nominative" else noun.singular


def _ending(table: str, case: Case, column: int) -> str:
    return _ENDINGS[table, case].split()[column].strip("-")
