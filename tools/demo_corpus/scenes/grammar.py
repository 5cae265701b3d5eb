"""The sentence of a layout in German and in English.

Which pattern is used, and which group is named first, follows from the picture:

    one shape                 There is a small red circle in the middle.
    several equal shapes      Two small red circles are at the top left.
    two groups in a line      the one of fewer shapes first; of equally many, the left or upper one
    three groups in a line    the inner one first, then the outer ones from the left or from above
    three groups at a corner  the one above or below first; the corner is named twice
"""

from collections.abc import Sequence
from typing import NamedTuple

from demo_corpus.english import english_noun_phrase
from demo_corpus.german import german_noun_phrase
from demo_corpus.meaning import NounPhrase, Word
from demo_corpus.nouns import DETERMINERS
from demo_corpus.scenes.layouts import Alone, Corner, Group, Layout, Line
from demo_corpus.words import Case

_NUMBERS = {1: DETERMINERS["ein"], 2: DETERMINERS["zwei"], 3: DETERMINERS["drei"]}
_ABOVE = "über", "above"
_BELOW = "unter", "below"
_LEFT = "links", "to the left"
_RIGHT = "rechts", "to the right"
_PLACES = {
    ("low", "low"): ("oben links", "at the top left"),
    ("middle", "low"): ("oben", "at the top"),
    ("high", "low"): ("oben rechts", "at the top right"),
    ("low", "middle"): ("links", "on the left"),
    ("middle", "middle"): ("in der Mitte", "in the middle"),
    ("high", "middle"): ("rechts", "on the right"),
    ("low", "high"): ("unten links", "at the bottom left"),
    ("middle", "high"): ("unten", "at the bottom"),
    ("high", "high"): ("unten rechts", "at the bottom right"),
}


class Bilingual(NamedTuple):
    """The same part of a sentence in both languages.

    The units of a word begin with the number of the group that it names, as in "0 noun", or are
    empty.
    """

    german: list[Word]
    english: list[Word]

    def __or__(self, other: "Bilingual") -> "Bilingual":
        return Bilingual(self.german + other.german, self.english + other.english)


def sentence(layout: Layout) -> Bilingual:
    """Returns the words of a layout's sentence, without capital and full stop."""
    match layout:
        case Alone():
            return _alone(layout)
        case Line(groups=(first, second)):
            of = _words("von", "of")
            before, after = (
                (_words(*_LEFT) | of, _words(*_RIGHT) | of)
                if layout.axis == "x"
                else (_words(*_ABOVE), _words(*_BELOW))
            )
            if first.count <= second.count:
                return _subject(layout, 0) | before | _new(layout, 1, "dative")
            return _subject(layout, 1) | after | _new(layout, 0, "dative")
        case Line():
            outer = _new(layout, 0, "dative") | _words("und", "and") | _new(layout, 2, "dative")
            return _subject(layout, 1) | _words("zwischen", "between") | outer
        case Corner():
            return _corner(layout)


def finished(words: Sequence[Word]) -> list[Word]:
    """Returns a sentence with its capital and its full stop."""
    first, *others = _closed(words, ".")
    return [Word(first.text[0].upper() + first.text[1:], first.units), *others]


def _alone(layout: Alone) -> Bilingual:
    place = _words(*_PLACES[layout.x, layout.y])
    if layout.group.count > 1:
        return _subject(layout, 0) | place
    exists, thing = _words("es gibt", "there is"), _new(layout, 0, "accusative")
    return Bilingual(
        [*exists.german, *place.german, *thing.german],
        [*exists.english, *thing.english, *place.english],
    )


def _corner(layout: Corner) -> Bilingual:
    vertical = _words(*(_ABOVE if layout.above else _BELOW))
    first = _subject(layout, 1) | vertical | _new(layout, 0, "dative")
    side = _words(*(_LEFT if layout.left else _RIGHT))
    second = _words("und", "and") | _subject(layout, 2) | side | _of_known(layout.corner, 0)
    return Bilingual(_closed(first.german, ","), _closed(first.english, ",")) | second


def _subject(layout: Layout, number: int) -> Bilingual:
    """Returns a group that is new to the listener, and the verb."""
    one = layout.groups[number].count == 1
    verb = _words("ist", "is") if one else _words("sind", "are")
    return _new(layout, number, "nominative") | verb


def _new(layout: Layout, number: int, case: Case) -> Bilingual:
    group = layout.groups[number]
    determiner = _NUMBERS[group.count]
    phrase = NounPhrase(group.kind, determiner, group.count > 1, group.color, group.scale)
    return _phrase(phrase, number, case)


def _of_known(group: Group, number: int) -> Bilingual:
    """Returns "vom Kreis", "von der Raute" or "von den Kreuzen"."""
    phrase = NounPhrase(group.kind, DETERMINERS["der"], group.count > 1)
    known = _words("von", "of") | _phrase(phrase, number, "dative")
    _, article, *others = known.german
    if article.text != "dem":
        return known
    return Bilingual([Word("vom", article.units), *others], known.english)


def _phrase(phrase: NounPhrase, number: int, case: Case) -> Bilingual:
    role = str(number)
    return Bilingual(german_noun_phrase(phrase, case, role), english_noun_phrase(phrase, role))


def _closed(words: Sequence[Word], mark: str) -> list[Word]:
    *others, last = words
    return [*others, Word(last.text + mark, last.units)]


def _words(german: str, english: str) -> Bilingual:
    """Returns words that name no group."""
    return Bilingual(
        [Word(text, ()) for text in german.split()], [Word(text, ()) for text in english.split()]
    )
