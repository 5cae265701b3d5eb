"""What the grammar of scenes says, beside what a grammar book and a dictionary say."""

import pytest

from demo_corpus.scenes.grammar import finished, sentence
from demo_corpus.scenes.layouts import COLORS, KINDS, SCALES, Alone, Corner, Group, Line


def group(text):
    """Reads a group such as "2 small red circle"."""
    count, *names = text.split()
    chosen = (
        next(each for each in known if each.english == name)
        for known, name in zip((SCALES, COLORS, KINDS), names, strict=True)
    )
    return Group(int(count), *chosen)


def line(axis, *groups):
    return Line(axis, tuple(group(each) for each in groups))


def said(layout):
    """Returns the German and the English sentence, and the group of each of their words."""
    texts, numbers = [], []
    for words in sentence(layout):
        words = finished(words)
        texts.append(" ".join(word.text for word in words))
        numbers.append("".join(word.units[0][0] if word.units else "-" for word in words))
    return " | ".join(texts), " ".join(numbers)


# Nominative | accusative | dative.
@pytest.mark.parametrize(
    "row",
    """\
1 small red circle | ein kleiner roter Kreis | einen kleinen roten Kreis | einem kleinen roten Kreis
2 small red circle | zwei kleine rote Kreise | zwei kleine rote Kreise | zwei kleinen roten Kreisen
1 large green ring | ein großer grüner Ring | einen großen grünen Ring | einem großen grünen Ring
3 large green ring | drei große grüne Ringe | drei große grüne Ringe | drei großen grünen Ringen
1 small blue square | ein kleines blaues Quadrat | ein kleines blaues Quadrat\
 | einem kleinen blauen Quadrat
2 large blue square | zwei große blaue Quadrate | zwei große blaue Quadrate\
 | zwei großen blauen Quadraten
1 large yellow triangle | ein großes gelbes Dreieck | ein großes gelbes Dreieck\
 | einem großen gelben Dreieck
3 small yellow triangle | drei kleine gelbe Dreiecke | drei kleine gelbe Dreiecke\
 | drei kleinen gelben Dreiecken
1 small black cross | ein kleines schwarzes Kreuz | ein kleines schwarzes Kreuz\
 | einem kleinen schwarzen Kreuz
2 small black cross | zwei kleine schwarze Kreuze | zwei kleine schwarze Kreuze\
 | zwei kleinen schwarzen Kreuzen
1 large purple diamond | eine große violette Raute | eine große violette Raute\
 | einer großen violetten Raute
2 large purple diamond | zwei große violette Rauten | zwei große violette Rauten\
 | zwei großen violetten Rauten""".splitlines(),
)
def test_groups_are_declined_as_in_the_grammar_book(row):
    given, nominative, accusative, dative = (column.strip() for column in row.split("|"))

    alone, _ = said(Alone(group(given), "middle", "middle"))
    above, _ = said(line("y", given, "3 large yellow ring"))
    below, _ = said(line("y", "1 large yellow ring", given))

    verb = "ist" if given[0] == "1" else "sind"
    capital = nominative[0].upper() + nominative[1:]
    there_is = f"Es gibt in der Mitte {accusative}."
    assert alone.startswith(there_is if verb == "ist" else f"{capital} sind in der Mitte.")
    assert above.startswith(f"{capital} {verb} über drei großen gelben Ringen.")
    assert below.startswith(f"Ein großer gelber Ring ist über {dative}.")


@pytest.mark.parametrize(
    ("column", "row", "expected"),
    [
        ("low", "low", "oben links. | at the top left."),
        ("middle", "low", "oben. | at the top."),
        ("high", "low", "oben rechts. | at the top right."),
        ("low", "middle", "links. | on the left."),
        ("middle", "middle", "in der Mitte. | in the middle."),
        ("high", "middle", "rechts. | on the right."),
        ("low", "high", "unten links. | at the bottom left."),
        ("middle", "high", "unten. | at the bottom."),
        ("high", "high", "unten rechts. | at the bottom right."),
    ],
)
def test_a_group_of_several_shapes_is_at_a_place(column, row, expected):
    text, numbers = said(Alone(group("2 small red circle"), column, row))

    german, english = expected.split(" | ")
    assert text == (f"Zwei kleine rote Kreise sind {german} | Two small red circles are {english}")
    assert numbers.replace("-", "") == "0000 0000"


