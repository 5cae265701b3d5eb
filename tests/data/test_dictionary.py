"""Dictionaries: files of words with their translations."""

import re

import pytest

from nmt.data.dictionary import read_dictionary
from nmt.errors import DataError


def test_a_file_has_a_word_in_each_line_and_casing_counts(tmp_path):
    path = tmp_path / "d.tsv"
    path.write_text("漢字\tkanji\nAC\tair conditioning\nac\tante Christum\n", encoding="utf-8")

    assert read_dictionary(path) == {
        "漢字": "kanji",
        "AC": "air conditioning",
        "ac": "ante Christum",
    }


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("b\t", "'b' has an empty translation; leave it out"),
        ("b\t ", "'b' has an empty translation; leave it out"),
        ("a\tz", "'a' is in the dictionary already, as 'x'; keep one of them"),
    ],
)
def test_an_empty_translation_and_a_word_given_twice_are_refused(tmp_path, second, message):
    path = tmp_path / "d.tsv"
    path.write_text(f"a\tx\n{second}\n")

    with pytest.raises(DataError, match=re.escape(f"{path}, line 2: {message}")):
        read_dictionary(path)
