"""What the grammar says, beside what a grammar book and a dictionary say."""

import pytest

from demo_corpus import nouns, verbs
from demo_corpus.english import english_noun_phrase, third_person
from demo_corpus.german import german_noun_phrase
from demo_corpus.meaning import Clause, NounPhrase, PrepositionalPhrase, Sentence
from demo_corpus.nouns import DAS, DU, ER, ICH, SIE, SIE_PLURAL, WIR
from demo_corpus.pairs import translate

CAN, HAVE_TO, WANT_TO, SHOULD, WOULD_LIKE_TO, WILL = nouns.MODALS


def phrase(text):
    """Reads uninflected words: "der alt Mann", "zwei Hunde", "- kalt Milch" without an article."""
    determiner, *adjectives, name = text.split()
    noun = next(each for each in nouns.NOUNS if name in (each.singular, each.plural))
    adjective = nouns.ADJECTIVES[adjectives[0]] if adjectives else None
    plural = name != noun.singular
    return NounPhrase(noun, nouns.DETERMINERS[determiner], plural, adjective)


def say(infinitive, subject, **rest):
    """Builds a clause in which uninflected words stand for verb and noun phrases."""
    verb = next((each for each in verbs.VERBS if each.infinitive == infinitive), infinitive)
    rest = {key: phrase(value) if isinstance(value, str) else value for key, value in rest.items()}
    return Clause(verb, phrase(subject) if isinstance(subject, str) else subject, **rest)


def with_preposition(preposition, text):
    return PrepositionalPhrase(preposition, phrase(text))


# Nominative | accusative | dative.
@pytest.mark.parametrize(
    "row",
    """\
der alt Mann | der alte Mann | den alten Mann | dem alten Mann
der alt Frau | die alte Frau | die alte Frau | der alten Frau
der alt Haus | das alte Haus | das alte Haus | dem alten Haus
der alt Häuser | die alten Häuser | die alten Häuser | den alten Häusern
dieser neu Tisch | dieser neue Tisch | diesen neuen Tisch | diesem neuen Tisch
dieser neu Lampe | diese neue Lampe | diese neue Lampe | dieser neuen Lampe
dieser neu Bild | dieses neue Bild | dieses neue Bild | diesem neuen Bild
dieser neu Bilder | diese neuen Bilder | diese neuen Bilder | diesen neuen Bildern
ein groß Hund | ein großer Hund | einen großen Hund | einem großen Hund
ein groß Stadt | eine große Stadt | eine große Stadt | einer großen Stadt
ein groß Dorf | ein großes Dorf | ein großes Dorf | einem großen Dorf
kein rot Apfel | kein roter Apfel | keinen roten Apfel | keinem roten Apfel
kein rot Blume | keine rote Blume | keine rote Blume | keiner roten Blume
kein rot Kleid | kein rotes Kleid | kein rotes Kleid | keinem roten Kleid
kein rot Äpfel | keine roten Äpfel | keine roten Äpfel | keinen roten Äpfeln
mein klein Garten | mein kleiner Garten | meinen kleinen Garten | meinem kleinen Garten
mein schön Katze | meine schöne Katze | meine schöne Katze | meiner schönen Katze
mein schön Katzen | meine schönen Katzen | meine schönen Katzen | meinen schönen Katzen
unser neu Auto | unser neues Auto | unser neues Auto | unserem neuen Auto
unser neu Autos | unsere neuen Autos | unsere neuen Autos | unseren neuen Autos
zwei klein Kinder | zwei kleine Kinder | zwei kleine Kinder | zwei kleinen Kindern
viele alt Männer | viele alte Männer | viele alte Männer | vielen alten Männern
- kalt Kaffee | kalter Kaffee | kalten Kaffee | kaltem Kaffee
- kalt Milch | kalte Milch | kalte Milch | kalter Milch
- kalt Wasser | kaltes Wasser | kaltes Wasser | kaltem Wasser
- frisch Eier | frische Eier | frische Eier | frischen Eiern
der Junge | der Junge | den Jungen | dem Jungen
ein Nachbar | ein Nachbar | einen Nachbarn | einem Nachbarn
der Studenten | die Studenten | die Studenten | den Studenten
der Schwestern | die Schwestern | die Schwestern | den Schwestern
der Brüder | die Brüder | die Brüder | den Brüdern""".splitlines(),
)
def test_german_is_declined_as_in_the_grammar_book(row):
    given, *expected = (column.strip() for column in row.split("|"))

    declined = [
        " ".join(word.text for word in german_noun_phrase(phrase(given), case, "object"))
        for case in ("nominative", "accusative", "dative")
    ]

    assert declined == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("der alt Mann", "the old man"),
        ("ein Apfel", "an apple"),
        ("ein rot Apfel", "a red apple"),
        ("ein alt Haus", "an old house"),
        ("ein Ei", "an egg"),
        ("dieser Frau", "this woman"),
        ("dieser Kinder", "these children"),
        ("viele Kartoffeln", "many potatoes"),
        ("zwei klein Kinder", "two small children"),
        ("- kalt Milch", "cold milk"),
    ],
)
def test_english_noun_phrases(given, expected):
    words = english_noun_phrase(phrase(given), "object")

    assert " ".join(word.text for word in words) == expected


