"""TSV and JSON: what is a column, and every refusal."""

import gzip
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data import tabular
from nmt.errors import DataError

COLUMNS = "`columns: [SOURCE, TARGET]` in a configuration, or --columns SOURCE,TARGET without one"

# Everything but the end of a line; the three that Python's splitlines would cut at come often.
sentences = st.text(
    st.sampled_from('\u2028\x0b\x85\x00\t" ä\n') | st.characters(exclude_categories=["Cs"]),
    max_size=8,
)


def write(path, content):
    data = content.encode("utf-8")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def refused(message):
    return pytest.raises(DataError, match=f"{re.escape(message)}$")


def test_a_quote_in_a_tsv_file_is_a_character(tmp_path):
    path = write(tmp_path / "a.tsv", 'er sagt "ja\tshe says "yes\n"\t\'\n')

    pairs = list(tabular.tab_separated(path, columns=None))

    assert pairs == [('er sagt "ja', 'she says "yes'), ('"', "'")]


def test_a_header_names_the_columns_of_a_tsv_file(tmp_path):
    path = write(tmp_path / "a.tsv.gz", "id\tenglish\tgerman\n1\tone\teins\n2\ttwo\tzwei\n")

    pairs = list(tabular.tab_separated(path, columns=("german", "english")))

    assert pairs == [("eins", "one"), ("zwei", "two")]


def test_a_tsv_file_without_the_column_is_refused(tmp_path):
    path = write(tmp_path / "a.tsv", "id\tgerman\n1\teins\n")

    with refused(f"a.tsv: no column 'english'; there are: id, german; choose with {COLUMNS}"):
        list(tabular.tab_separated(path, columns=("german", "english")))


@pytest.mark.parametrize(
    ("line", "count"), [("eins", "1 column"), ("a\tb\tc", "3 columns"), ("\t\tc", "3 columns")]
)
def test_a_tsv_line_with_another_number_of_columns_is_named(tmp_path, line, count):
    path = write(tmp_path / "a.tsv", f"a\tb\n{line}\n")

    with refused(
        f"a.tsv, line 2: {count} between tabs, not 2; "
        f"a file with a header or further columns needs {COLUMNS}"
    ):
        list(tabular.tab_separated(path, columns=None))


@pytest.mark.parametrize("header", ["de\ten", "en\tde"])
def test_the_codes_of_the_languages_are_no_pair_of_a_tsv(tmp_path, header):
    path = write(tmp_path / "a.tsv", f"{header}\neins\tone\n")
    both = header.replace("\t", " and ")

    with refused(f"a.tsv, line 1: a header, {both}; choose with {COLUMNS}"):
        list(tabular.tab_separated(path, columns=None, languages=("de", "en")))


@pytest.mark.parametrize("line", ["de\ten", "an\tan"])
def test_words_that_are_codes_elsewhere_are_a_pair_of_a_tsv(tmp_path, line):
    path = write(tmp_path / "a.tsv", f"eins\tone\n{line}\n")

    pairs = list(tabular.tab_separated(path, columns=None, languages=("de", "en")))

    assert pairs == [("eins", "one"), tuple(line.split("\t"))]


@pytest.mark.parametrize("columns", [None, ("a", "b")])
@pytest.mark.parametrize("line", ["", " ", "\u3000", "\t\t"])
def test_a_blank_line_of_a_tsv_file_is_said_to_be_blank(tmp_path, columns, line):
    path = write(tmp_path / "a.tsv", f"a\tb\n{line}\nc\td\n")

    with refused("a.tsv, line 2: blank; remove the line"):
        list(tabular.tab_separated(path, columns=columns))


@pytest.mark.parametrize(("line", "count"), [("eins", "1 column"), ("a\tb\tc", "3 columns")])
def test_a_tsv_line_of_other_columns_than_the_header_is_named(tmp_path, line, count):
    path = write(tmp_path / "a.tsv", f"a\tb\n{line}\n")

    with refused(
        f"a.tsv, line 2: {count} between tabs, not 2 as in the header; put the tabs right"
    ):
        list(tabular.tab_separated(path, columns=("a", "b")))


@pytest.mark.parametrize(
    "content",
    [
        '{"de": "ei\\u2028ns", "en": "one"}\n\n{"de": "zwei", "en": "two", "id": 2}\n',
        '[{"de": "ei\\u2028ns", "en": "one"},\n {"de": "zwei", "en": "two"}]\n',
        '{"translation": {"de": "ei\\u2028ns", "en": "one"}}\n'
        '{"translation": {"en": "two", "de": "zwei"}, "id": 2}',
    ],
    ids=["lines", "array", "nested"],
)
def test_json_may_be_lines_an_array_or_nested(tmp_path, content):
    path = write(tmp_path / "a.jsonl", content)

    pairs = list(tabular.json_objects(path, columns=("de", "en")))

    assert pairs == [("ei\u2028ns", "one"), ("zwei", "two")]


def test_a_field_of_its_own_goes_before_a_nested_one(tmp_path):
    row = '{"de": "eins", "en": "one", "translation": {"de": "uno", "en": "uno"}}'
    path = write(tmp_path / "a.jsonl", row)

    assert list(tabular.json_objects(path, columns=("de", "en"))) == [("eins", "one")]


@given(st.lists(st.tuples(sentences, sentences), max_size=4))
def test_json_lines_come_back_as_they_were_written(tmp_path_factory, pairs):
    text = "".join(json.dumps({"en": en, "de": de}) + "\n" for de, en in pairs)

    path = write(tmp_path_factory.mktemp("json") / "a.json.gz", text)

    assert list(tabular.json_objects(path, columns=("de", "en"))) == pairs


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"de": "a", ',
            "line 2: not valid JSON (Expecting property name enclosed in double quotes "
            "at column 13)",
        ),
        ('"de"', "line 2: not a JSON object"),
        (
            '{"de": ' * 9999,
            "line 2: not valid JSON (nested too deeply, or a number of too many digits)",
        ),
        (
            f'{{"de": {"1" * 5000}}}',
            "line 2: not valid JSON (nested too deeply, or a number of too many digits)",
        ),
        (
            '{"de": "a", "eng": "b"}',
            f"line 2: no column 'en'; there are: de, eng; choose with {COLUMNS}",
        ),
        (
            "{}",
            f"line 2: no column 'de'; there are: none; choose with {COLUMNS}",
        ),
        ('{"de": "a", "en": null}', "line 2, 'en': null where text was expected"),
        ('{"de": ["a"], "en": "b"}', "line 2, 'de': [\"a\"] where text was expected"),
        (
            '{"de": "\\ud83d", "en": "b"}',
            "line 2, 'de': half of a surrogate pair, which is no character; replace it",
        ),
    ],
)
def test_a_json_line_that_is_no_pair_is_named(tmp_path, line, message):
    path = write(tmp_path / "a.jsonl", f'{{"de": "x", "en": "y"}}\n{line}\n')

    with refused(f"a.jsonl, {message}"):
        list(tabular.json_objects(path, columns=("de", "en")))


def test_a_json_array_that_is_no_list_of_pairs_is_refused(tmp_path):
    broken = write(tmp_path / "a.json", '[{"de": "x", "en": "y"},\n oops]')
    mixed = write(tmp_path / "b.json", '[{"de": "x", "en": "y"}, 5]')

    with refused("a.json: not valid JSON (Expecting value at line 2, column 2)"):
        list(tabular.json_objects(broken, columns=("de", "en")))
    with refused("b.json, object 2: not a JSON object"):
        list(tabular.json_objects(mixed, columns=("de", "en")))
