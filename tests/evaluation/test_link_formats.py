"""Links as other tools write them: GIZA++, the shared tasks of WPT, scores, numbers from 1."""

import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import DataError
from nmt.evaluation.alignment import GoldLinks
from nmt.evaluation.pharaoh import format_links, parse_links, read_gold, read_links

# From the test of another reader (Portage's Giza2AlignmentFile): x is aligned to nothing.
CHAT = [
    "# Sentence pair (1) source length 2 target length 3 alignment score : 3.63487e-24",
    "le chat x",
    "NULL ({ 3 }) the ({ 1 }) cat ({ 2 })",
]
# From the documentation of a converter, with the words that it says are aligned: vidět obviously,
# tom tom, strach scared.
TOM = [
    "# Sentence pair (2) source length 8 target length 5 alignment score : 0.000275724",
    "tom is obviously scared . ",
    "NULL ({ 2 }) jak ({ }) je ({ }) vidět ({ 3 }) , ({ }) tom ({ 1 }) má ({ }) strach ({ 4 }) "
    ". ({ 5 }) ",
]
# Sources that look like the format itself, a word of white space other than a space, many links.
ODD = [
    "# Sentence pair (3) source length 5 target length 3 alignment score : 1",
    "a b c",
    "NULL ({ }) ({ ({ 1 }) }) ({ }) 3 ({ 3 }) 10\u00a0km ({ 1 2 3 }) ({}) ({ 2 }) ",
]


def test_giza_links_the_source_word_before_the_braces_to_the_targets_in_them():
    found = list(read_links([*CHAT, *TOM, *ODD], name="de-en.A3.final"))

    assert found == [
        {(0, 0), (1, 1)},
        {(2, 2), (4, 0), (6, 3), (7, 4)},
        {(0, 0), (2, 2), (3, 0), (3, 1), (3, 2), (4, 1)},
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*CHAT[:2], "the ({ 1 }) cat ({ 2 })"],
         "line 3: not the links of a sentence pair, NULL ({ }) WORD ({ 1 2 }) ..."),
        ([*CHAT[:2], "NULL ({ }) the ({ 0 })"], "line 3: not the links of a sentence pair"),
        ([*CHAT[:2], "NULL ({ }) the ({ 1 }"], "line 3: not the links of a sentence pair"),
        ([*CHAT[:2], "NULL ({ 1 }) the"], "line 3: not the links of a sentence pair"),
        ([*CHAT[:2], "", TOM[0]], "line 3: not the links of a sentence pair"),
        ([*CHAT, *ODD], "line 4: not the first line of sentence pair 2; files of MGIZA's threads"),
        ([*CHAT, "", *TOM], "line 4: not the first line of sentence pair 2"),
        (TOM, "line 1: not the first line of sentence pair 1"),
    ],
)  # fmt: skip
def test_a_file_of_giza_that_is_not_whole_is_refused_with_its_line(lines, message):
    with pytest.raises(DataError, match=re.escape(f"a.A3.final, {message}")):
        list(read_links(lines, name="a.A3.final"))


@pytest.mark.parametrize("lines", [[*CHAT, TOM[0]], [*CHAT, *TOM[:2]], [*CHAT, TOM[0], "", ""]])
def test_a_file_of_giza_that_ends_too_early_is_told_by_its_last_pair(lines):
    with pytest.raises(DataError, match=r"^a: ends within sentence pair 2, which has three lines$"):
        list(read_links(lines, name="a"))


def test_blank_lines_at_the_end_of_a_file_of_giza_are_no_pair():
    pair = ["# Sentence pair (2) source length 1 target length 0", "", "NULL ({ }) a ({ })"]

    assert list(read_links([*CHAT, *pair, "", " "], name="a")) == [{(0, 0), (1, 1)}, set()]


