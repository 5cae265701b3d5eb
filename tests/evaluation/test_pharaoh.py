import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import DataError
from nmt.evaluation.alignment import GoldLinks
from nmt.evaluation.pharaoh import format_links, parse_links, read_gold, read_links

links = st.frozensets(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12)


def test_links_are_written_in_order():
    assert format_links({(10, 2), (2, 3), (2, 1)}) == "2-1 2-3 10-2"


def test_sure_links_are_possible_too():
    gold = parse_links("0-0 1p2 ")

    assert gold.sure == {(0, 0)}
    assert gold.possible == {(0, 0), (1, 2)}
    assert parse_links("") == GoldLinks(frozenset(), frozenset())


@given(links)
def test_pharaoh_text_round_trips(expected):
    assert parse_links(format_links(expected)) == GoldLinks(expected, expected)


@pytest.mark.parametrize(
    "token", ["1", "1-", "1-2-3", "-1-2", "a-b", "1?2", "1:2", "1,2", "0-" + "1" * 5000]
)
def test_a_malformed_link_is_named_with_its_place(token):
    lines = ["0-0", f"1-1 {token} 2-2"]

    message = (
        f"gold.align, line 2: '{token}' is no link; write 0-2 for a sure, 0p2 for a possible one"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        read_gold(lines, name="gold.align")


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ("source", "2: link 2-1 lies outside the 2 source words; words are counted from 0"),
        ("target", "3: link 0-1 lies outside the 1 target word; words are counted from 0"),
    ],
)
def test_a_link_outside_its_sentence_is_named(side, message):
    texts = {"source": ["a", "a b", "a b"], "target": ["x", "x y", "x"]}

    with pytest.raises(DataError, match=re.escape(f"a.gold, sentence {message}")):
        read_gold(["0-0", "1-0 2p1", "0-1"], name="a.gold", **{f"{side}_lines": texts[side]})


def test_gold_of_another_text_is_refused():
    message = "a.gold aligns 2 sentences, and the target has 3 lines; each line of the text is"
    with pytest.raises(DataError, match=message):
        read_gold(["0-0", ""], name="a.gold", target_lines=["a", "b", "c"])


def test_links_are_read_line_by_line():
    lines = iter(["0-0 1-2", "", "nonsense"])

    found = read_links(lines, name="de-en.align")

    assert [next(found), next(found)] == [{(0, 0), (1, 2)}, frozenset()]
    with pytest.raises(DataError, match=r"de-en\.align, line 3: 'nonsense' is no link"):
        next(found)


def test_a_possible_link_outside_gold_is_refused():
    message = "a.align, sentence 2: '3p4' is a possible link, as only gold links can be; write 3-4"
    with pytest.raises(DataError, match=re.escape(message)):
        list(read_links(["0-0", "1-1 3p4 5p5"], name="a.align"))


@pytest.mark.parametrize(
    ("folder", "languages", "sentences", "sure", "possible"),
    [
        ("alignment-gold/hansards-en-fr", "en fr", 447, 4038, 13400),  # Och & Ney 2003
        ("alignment-gold/alibi-fr-en", "fr en", 522, 8452, 14147),  # by grep -o
        ("dermit-de-rm/gold", "de rm", 300, 3542, 0),  # by grep -o
    ],
)
def test_published_gold_is_read_whole(shared_data, folder, languages, sentences, sure, possible):
    lines, source, target = (
        (shared_data / folder / f"gold.{ending}").read_text(encoding="utf-8").splitlines()
        for ending in ("align", *languages.split())
    )

    gold = read_gold(lines, name=folder, source_lines=source, target_lines=target)

    assert len(gold) == sentences
    assert sum(len(truth.sure) for truth in gold) == sure
    assert sum(len(truth.possible - truth.sure) for truth in gold) == possible
