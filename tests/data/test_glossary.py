"""Glossaries: which target terms a line requires, and in which casing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.glossary import Glossary
from nmt.errors import DataError

TERMS = {
    "dog": "Hund",
    "hot dog": "Hotdog",
    "house": "maison",
    "EU": "UE",
    "iPhone": "iPhone",
    "银行": "bank",
    "New York": "Nueva York",
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a dog", ["Hund"]),
        ("a Dog", ["Hund"]),
        ("A dog and a house", ["Hund", "maison"]),
        ("the house of a dog", ["maison", "Hund"]),  # in the order of the line
        ("a hot dog", ["Hotdog"]),  # the longest match
        ("a hot dog for a dog", ["Hotdog", "Hund"]),
        ("dogs and a doghouse", []),  # whole words
        ("dog, dog (dog)", ["Hund"]),  # once
        ("House rules", ["maison"]),  # any word has a capital where a line begins
        ("the House", ["Maison"]),
        ("the HOUSE", ["MAISON"]),
        ("HOUSE", ["MAISON"]),
        ("the hOuse", ["maison"]),
        ("the eu and the EU", ["UE"]),
        ("an IPHONE", ["IPHONE"]),
        ("an iphone", ["iPhone"]),
        ("in  new   york", ["Nueva York"]),
        ("我在中国银行工作", ["bank"]),
        ("nothing", []),
        ("", []),
    ],
)
def test_terms_are_found_as_whole_words_and_keep_their_casing(line, expected):
    assert Glossary(TERMS).required(line) == expected


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_an_accent_may_be_a_character_of_its_own(form, written):
    terms = {unicodedata.normalize(form, "Café"): "coffee house"}

    found = Glossary(terms).required(unicodedata.normalize(written, "ein Café"))

    assert found == ["coffee house"]


def test_terms_that_differ_in_casing_alone_are_refused():
    with pytest.raises(DataError, match=r"^'Bank' is in the glossary already, as 'bank'$"):
        Glossary({"bank": "bench", "Bank": "bank"})


words = st.text("abAB", min_size=1, max_size=2)
phrases = st.lists(words, min_size=1, max_size=2).map(" ".join)


@given(terms=st.lists(phrases, max_size=4, unique_by=str.lower), line=st.lists(words, max_size=6))
def test_something_is_required_if_and_only_if_a_line_has_a_term(terms, line):
    padded = f" {' '.join(line)} ".lower()

    required = Glossary(dict.fromkeys(terms, "x")).required(" ".join(line))

    assert bool(required) == any(f" {term.lower()} " in padded for term in terms)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a\tb", "dog"], "glossary.tsv, line 2: not SOURCE TERM, one tab and its TARGET TERM"),
        (["a\tb\tc"], "line 1: not SOURCE TERM, one tab"),
        (["\tb"], "line 1: not SOURCE TERM"),
        (["a\t "], "line 1: 'a' has an empty target term"),
        (["a\tb", "c\td", "A\te"], "line 3: 'A' is in the glossary already, as 'a'"),
        ([], "glossary.tsv: the glossary is empty"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, lines, message):
    path = tmp_path / "glossary.tsv"
    path.write_text("".join(f"{line}\n" for line in lines))

    with pytest.raises(DataError, match=message):
        Glossary.read(path)


def test_a_file_has_a_term_in_each_line(tmp_path):
    path = tmp_path / "glossary.tsv"
    path.write_text("dog\tHund\nhot  dog\t Hotdog\n")

    assert Glossary.read(path).terms == {"dog": "Hund", "hot dog": "Hotdog"}


def test_terms_of_python_may_have_any_spaces_between_their_words():
    assert Glossary({" hot  dog ": "perrito\tcaliente"}).required("a hot dog") == [
        "perrito caliente"
    ]


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"": "x"}, "a term of the glossary is empty"),
        ({" ": "x"}, "a term of the glossary is empty"),
        ({"dog": " "}, "'dog' has an empty target term"),
    ],
)
def test_terms_are_not_empty(terms, message):
    with pytest.raises(DataError, match=message):
        Glossary(terms)


@pytest.mark.parametrize("terms", [{3: "x"}, {"dog": None}])
def test_terms_are_strings(terms):
    with pytest.raises(TypeError):
        Glossary(terms)