@pytest.mark.parametrize(
    ("lines", "sure", "possible"),
    [
        # The example of the guidelines, of sentence 3: "They had gone ." - "Ils etaient alles ."
        (["3 1 1", "3 2 2", "3 3 3", "3 4 4"], [[], [], [(0, 0), (1, 1), (2, 2), (3, 3)]], []),
        (["0001 1 2 S", "0001 2 1 P"], [[(0, 1)]], [[(1, 0)]]),
        (["1 1 1 0.5", "1 2 2 P 0.73", "1 3 3 0.1 P", "1 4 4 S 1"], [[(0, 0), (3, 3)]],
         [[(1, 1), (2, 2)]]),
        (["1 1 1 1.2E-05", "1 2 2 1e+00", "1 3 3 P -0.5"], [[(0, 0), (1, 1)]], [[(2, 2)]]),
        (["1 0 1", "1 1 0 P", "1 2 2 P 1e-05"], [[]], [[(1, 1)]]),  # 0 is the empty word
        (["2 1 1", "", "1 2 2", "2 1 2"], [[(1, 1)], [(0, 0), (0, 1)]], []),  # in any order
        (["  0010\t10\t3  "], [[]] * 9 + [[(9, 2)]], []),
    ],
)  # fmt: skip
def test_wpt_has_a_line_for_each_link_and_counts_all_from_one(lines, sure, possible):
    found = read_gold(lines, name="a.wa")

    assert [each.sure for each in found] == [set(each) for each in sure]
    graded = [set(each) for each in possible] or [set()] * len(sure)
    assert [each.possible - each.sure for each in found] == graded


def test_sentences_behind_the_last_link_of_wpt_have_none():
    texts = {"source_lines": ["a b"] * 4, "target_lines": ["x"] * 4}

    assert read_gold(["2 1 1"], name="a.wa", **texts) == [
        GoldLinks(frozenset(links), frozenset()) for links in ((), {(0, 0)}, (), ())
    ]
    assert list(read_links(["2 1 1"], name="a.wa", sentences=3)) == [set(), {(0, 0)}, set()]
    message = "a.wa aligns 5 sentences, and the source has 4 lines; each line of the text is a sent"
    with pytest.raises(DataError, match=message):
        read_gold(["5 1 1"], name="a.wa", **texts)
    message = "a.wa, sentence 2: link 3-1 lies outside the 2 source words; words are counted from 1"
    with pytest.raises(DataError, match=message):
        read_gold(["2 3 1"], name="a.wa", **texts)


def test_a_possible_link_where_none_can_be_is_told_in_the_terms_of_its_format():
    reason = "is a possible link, as only gold links can be"

    with pytest.raises(DataError, match=f"^a.wa, sentence 2: '2 3 1 P' {reason}; write S instead"):
        list(read_links(["0001 1 1 S", "0002 3 1 P 0.5"], name="a.wa"))
    with pytest.raises(DataError, match=f"^a, sentence 2: '2p0' {reason}; write 2-0$"):
        list(read_links(["0-0", "2p0"], name="a"))


@pytest.mark.parametrize("line", ["1 1", "1 1 2 Q", "1 1-1", "0 1 1", "1 -1 2", "1 1 1 S P 1"])
def test_a_line_of_wpt_that_is_no_link_is_named(line):
    message = f"a.wa, line 2: '{line}' is no link of the form SENTENCE SOURCE TARGET [S|P] [CONF"
    with pytest.raises(DataError, match=re.escape(message)):
        read_gold(["1 1 1", line], name="a.wa")


links = st.frozensets(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12)


@given(st.lists(st.tuples(links, links), min_size=1, max_size=5))
def test_each_format_reads_what_is_written_in_it(sentences):
    gold = [GoldLinks(sure, possible) for sure, possible in sentences]
    wpt = ["1 0 0"]  # nothing, so that the format is known
    giza = []
    for number, (sure, possible) in enumerate(sentences, start=1):
        wpt += [f"{number:04} {i + 1} {j + 1} P 0.5" for i, j in possible - sure]
        wpt += [f"{number:04} {i + 1} {j + 1}" for i, j in sure]
        of = [" ".join(str(j + 1) for k, j in sorted(sure) if k == i) for i in range(31)]
        words = " ".join(f"w{i} ({{ {targets} }})" for i, targets in enumerate(of))
        giza += [f"# Sentence pair ({number}) source length 31 ...", "...", f"NULL ({{ }}) {words}"]

    assert read_gold(wpt, name="a", source_lines=[" w" * 31] * len(gold)) == gold
    assert list(read_links(giza, name="a")) == [sure for sure, _ in sentences]


