"""Cleaning: a table of pairs for each rule, in many scripts, and what several corpora share."""

import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import CleaningConfig
from nmt.data import cleaning, corpus
from nmt.data.cleaning import Judge, Usual, digest, keys

LATIN = Usual(("Latn", "Latn"), 1.0)
GOOD = ("Der Hund schläft.", "The dog is asleep.")


def reason(pair, usual=LATIN, test=(), **settings):
    config = CleaningConfig(**settings)
    known = frozenset(key for each in test for key in keys(each, config.held_out))
    number = Judge(config, usual, known).reason(pair)
    return cleaning.REASONS[number - 1] if number else "kept"


def dataset(*pairs):
    columns = {"source": [pair[0] for pair in pairs], "target": [pair[1] for pair in pairs]}
    return Dataset.from_dict(columns, features=corpus.TEXT)


def judged(*texts, test=(), **settings):
    found = cleaning.judge(
        [dataset(*pairs) for pairs in texts],
        CleaningConfig(**settings),
        held_out=[dataset(*test)] if test else [],
    )
    names = ("kept", *cleaning.REASONS)
    return [[names[number] for number in numbers] for numbers in found]


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (GOOD, "kept"),
        (("", "The dog is asleep."), "empty"),
        (("Der Hund schläft.", " \t\u3000"), "empty"),
        (("\u200b\u2060\ufeff\x07", "The dog is asleep."), "empty"),  # nothing that is seen
        (("a" * 1000, "b" * 1000), "kept"),
        (("a" * 1001, "b" * 900), "too long"),
        (("a b " * 500, "c" * 1000), "kept"),  # spaces do not count
        (("abc", "a" * 12), "kept"),  # 4 times as long
        (("abc", "a" * 13), "of too uneven length"),
        (("a" * 13, "abc"), "of too uneven length"),
        (("12 345, ab", "12 345, xy"), "with few letters"),  # 2 of 5: a number is one
        (("12 ; ab", "12 ; xy"), "kept"),  # 2 of 4
        (("am 30.12.2019", "on 30.12.2019"), "kept"),  # 2 of 3
        (("1.2.2003", "am 1.2.2003"), "with few letters"),
        (("*** --- ***", "*** --- ***"), "with few letters"),
        (("Собака спит.", "The dog is asleep."), "in another script"),
        (("Der Hund", "собака"), "in another script"),
        (("Hund Собака", "The dog"), "in another script"),  # 4 letters of 10 are Latin
        (("Stadt Москва", "The city"), "in another script"),  # 5 of 11
        (("Städte Москва", "The city"), "kept"),  # 6 of 12
        (("Der  Hund", "Der Hund "), "not translated"),  # equal but for spaces
        (("Der Hund", "der Hund"), "kept"),
    ],
)
def test_a_pair_is_left_out_by_the_first_rule_that_it_breaks(pair, expected):
    assert reason(pair) == expected


@pytest.mark.parametrize(
    ("settings", "pair"),
    [
        ({"max_characters": None}, ("a" * 1001, "b" * 1001)),
        ({"max_ratio": None}, ("abc", "a" * 13)),
        ({"min_letters": 0}, ("1.2.2003", "am 1.2.2003")),
        ({"min_script": 0}, ("Der Hund", "собака")),
        ({"identical": False}, ("Der Hund", "Der Hund")),
    ],
)
def test_each_rule_can_be_turned_off(settings, pair):
    assert reason(pair) != "kept"
    assert reason(pair, **settings) == "kept"


# Sentences that belong to a corpus of this language, and one in each that does not.
SCRIPTS = {
    "Japanese": (
        ["彼は東京大学で学ぶ。", "コーヒーをください", "東京都", "お茶はどこですか"],
        "Где чай?",
    ),
    "Chinese": (["他在北京大学学习。", "请给我咖啡", "你好吗", "我喝茶"], "Where is tea?"),
    "Korean": (["그는 학교에 간다.", "커피 주세요", "大韓民國", "차를 마신다"], "Where is tea?"),
    "Hindi": (["वह स्कूल जाता है।", "मुझे चाय दो", "नमस्ते", "कहाँ है"], "यह Where is the school today"),
    "Thai": (["เขาไปโรงเรียน", "ขอกาแฟหน่อย", "สวัสดี", "ที่ไหน"], "Where is tea?"),
    "Arabic": (["يذهب إلى المدرسة.", "قهوة من فضلك", "مرحبا", "أين الشاي؟"], "Where is tea?"),
    "Greek": (["Πάει σχολείο.", "Ένα καφέ", "Γεια", "Πού είναι"], "Where is tea?"),
    "Ukrainian": (["Він іде до школи.", "Кави, будь ласка", "Привіт", "Де чай?"], "Where is tea?"),
    "private use": (["\ue000\ue001 \ue002", "\ue003\ue001", "\ue004", "\ue000"], "Where is tea?"),
    "Amharic": (["ወደ ትምህርት ቤት ይሄዳል።", "ቡና እባክህ", "ሰላም", "የት ነው"], "Where is tea?"),
}


