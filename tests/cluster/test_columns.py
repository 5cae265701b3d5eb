"""Sentences of text, Parquet and JSON lines."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nmt.cluster.columns import pairs, texts
from nmt.errors import DataError

SENTENCES = ["Ein Hund.", "", "a\tb", "zwei\u2028Zeilen", "drei\r\nZeilen"]
AS_LINES = ["Ein Hund.", "", "a\tb", "zwei Zeilen", "drei  Zeilen"]  # one line for each


def json_lines(path, rows):
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_each_row_of_a_table_is_a_line(tmp_path):
    table = parquet(tmp_path / "a.parquet", de=SENTENCES, number=list(range(5)))
    objects = tmp_path / "a.jsonl.gz"
    objects.write_bytes(
        gzip.compress(
            b'{"de": "Ein Hund."}\n\n{"de": "a\\tb", "number": 2}\n'
            b'{"de": "zwei\\u2028Zeilen"}\n{"de": "drei\\r\\nZeilen"}\n'
        )
    )

    assert list(texts(table, "de")) == AS_LINES
    assert list(texts(objects, "de")) == AS_LINES


def test_text_has_lines_whatever_column_is_named(tmp_path):
    path = tmp_path / "a.de"
    path.write_bytes("\ufeffeins\r\nzwei\u2028Zeilen\n\nvier".encode())

    assert list(texts(path, "source")) == ["eins", "zwei\u2028Zeilen", "", "vier"]


ROW = "choose with --column NAME"
JSON = [
    (['{"de": "a"}', '{"en": "a"}'], f"line 2: no column 'de'; there are: en; {ROW}"),
    (['{"de": "a"}', '{"de": 3}'], "line 2, 'de': 3 where text was expected"),
    (['{"de": null}'], "line 1, 'de': null where text was expected"),
    (['{"de": "a"}', "{", '{"de": "b"}'], "line 2: not valid JSON"),
    (['["a"]'], "line 1: not a JSON object"),
    (['{"de": "\\ud800"}'], "line 1, 'de': half of a surrogate pair"),
]


@pytest.mark.parametrize(("rows", "message"), JSON)
def test_a_bad_line_of_json_is_named(tmp_path, rows, message):
    path = json_lines(tmp_path / "a.jsonl", rows)

    with pytest.raises(DataError) as error:
        list(texts(path, "de"))

    assert str(error.value).startswith(f"{path}, {message}")


PARQUET = [
    ({"en": ["a"]}, f": no column 'de'; there are: en; {ROW}"),
    ({"de": ["a", "b", None]}, ", row 3, 'de': null where text was expected"),
    ({"de": [1]}, ", row 1, 'de': 1 where text was expected"),
]


@pytest.mark.parametrize(("columns", "message"), PARQUET)
def test_a_bad_row_of_parquet_is_named(tmp_path, columns, message):
    path = parquet(tmp_path / "a.parquet", **columns)

    with pytest.raises(DataError) as error:
        list(texts(path, "de"))

    assert str(error.value) == f"{path}{message}"


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1, or not")

    with pytest.raises(DataError, match=r"a\.parquet: cannot be read after row 0 \("):
        list(texts(path, "de"))


def test_pairs_come_from_two_columns_of_one_file_or_from_two_files(tmp_path):
    table = parquet(tmp_path / "a.parquet", de=["eins", "zwei"], en=["one", "two"])
    short = json_lines(tmp_path / "a.jsonl", ['{"en": "one"}'])

    assert list(pairs([table, table], ["de", "en"])) == [("eins", "one"), ("zwei", "two")]
    with pytest.raises(DataError, match=r"a\.parquet has 2 lines and .*a\.jsonl has 1"):
        list(pairs([table, short], ["de", "en"]))
