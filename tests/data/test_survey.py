"""What a first look at a corpus counts, against counts by hand."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.survey import survey
from nmt.errors import DataError

ARABIC = "القطة نائمة على السرير الكبير"
THAI = "แมวกำลังนอนหลับอยู่บนเตียง แล้วสุนัขก็วิ่งมา"
JAPANESE = "ねこがベッドでねています。"
LINES = st.text(alphabet="ab é中\u00a0", max_size=8)


def source_side(*lines, validation=()):
    return survey([(line, "x") for line in lines], validation).source


def test_a_corpus_is_counted_by_hand():
    pairs = [("a bb", "ccc"), ("", "x"), ("e f g", " \u3000"), (" d ", "d"), ("12 12", "1 2, é!")]

    found = survey(pairs, [("a bb", "new"), ("new", "d"), ("bb", "c"), ("", "x")])

    assert (found.pairs, found.empty, found.identical) == (3, 2, 1)
    assert (found.validation, found.known) == (4, 2)
    source, target = found.source, found.target
    assert (source.words, target.words) == pytest.approx((5 / 3, 5 / 3))
    assert (source.characters, target.characters) == pytest.approx(((4 + 1 + 5) / 3, 11 / 3))
    assert (source.distinct, target.distinct) == (5, 7)  # a b d 1 2, and c d 1 2 , é !
    assert (source.vocabulary, target.vocabulary) == (4, 5)  # a bb d 12, and ccc d 1 2, é!
    assert (source.script, target.script) == ("Latn", "Latn")


@pytest.mark.parametrize(("long", "expected"), [(0, 1), (1, 1), (2, 50)])
def test_a_long_line_is_one_that_99_of_100_are_not_longer_than(long, expected):
    side = source_side(*["a"] * (100 - long), *["a " * 50] * long)

    assert (side.long_words, side.long_characters) == (expected, 2 * expected - 1)


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        (["Nguyễn Thị Định, naïve — ½ ﬁ Ａ 猫"], "NFC"),
        (["nai\u0308ve"], "NFD"),
        (["nai\u0308ve", "naïve"], "both"),
        (["ọ\u0301"], "both"),  # it is NFC, but `é` in two characters would be unlike its `é`
        (["o\u0323\u0301", "e\u0301"], "NFD"),
        (["ê\u0301"], "both"),  # as Windows writes Vietnamese
        (["5 \u212b"], "both"),
        (["\u1112\u1161\u11ab"], "NFD"),
        (["한국어"], "NFC"),
        (["한국어", "\u1112\u1161\u11ab"], "both"),
        (["ক\u09c7\u09be"], "NFD"),  # both marks are letters of their own class
        (["\u0958 और"], "both"),
        (["मेरी बिल्ली"], "NFC"),
        (["قطة نائمة"], "NFC"),
        (["ا\u0654"], "NFD"),
        (["ب\u0651\u064e"], "NFC"),  # in the order of typing; no tokenizer sorts these marks
        (["แมวกำลังนอนหลับ"], "NFC"),
    ],
)
def test_the_unicode_form_of_a_text_is_found(lines, form):
    side = source_side("a b", *lines)

    assert side.form == form
    written = [unicodedata.normalize("NFC", line) for line in lines]
    assert side.distinct == len({*"ab", *"".join(written)} - {" "})
    assert side.long_characters == max(3, *map(len, written))


@pytest.mark.parametrize(
    ("text", "common"),
    [("a" * 9995 + "bcdef", 1), ("a" * 9994 + "bbcdef", 2), ("abcdef", 6), ("a", 1)],
)
def test_the_common_characters_make_up_9995_of_10000(text, common):
    side = source_side(text)

    assert (side.common, side.distinct) == (common, len(set(text)))


@pytest.mark.parametrize(
    ("line", "script", "unspaced"),
    [
        ("The cat is asleep on the bed.", "Latn", False),
        ("Кошка спит на кровати.", "Cyrl", False),
        (ARABIC, "Arab", False),
        ("고양이가 침대에서 자고 있다.", "Hang", False),
        ("Donaudampfschifffahrtsgesellschaftskapitän", "Latn", False),
        ("猫在床上睡觉，狗跑过来了。", "Hani", True),
        ("猫 在 床上 睡觉 ， 狗 跑 过来 了 。", "Hani", False),
        ("你好", "Hani", True),
        (JAPANESE, "Hira", True),
        (THAI, "Thai", True),
        ("ᥑᥣᥛᥰᥖᥣᥭᥰᥘᥫᥴᥖᥬᥲᥑᥨᥒᥰ", "Tale", True),
        ("ᬳᬶᬭᬶᬓᬤᬶᬲᬳᬫᬦᬾᬲ", "Bali", True),
        ("2003.12.1 - 15 %", "", False),
    ],
)
def test_scripts_and_texts_without_spaces_are_found(line, script, unspaced):
    side = source_side(line, line)

    assert (side.script, side.unspaced) == (script, unspaced)
    names = {"Latn": "Latin", "Hani": "Han", "": "no letters"}
    assert side.script_name == names.get(script, side.script_name)


@pytest.mark.parametrize("pairs", [[("", "a")], [(" ", " "), ("a", "\u2003")]])
def test_a_corpus_without_text_is_refused(pairs):
    message = rf"^none of the {len(pairs)} training pairs has text on both sides$"
    with pytest.raises(DataError, match=message):
        survey(pairs, [("a", "b")])


@given(st.lists(st.tuples(LINES, LINES), max_size=8), st.lists(st.tuples(LINES, LINES)))
def test_a_corpus_twice_is_twice_as_many_of_the_same(pairs, validation):
    pairs = [*pairs, ("a", "b")]
    once, twice = survey(pairs, validation), survey(pairs * 2, validation)

    for name in ("pairs", "empty", "identical"):
        assert getattr(twice, name) == 2 * getattr(once, name)
    assert (twice.source, twice.target) == (once.source, once.target)
    assert once.known == twice.known <= once.validation == len(validation)
    full = [pair for pair in pairs if pair[0].strip() and pair[1].strip()]
    assert once.known == sum(
        any(one == pair[0] or other == pair[1] for pair in full) for one, other in validation
    )