def test_english_verbs_take_an_s_in_the_third_person():
    bases = "read write wash watch go tidy play buy have put say know"
    thirds = "reads writes washes watches goes tidies plays buys has puts says knows"

    assert [third_person(base) for base in bases.split()] == thirds.split()


IN_THE_GARDEN = with_preposition(verbs.OUTSIDE, "der Garten")
INTO_THE_PARK = with_preposition(verbs.INTO, "der Park")
FOR_THE_BUS = with_preposition(verbs.AWAITING, "der Bus")
WITH_CHILDREN = with_preposition(verbs.WITH, "der Kinder")
ON_A_TABLE = with_preposition(verbs.ONTO, "ein alt Tisch")


@pytest.mark.parametrize(
    ("sentence", "expected", "links"),
    [
        (  # the verb is second behind a fronted time, the participle last
            Sentence(
                say("lesen", "der Lehrer", past=True, object="der Buch", time=verbs.YESTERDAY),
                "time",
            ),
            "Gestern hat der Lehrer das Buch gelesen. | Yesterday the teacher read the book.",
            "0-0 1-3 2-1 3-2 4-4 5-5 6-3",
        ),
        (  # and behind a fronted place, which English does not front
            Sentence(say("schlafen", "zwei klein Hunde", place=IN_THE_GARDEN), "place"),
            "Im Garten schlafen zwei kleine Hunde. | Two small dogs sleep in the garden.",
            "0-4 0-5 1-6 2-3 3-0 4-1 5-2",
        ),
        (  # a direction is accusative, and a verb of motion takes sein
            Sentence(say("laufen", ER, past=True, complement=INTO_THE_PARK)),
            "Er ist in den Park gelaufen. | He ran into the park.",
            "0-0 1-1 2-2 3-3 4-4 5-1",
        ),
        (
            Sentence(say("legen", ICH, object="ein Brief", complement=ON_A_TABLE)),
            "Ich lege einen Brief auf einen alten Tisch. | I put a letter on an old table.",
            "0-0 1-1 2-2 3-3 4-4 5-5 6-6 7-7",
        ),
        (  # separable verbs
            Sentence(say("anrufen", ER, object="mein Mutter")),
            "Er ruft meine Mutter an. | He calls my mother.",
            "0-0 1-1 2-2 3-3 4-1",
        ),
        (
            Sentence(say("abholen", "der Mann", object="der Frau")),
            "Der Mann holt die Frau ab. | The man picks up the woman.",
            "0-0 1-1 2-2 3-4 4-5 5-3",
        ),
        (
            Sentence(say("abholen", DU, past=True, object=ER)),
            "Du hast ihn abgeholt. | You picked him up.",
            "0-0 1-1 2-2 3-1 3-3",
        ),
        (  # the particle rejoins a verb at the end of a subordinate clause
            Sentence(
                say(verbs.KNOW, ICH),
                "subject",
                ("dass", "that"),
                say("anrufen", SIE, object="der Junge"),
            ),
            "Ich weiß, dass sie den Jungen anruft. | I know that she calls the boy.",
            "0-0 1-1 2-2 3-3 4-5 5-6 6-4",
        ),
        (
            Sentence(
                say(verbs.KNOW, ER, negated=True),
                "subject",
                ("ob", "whether"),
                say(verbs.BE, "der Auto", predicate=nouns.ADJECTIVES["teuer"]),
            ),
            "Er weiß nicht, ob das Auto teuer ist."
            " | He does not know whether the car is expensive.",
            "0-0 1-1 1-3 2-2 3-4 4-5 5-6 6-8 7-7",
        ),
        (  # behind a fronted clause the verb is first
            Sentence(
                say("arbeiten", "der Lehrer", negated=True),
                "clause",
                ("weil", "because"),
                say(verbs.BE, ER, predicate=nouns.ADJECTIVES["krank"]),
            ),
            "Weil er krank ist, arbeitet der Lehrer nicht."
            " | Because he is ill, the teacher does not work.",
            "0-0 1-1 2-3 3-2 4-6 4-8 5-4 6-5 7-7",
        ),
        (
            Sentence(
                say("aufräumen", WIR, past=True, object="der Haus"),
                "subject",
                ("obwohl", "although"),
                say(verbs.HAVE, WIR, past=True, negated=True, object="- Zeit"),
            ),
            "Wir haben das Haus aufgeräumt, obwohl wir keine Zeit hatten."
            " | We tidied the house although we did not have any time.",
            "0-0 1-1 2-2 3-3 4-1 5-4 6-5 7-7 7-9 8-10 9-6 9-8",
        ),
        (  # what is known is denied by nicht, what is new by kein
            Sentence(say("lesen", "der Frau", negated=True, object="dieser Zeitung")),
            "Die Frau liest diese Zeitung nicht. | The woman does not read this newspaper.",
            "0-0 1-1 2-2 2-4 3-5 4-6 5-3",
        ),
        (
            Sentence(say(verbs.HAVE, "unser Nachbar", negated=True, object="ein neu Auto")),
            "Unser Nachbar hat kein neues Auto. | Our neighbour does not have a new car.",
            "0-0 1-1 2-2 2-4 3-3 3-5 4-6 5-7",
        ),
        (
            Sentence(say("kaufen", ICH, past=True, negated=True, object="- frisch Eier")),
            "Ich habe keine frischen Eier gekauft. | I did not buy any fresh eggs.",
            "0-0 1-1 2-2 2-4 3-5 4-6 5-3",
        ),
        (
            Sentence(say(verbs.BE_SOMETHING, DAS, negated=True, object="mein Schlüssel")),
            "Das ist nicht mein Schlüssel. | That is not my key.",
            "0-0 1-1 2-2 3-3 4-4",
        ),
        (
            Sentence(say(verbs.BE_SOMETHING, DAS, past=True, negated=True, object="ein groß Hund")),
            "Das war kein großer Hund. | That was not a big dog.",
            "0-0 1-1 2-2 2-3 3-4 4-5",
        ),
        (  # modal verbs, with the infinitive last
            Sentence(say("essen", "der Kind", modal=CAN, negated=True, object="ein Apfel")),
            "Das Kind kann keinen Apfel essen. | The child cannot eat an apple.",
            "0-0 1-1 2-2 3-2 3-4 4-5 5-3",
        ),
        (
            Sentence(
                say("helfen", SIE, modal=HAVE_TO, object="der alt Männer", time=verbs.TOMORROW)
            ),
            "Sie muss morgen den alten Männern helfen. | She has to help the old men tomorrow.",
            "0-0 1-1 2-7 3-4 4-5 5-6 6-2 6-3",
        ),
        (
            Sentence(say("gehen", DU, modal=WANT_TO, negated=True, complement=verbs.HOME)),
            "Du willst nicht nach Hause gehen. | You do not want to go home.",
            "0-0 1-1 1-3 2-2 3-6 4-6 5-4 5-5",
        ),
        (
            Sentence(say("arbeiten", "der Ärztin", modal=WOULD_LIKE_TO, complement=WITH_CHILDREN)),
            "Die Ärztin möchte mit den Kindern arbeiten."
            " | The doctor would like to work with the children.",
            "0-0 1-1 2-2 2-3 3-6 4-7 5-8 6-4 6-5",
        ),
        (
            Sentence(say("helfen", ICH, modal=WILL, negated=True, object=DU)),
            "Ich werde dir nicht helfen. | I will not help you.",
            "0-0 1-1 2-4 3-2 4-3",
        ),
        (
            Sentence(say("einkaufen", "der Studenten", modal=SHOULD, time=verbs.TODAY), "time"),
            "Heute sollen die Studenten einkaufen. | Today the students should go shopping.",
            "0-0 1-3 2-1 3-2 4-4 4-5",
        ),
        (  # pronouns come early in German, times late in English
            Sentence(say("bringen", SIE, recipient=WIR, object="- Milch", time=verbs.EVERY_DAY)),
            "Sie bringt uns jeden Tag Milch. | She brings us milk every day.",
            "0-0 1-1 2-2 3-4 4-5 5-3",
        ),
        (
            Sentence(say("warten", ICH, complement=FOR_THE_BUS, time=verbs.OFTEN)),
            "Ich warte oft auf den Bus. | I often wait for the bus.",
            "0-0 1-2 2-1 3-3 4-4 5-5",
        ),
        (
            Sentence(say("bleiben", SIE_PLURAL, complement=verbs.AT_HOME)),
            "Sie bleiben zu Hause. | They stay at home.",
            "0-0 1-1 2-2 2-3 3-2 3-3",
        ),
    ],
)
def test_a_meaning_is_said_in_both_languages_and_its_words_are_linked(sentence, expected, links):
    pair = translate(sentence)

    assert f"{pair.source} | {pair.target}" == expected
    assert pair.links == {tuple(map(int, link.split("-"))) for link in links.split()}
