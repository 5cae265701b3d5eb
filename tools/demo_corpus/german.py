"""German: declension, and the order of words in main and subordinate clauses."""

from demo_corpus.meaning import Clause, Front, Nominal, NounPhrase, PrepositionalPhrase, Word
from demo_corpus.nouns import DETERMINERS
from demo_corpus.words import Adverbial, Case, Forms, Noun, Pronoun

# Each row is nominative / accusative / dative, each with the endings of der, die, das and plural;
# a dash is no ending.
_TABLES = {
    "der": "er ie as ie / en ie as ie / em er em en",
    "dieser": "er e es e / en e es e / em er em en",
    "ein": "- e - e / en e - e / em er em en",
    "none": "- - - - / - - - - / - - - -",
    "weak": "e e e en / en e e en / en en en en",
    "mixed": "er e es en / en e es en / en en en en",
    "strong": "er e es e / en e es e / em er em en",
}
_CASES: tuple[Case, ...] = ("nominative", "accusative", "dative")
_ENDINGS = {
    (name, case): tuple(ending.strip("-") for ending in row.split())
    for name, table in _TABLES.items()
    for case, row in zip(_CASES, table.split("/"), strict=True)
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
        "time": _adverbial(clause.time, "time"),
        "place": _adverbial(clause.place, "place"),
        "clause": [],
    }[front]
    inverted = [] if front == "subject" else subject
    return [*first, finite, *inverted, *_middle(clause, front), *closing]


def german_subordinate_clause(clause: Clause) -> list[Word]:
    """Returns the clause with its finite verb last, where a particle rejoins it: dass er anruft."""
    finite, closing = _verbs(clause)
    if closing and closing[0].text == clause.verb.particle:
        particle = closing.pop()
        finite = Word(particle.text + finite.text, particle.units + finite.units)
    subject = _nominal(clause.subject, "nominative", "subject")
    return [*subject, *_middle(clause, "subject"), *closing, finite]


def german_noun_phrase(
    phrase: NounPhrase, case: Case, role: str, *, denied: bool = False
) -> list[Word]:
    """Returns the declined phrase; a denied one begins with kein, which also says the negation."""
    determiner = DETERMINERS["kein"] if denied else phrase.determiner
    column = _PLURAL if phrase.plural else _COLUMNS[phrase.noun.article]
    words = []
    if article := determiner.stem + _ENDINGS[determiner.endings, case][column]:
        units = (f"{role} determiner", "negation") if denied else (f"{role} determiner",)
        words.append(Word(article, units))
    ending = _ENDINGS[determiner.adjective_endings, case][column]
    for adjective in phrase.adjectives:
        words.append(Word(adjective.german + ending, (f"{role} adjective",)))
    words.append(Word(_noun(phrase.noun, case, plural=phrase.plural), (f"{role} noun",)))
    return words


def _noun(noun: Noun, case: Case, *, plural: bool) -> str:
    if plural:
        bare = case != "dative" or noun.plural.endswith(("n", "s"))
        return noun.plural if bare else f"{noun.plural}n"
    return noun.plural if noun.weak and case != "nominative" else noun.singular


def _verbs(clause: Clause) -> tuple[Word, list[Word]]:
    """Returns the finite verb, and what closes the clause: particle, participle or infinitive."""
    verb, person = clause.verb, clause.person
    if clause.modal:
        finite = Word(clause.modal.forms[person], ("finite",))
        return finite, [Word(verb.infinitive, ("verb", "particle"))]
    if clause.past and not verb.preterite:
        finite = Word(_PERFECT[verb.auxiliary][person], ("finite",))
        return finite, [Word(verb.participle, ("verb", "particle"))]
    forms = verb.preterite if clause.past and verb.preterite else verb.present
    if verb.particle:
        return Word(forms[person], ("finite", "verb")), [Word(verb.particle, ("particle",))]
    return Word(forms[person], ("finite", "verb", "particle")), []


def _middle(clause: Clause, front: Front) -> list[Word]:
    """Returns what stands between the finite verb and the words that close the clause.

    Pronouns come first, then the time, what is known, the negation, the place, and what is new.
    """
    recipient = _nominal(clause.recipient, "dative", "recipient")
    kein = clause.negated and clause.new_object
    thing = _nominal(clause.object, clause.verb.case, "object", denied=kein)
    last = clause.new_object or clause.verb.case == "nominative"
    return [
        *(recipient if isinstance(clause.recipient, Pronoun) else []),
        *(thing if isinstance(clause.object, Pronoun) else []),
        *([] if front == "time" else _adverbial(clause.time, "time")),
        *(recipient if isinstance(clause.recipient, NounPhrase) else []),
        *(thing if isinstance(clause.object, NounPhrase) and not last else []),
        *([Word("nicht", ("negation",))] if clause.negated and not kein else []),
        *([] if front == "place" else _adverbial(clause.place, "place")),
        *(thing if last else []),
        *_adverbial(clause.complement, "complement"),
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


def _adverbial(phrase: PrepositionalPhrase | Adverbial | None, role: str) -> list[Word]:
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
