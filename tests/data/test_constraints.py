"""Phrases in a text, and constraints of lines in files."""

import pytest

from nmt.data.constraints import Constraints, apart, format_of, parse_lines, with_constraints
from nmt.data.phrases import capitalized, contains_forbidden, contains_required, folded, occurrences
from nmt.errors import DataError


@pytest.mark.parametrize(
    ("text", "phrase", "places"),
    [
        ("the cat", "cat", [4]),
        ("concatenate", "cat", []),
        ("cats", "cat", []),
        ("cat's, cat-like (cat)", "cat", [0, 7, 17]),
        ("cat cat cat", "cat cat", [0, 4]),
        ("New York", "New York", [0]),
        ("New Yorker", "New York", []),
        ("100%", "%", [3]),
        ("3 cats2 cat3", "cat", []),
        ("我在中国银行工作", "中国", [2]),  # no spaces between words
        ("kein Übel", "bel", []),
        ("ein U\u0308bel", "U", []),  # an accent of its own
        ("ไปโรงเรียน", "โรง", [2]),
        ("ᬳᬶᬭᬶᬓᬤᬶᬲᬳ", "ᬓᬤᬶ", [4]),
        ("๑๒", "๑", []),  # a number is a word, whatever its script
        ("བཀྲ་ཤིས", "ཤིས", [4]),  # a sign is between syllables
        ("བཀྲ་ཤིས", "ཤི", []),
        ("학교에", "학교", []),  # words of Korean have spaces between them
        ("کتاب\u200cها را", "کتاب", []),  # a plural: a non-joiner is within a word
        ("کتاب\u200cها را", "ها", []),
        ("کتاب\u200c را", "کتاب", [0]),  # typed before a space
        ("ශ්\u200dරී ලංකා", "රී", []),
        ("Schiff\u00adfahrt", "Schiff", []),
        ("Schiff\u00adfahrt", "Schiff\u00adfahrt", [0]),
        ("ab\u200bcd", "cd", [3]),  # a zero-width space divides words
    ],
)
def test_occurrences_are_whole_words(text, phrase, places):
    assert list(occurrences(phrase, text)) == places


@pytest.mark.parametrize(
    ("text", "phrase", "forbidden", "required"),
    [
        ("a cat", "cat", True, True),
        ("a Cat", "cat", True, False),
        ("Cat food", "cat", True, True),  # a capital where the text begins
        ("Catfish", "cat", False, False),
        ("a CAT", "cat", True, False),
        ("a cat", "Cat", False, False),  # a phrase with a capital is taken as it is
        ("a Cat", "Cat", True, True),
        ("Äpfel", "äpfel", True, True),
        ("ß", "ß", True, True),  # its capital is two letters
        ("İ", "i", False, False),  # its small letter is two characters
    ],
)
def test_what_is_forbidden_and_required_in_other_casings(text, phrase, forbidden, required):
    assert contains_forbidden(text, phrase) == forbidden
    assert contains_required(text, phrase) == required


@pytest.mark.parametrize("text", ["Straße", "İstanbul", "ﬁ", "", "ǅ", "Iß"])
def test_casings_keep_the_number_of_characters(text):
    assert len(folded(text)) == len(capitalized(text)) == len(text)


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("tsv", "Ein Hund", ("Ein Hund", Constraints())),
        ("tsv", "Ein Hund\t", ("Ein Hund", Constraints())),
        ("tsv", "Ein Hund\tA dog ", ("Ein Hund", Constraints(prefix="A dog "))),
        ("tsv", "", ("", Constraints())),
        ("jsonl", "", ("", Constraints())),
        ("jsonl", '{"source": "x"}', ("x", Constraints())),
        ("jsonl", '{"source": "x\\n"}', ("x\n", Constraints())),
        ("jsonl", '{"source": "x", "prefix": " y"}', ("x", Constraints(prefix="y"))),
        (
            "jsonl",
            '{"forbid": ["a", "b  c"], "require": "d", "source": ""}',
            ("", Constraints(forbid=["a", "b c"], require=["d"])),
        ),
    ],
)
def test_lines_of_a_file_have_their_constraints(kind, line, expected):
    assert list(parse_lines([line], kind, name="in")) == [expected]