@pytest.mark.parametrize(
    ("layout", "expected", "numbers"),
    [
        (
            Alone(group("1 small red circle"), "middle", "middle"),
            "Es gibt in der Mitte einen kleinen roten Kreis."
            " | There is a small red circle in the middle.",
            "-----0000 --0000---",
        ),
        (
            Alone(group("1 large black diamond"), "low", "high"),
            "Es gibt unten links eine große schwarze Raute."
            " | There is a large black diamond at the bottom left.",
            "----0000 --0000----",
        ),
        (  # the group of fewer shapes is first, wherever it is
            line("y", "1 small red circle", "2 large blue square"),
            "Ein kleiner roter Kreis ist über zwei großen blauen Quadraten."
            " | A small red circle is above two large blue squares.",
            "0000--1111 0000--1111",
        ),
        (
            line("y", "3 small red circle", "2 large blue square"),
            "Zwei große blaue Quadrate sind unter drei kleinen roten Kreisen."
            " | Two large blue squares are below three small red circles.",
            "1111--0000 1111--0000",
        ),
        (
            line("x", "2 small red circle", "1 large blue diamond"),
            "Eine große blaue Raute ist rechts von zwei kleinen roten Kreisen."
            " | A large blue diamond is to the right of two small red circles.",
            "1111---0000 1111-----0000",
        ),
        (  # of equally many, the left one
            line("x", "1 small red circle", "1 large blue diamond"),
            "Ein kleiner roter Kreis ist links von einer großen blauen Raute."
            " | A small red circle is to the left of a large blue diamond.",
            "0000---1111 0000-----1111",
        ),
        (
            line("x", "1 small red circle", "2 small green ring", "1 large yellow triangle"),
            "Zwei kleine grüne Ringe sind zwischen einem kleinen roten Kreis"
            " und einem großen gelben Dreieck."
            " | Two small green rings are between a small red circle and a large yellow triangle.",
            "1111--0000-2222 1111--0000-2222",
        ),
        (
            Corner(
                corner=group("1 large blue square"),
                vertical=group("1 small red circle"),
                horizontal=group("2 small green cross"),
                above=True,
                left=True,
            ),
            "Ein kleiner roter Kreis ist über einem großen blauen Quadrat,"
            " und zwei kleine grüne Kreuze sind links vom Quadrat."
            " | A small red circle is above a large blue square,"
            " and two small green crosses are to the left of the square.",
            "1111--0000-2222--00 1111--0000-2222-----00",
        ),
        (
            Corner(
                corner=group("1 large blue diamond"),
                vertical=group("2 small red circle"),
                horizontal=group("1 small green cross"),
                above=False,
                left=False,
            ),
            "Zwei kleine rote Kreise sind unter einer großen blauen Raute,"
            " und ein kleines grünes Kreuz ist rechts von der Raute."
            " | Two small red circles are below a large blue diamond,"
            " and a small green cross is to the right of the diamond.",
            "1111--0000-2222---00 1111--0000-2222-----00",
        ),
        (
            Corner(
                corner=group("2 small blue ring"),
                vertical=group("1 small red circle"),
                horizontal=group("1 small green cross"),
                above=True,
                left=False,
            ),
            "Ein kleiner roter Kreis ist über zwei kleinen blauen Ringen,"
            " und ein kleines grünes Kreuz ist rechts von den Ringen."
            " | A small red circle is above two small blue rings,"
            " and a small green cross is to the right of the rings.",
            "1111--0000-2222---00 1111--0000-2222-----00",
        ),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_a_layout_is_said_in_both_languages(layout, expected, numbers):
    assert said(layout) == (expected, numbers)