@pytest.mark.parametrize(
    ("line", "sure", "possible"),
    [
        ("0-1:0.73 2p3:0.01", {(0, 1)}, {(2, 3)}),
        ("0-0:1 1-1:9.5e-05 2-2:1e-7", {(0, 0), (1, 1), (2, 2)}, set()),
        ("0-0:1.2E-05 1-1:1e+00 2p2:-0.5", {(0, 0), (1, 1)}, {(2, 2)}),
        ("0-0 1-2 ||| -12.7347", {(0, 0), (1, 2)}, set()),  # of `fast_align -s`
        (" ||| -1.5e-3", set(), set()),
    ],
)
def test_scores_are_read_over(line, sure, possible):
    found = parse_links(line)

    assert (found.sure, found.possible - found.sure) == (sure, possible)


@given(st.lists(links, min_size=1, max_size=4))
def test_pharaoh_links_that_count_from_one_are_one_less(sentences):
    lines = [format_links((i + 1, j + 1) for i, j in each) for each in sentences]

    found = read_gold(lines, name="a.gold", one_based=True)

    assert [each.sure for each in found] == sentences


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1-1", "2-1 0-3"], "a.gold, line 2: '0-3' counts words from 0; leave out --one-based"),
        (["1-1", "1p0"], "a.gold, line 2: '1p0' counts words from 0; leave out --one-based"),
        (CHAT, "a.gold: this format always counts words from 1; leave out --one-based"),
        (["1 1 1"], "a.gold: this format always counts words from 1; leave out --one-based"),
    ],
)
def test_links_that_cannot_count_from_one_are_refused(lines, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read_gold(lines, name="a.gold", one_based=True)


@pytest.mark.parametrize(
    ("lines", "one_based", "warned"),
    [
        (["1-1 2-2", "1p1"], False, True),
        (["1-1 2-2", "", "5-0"], False, False),  # the first target word, far down
        (["1-1", "0p7"], False, False),
        (["", ""], False, False),  # says nothing
        (["1-1 2-2"], True, False),
        (CHAT, False, False),  # these formats always count from 1
        (["1 2 2"], False, False),
    ],
)
def test_a_file_without_any_zero_may_count_from_one(lines, one_based, warned):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_gold(lines, name="a.gold", one_based=one_based)
        if not one_based:
            list(read_links([re.sub("([0-9])p", r"\1-", each) for each in lines], name="a.align"))

    reason = "no link has a 0; if words are counted from 1,"
    assert [str(each.message) for each in caught] == [
        f"a.gold: {reason} give --one-based",
        f"a.align: {reason} subtract 1 from each number",
    ] * warned


@pytest.mark.parametrize(
    ("lines", "one_based", "written"), [(["4-1"], True, "4-1"), (CHAT, False, "2-2")]
)
def test_a_link_outside_its_sentence_is_shown_as_it_is_written(lines, one_based, written):
    message = f"a, sentence 1: link {written} lies outside the 1 source word; words are counted fr"
    with pytest.raises(DataError, match=f"{message}om 1$"):
        read_gold(lines, name="a", one_based=one_based, source_lines=["x"])


def test_gold_is_checked_against_the_words_that_the_setting_finds():
    text = {"source_lines": ["犬が\u3000寝る"], "target_lines": ["a\u00a0b c"]}

    depends = r"a.gold: in 1 line \(first in line 1, U\+3000\) there are other words by"
    with pytest.warns(UserWarning, match=depends):
        read_gold(["0-0 1-2"], name="a.gold", **text, word_boundaries="unicode")
    message = "a.gold, sentence 1: link 1-2 lies outside the 1 source word;"
    with pytest.warns(UserWarning, match=depends), pytest.raises(DataError, match=message):
        read_gold(["0-0 1-2"], name="a.gold", **text)


@pytest.mark.parametrize(
    ("line", "reason"),
    [("1-1 x", "'x' is no link"), ("1 2", "'1' is no link"), ("# Sentence", "'#' is no link")],
)
def test_what_is_in_no_format_is_read_as_pharaoh(line, reason):
    with pytest.raises(DataError, match=f"a, line 1: {reason}; write 0-2"):
        read_gold([line], name="a")


def test_a_slip_in_the_first_line_of_wpt_names_this_format():
    message = (
        "a, line 1: '1' is no link; write 0-2 for a sure, 0p2 for a possible one, or all lines in "
        "the format of WPT, SENTENCE SOURCE TARGET [S|P] [CONFIDENCE] with numbers from 1"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_gold(["1 1 1 s"], name="a")