@pytest.mark.parametrize(
    ("kind", "line", "message"),
    [
        ("tsv", "a\tb\tc", "in, line 2: 3 tab-separated columns, not SOURCE and PREFIX"),
        ("jsonl", "{", "in, line 2: not valid JSON"),
        ("jsonl", '"a"', "in, line 2: not a JSON object"),
        ("jsonl", '{"src": "x"}', "in, line 2: unknown key 'src'; known: source, prefix, req"),
        ("jsonl", '{"prefix": "a"}', 'in, line 2: no "source"; an object is'),
        ("jsonl", '{"source": "a", "perfix": "b"}', "in, line 2: unknown key 'perfix'; known: sou"),
        ("jsonl", '{"source": 3}', "in, line 2, 'source': 3 where text was expected"),
        ("jsonl", '{"source": "a", "require": [3]}', "in, line 2, 'require': 3 where text was"),
        ("jsonl", '{"source": "a", "prefix": ["b"]}', "in, line 2, 'prefix': .* where text was"),
        ("jsonl", '{"source": "a", "forbid": [" "]}', "in, line 2: forbid: a phrase is empty"),
        (
            "jsonl",
            '{"source": "a\\nb"}',
            "in, line 2, 'source': a line break; give each line an object of its own",
        ),
        ("jsonl", '{"source": "\\ud800"}', "in, line 2, 'source': half of a surrogate pair"),
    ],
)
def test_a_bad_line_is_named_by_its_number(kind, line, message):
    good = {"tsv": "a", "jsonl": '{"source": "a"}'}[kind]
    with pytest.raises(DataError, match=message):
        list(parse_lines([good, line], kind, name="in"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.tsv", "tsv"), ("a.jsonl.gz", "jsonl"), ("a.txt", "text"), ("-", "text"), ("a", "text")],
)
def test_the_ending_of_a_file_tells_its_format(tmp_path, name, kind):
    assert format_of(tmp_path / name) == kind


@pytest.mark.parametrize("phrases", ["cat", [3], [None], None, 3])
def test_phrases_are_several_strings(phrases):
    with pytest.raises(TypeError, match="require"):
        Constraints(require=phrases)


def test_an_empty_phrase_is_refused():
    with pytest.raises(DataError, match="forbid: a phrase is empty"):
        Constraints(forbid=["a", " "])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"prefix": "\ud800"}, "prefix"),
        ({"require": ["a", "\ud800"]}, r"require, '\\ud800'"),
        ({"forbid": ["\ud800"]}, r"forbid, '\\ud800'"),
    ],
)
def test_half_of_a_surrogate_pair_is_refused(given, named):
    with pytest.raises(DataError, match=f"^{named}: half of a surrogate pair, which is no char"):
        Constraints(**given)


def test_a_mapping_is_no_list_of_phrases():
    with pytest.raises(TypeError, match=r"^require takes several strings, such as a list, not \{"):
        Constraints(require={"a": 1})


def test_constraints_of_all_lines_and_of_one_are_joined():
    every = Constraints("The", ["a", "b"], ["c"])

    assert every.with_more(Constraints("A", ["b", "d"], ["e"])) == Constraints(
        "A", ["a", "b", "d"], ["c", "e"]
    )
    assert every.with_more(Constraints()) == every
    assert every
    assert not Constraints()


def test_each_line_has_its_own_constraints_or_those_of_all():
    one, two = Constraints("x"), Constraints("y")

    assert apart(with_constraints(["a", "b"], [one, two])) == (["a", "b"], [one, two])
    assert apart(with_constraints(["a", "b"], one)) == (["a", "b"], [one, one])
    assert apart(["a", ("b", two)]) == (["a", "b"], [Constraints(), two])
    with pytest.raises(DataError, match="the text has 2 lines and the list of constraints has 1"):
        list(with_constraints(["a", "b"], [one]))


@pytest.mark.parametrize("prefix", [None, 3, ["cat"], b"cat"])
def test_a_prefix_is_a_string(prefix):
    with pytest.raises(TypeError, match="prefix"):
        Constraints(prefix=prefix)


@pytest.mark.parametrize("given", [None, "ab", {"prefix": "h"}, [{"prefix": "h"}, {}]])
def test_what_is_no_constraint_is_named(given):
    with pytest.raises(TypeError, match=r"^constraints are nmt.Constraints, for all lines or one"):
        list(with_constraints(["a", "b"], given))