@pytest.mark.parametrize("language", SCRIPTS)
def test_the_usual_script_is_that_of_most_sentences(language):
    sentences, foreign = SCRIPTS[language]
    english = ["He goes there by train.", "Some coffee, please", "Hello there", "Where is it"]
    pairs = list(zip([*sentences, foreign], [*english, "Where is tea then"], strict=True))

    [found] = judged(pairs, max_ratio=None)

    assert found == ["kept"] * 4 + ["in another script"]


def test_long_sentences_have_no_more_weight_than_short_ones():
    pairs = [
        ("你好", "Hello"),
        ("谢谢", "Thanks"),
        ("This one was never translated " * 9, "这" * 60),
    ]

    usual = Usual.of(pairs)

    assert usual.scripts == ("East Asian", "Latn")


def test_lengths_are_compared_in_proportion_to_the_corpus():
    # 100 characters of the source for 400 of the target: a sentence of 10 is usual with 40.
    usual = Usual.of([("字" * 10, "abcd" * 10)] * 10)

    assert usual.ratio == 4.0
    assert reason(("字" * 10, "a" * 160), usual) == "kept"
    assert reason(("字" * 10, "a" * 161), usual) == "of too uneven length"
    assert reason(("字" * 10, "a" * 10), usual) == "kept"
    assert reason(("字" * 10, "a" * 9), usual) == "of too uneven length"


TEST = [("Guten Tag, Welt!", "Hello, world!"), ("¿?", "?!")]


@pytest.mark.parametrize(
    ("pair", "either", "source", "both"),
    [
        (("Guten Tag, Welt!", "Hello, world!"), True, True, True),
        (("guten tag welt", "HELLO WORLD"), True, True, True),  # letters alone are compared
        (("Ｇuten Tag Welt", "Good day, world"), True, True, False),  # full width
        (("Hallo Welt", "Hello, world!"), True, False, False),
        (("Hello, world!", "Bonjour le monde"), True, False, False),  # the other direction
        (("Guten Tag", "Hello"), False, False, False),
        (("Guten Tag, Welt 2!", "Hello 2!"), False, False, False),
    ],
)
def test_pairs_of_validation_and_test_are_left_out(pair, either, source, both):
    expected = {"either": either, "source": source, "pair": both, None: False}

    for rule, left_out in expected.items():
        found = reason(pair, test=TEST, held_out=rule)
        assert found == ("in validation or test" if left_out else "kept"), rule


def test_sentences_without_letters_or_digits_are_equal_to_none():
    assert reason(("!!!", "..."), test=TEST, min_letters=0) == "kept"


def test_marks_tell_sentences_apart():
    assert keys(("कि", "का"), "either")[0] != keys(("कि", "का"), "either")[1]


def test_a_repeated_pair_stays_once_in_all_corpora_together():
    other = ("Die Katze singt.", "The cat is singing.")
    turned = GOOD[::-1]

    assert judged([GOOD, other, GOOD], [turned, other, GOOD]) == [
        ["kept", "kept", "repeated"],
        ["kept", "repeated", "repeated"],
    ]
    assert judged([GOOD, GOOD], [GOOD], duplicates=False) == [["kept"] * 2, ["kept"]]


def test_an_earlier_reason_counts_for_all_copies():
    assert judged([("", "x"), GOOD, ("", "x")]) == [["empty", "kept", "empty"]]


@given(st.lists(st.sampled_from([*"abcdef"]), min_size=1, max_size=20))
def test_what_is_kept_are_the_first_occurrences(letters):
    [found] = judged([(f"Wort {each}", f"word {each}") for each in letters])

    first = [letters.index(each) == place for place, each in enumerate(letters)]
    assert found == ["kept" if each else "repeated" for each in first]


def test_digests_are_of_64_bits_and_the_same_in_every_process():
    # From `printf 'a' | b2sum -l 64`, read as a signed number.
    assert digest("a") == int.from_bytes(bytes.fromhex("40f89e395b66422f"), "big", signed=True)


def test_another_rule_or_another_test_set_is_not_answered_from_the_cache():
    pairs = [GOOD, ("Ein Vogel.", "A bird.")]

    assert judged(pairs) == [["kept", "kept"]]
    assert judged(pairs, max_characters=10) == [["too long", "kept"]]
    assert judged(pairs, test=[GOOD]) == [["in validation or test", "kept"]]
    assert judged(pairs) == [["kept", "kept"]]
