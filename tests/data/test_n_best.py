"""N-best lists: Moses' lines and back, in step with their sources, and what is wrong with one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.n_best import Entry, feature_names, read, with_sources
from nmt.errors import DataError

# A line of a list by Moses, with its features and word alignments.
MOSES = "0 ||| the house ||| LM0= -8.5 PhrasePenalty0= 2 TM0= -1.1 -0.4 ||| -1.25 ||| 0-0 1-1\n"


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (MOSES, Entry(0, "the house", "LM0= -8.5 PhrasePenalty0= 2 TM0= -1.1 -0.4", "-1.25",
                      ("0-0 1-1",))),
        ("7 ||| a b ||| logprob= -1.5 ||| -0.5\n", Entry(7, "a b", "logprob= -1.5", "-0.5")),
        ("7 |||  ||| logprob= -1.5 ||| -0.5\n", Entry(7, "", "logprob= -1.5", "-0.5")),
        ("3 ||| x &#124;&#124;&#124; y |||  ||| \n", Entry(3, "x ||| y")),
    ],
)  # fmt: skip
def test_a_line_is_an_entry_and_an_entry_is_that_line(line, entry):
    assert list(read([line.rstrip("\n")], name="list")) == [entry]
    assert entry.line() == line


def test_fields_behind_the_text_may_be_missing():
    assert list(read(["4 ||| a", "5|||b|||F0= -1"], name="list")) == [
        Entry(4, "a"),
        Entry(5, "b", "F0= -1"),
    ]


@given(st.text(alphabet="a |&#;=").map(str.strip), st.integers(0, 10**9))
def test_any_text_is_read_as_it_was_written(text, number):
    entry = Entry(number, text, "a= 1", "2")
    if "&#124;" * 3 not in text:
        assert list(read([entry.line().rstrip("\n")], name="list")) == [entry]


def test_a_new_score_and_features_are_added_in_their_places():
    (entry,) = read([MOSES.rstrip("\n")], name="list")

    assert entry.rescored(-0.5, {"a": -0.25, "b": 1.23456}).line() == (
        "0 ||| the house ||| LM0= -8.5 PhrasePenalty0= 2 TM0= -1.1 -0.4 a= -0.2500 b= 1.2346 ||| "
        "-0.5000 ||| 0-0 1-1\n"
    )
    assert Entry(1, "x").rescored(-1, {"a": -2}).line() == "1 ||| x ||| a= -2.0000 ||| -1.0000\n"


@pytest.mark.parametrize(
    ("names", "features", "found"),
    [
        (["a", "b"], "logprob= -1", ["a", "b"]),
        (["a", "a", "a"], "logprob= -1", ["a", "a_2", "a_3"]),
        (["LM0", "TM0", "x"], "LM0= -8.5 TM0= -1 -2 x=3", ["LM0_2", "TM0_2", "x"]),
        (["my run", "a=b|c"], "", ["my_run", "a_b_c"]),
    ],
)
def test_each_feature_has_a_name_of_its_own(names, features, found):
    assert feature_names(names, Entry(0, "", features)) == found


@pytest.mark.parametrize(
    "line",
    [
        "",
        "a ||| b ||| c ||| d",
        "0",
        "0 | a",
        "-1 ||| a ||| b ||| c",
        "||| a",
        pytest.param("9" * 5000 + " ||| a", id="9..."),
    ],
)
def test_a_line_that_is_no_entry_is_named(line):
    with pytest.raises(DataError, match=r"^list, line 2: not NUMBER \|\|\| TEXT \|\|\| FEATURES"):
        list(read(["0 ||| a ||| b ||| c", line], name="list"))


def numbered(*numbers):
    return [Entry(number, f"t{place}") for place, number in enumerate(numbers)]


def test_each_entry_has_its_sentence():
    entries = numbered(0, 0, 1, 2, 2)

    found = list(with_sources(entries, ["x", "", "z"], names=("list", "text")))

    assert [entry for entry, _ in found] == entries
    assert [source for _, source in found] == ["x", "x", "", "z", "z"]
    assert list(with_sources([], [], names=("list", "text"))) == []


@pytest.mark.parametrize(
    ("numbers", "lines", "message"),
    [
        ((1, 2), 3, "list, line 1: sentence 1, where 0 is next; they are numbered from 0, and"),
        ((0, 0, 2), 3, "list, line 3: sentence 2, where 1 is next"),
        ((0, 1, 0), 2, "list, line 3: sentence 0, where 2 is next; they are numbered from 0, and "
         "each has an entry: `sort --stable --numeric-sort` puts them in order"),
        ((0, 1), 3, "text has 3 lines, and list 2 sentences"),
        ((), 2, "text has 2 lines, and list 0 sentences"),
        ((0, 0, 1), 1, "text has 1 line, and list more sentences"),
    ],
)  # fmt: skip
def test_numbers_that_do_not_fit_the_text_are_named(numbers, lines, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        list(with_sources(numbered(*numbers), ["x"] * lines, names=("list", "text")))
