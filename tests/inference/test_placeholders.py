"""Placeholders, addresses and numbers: what they are, and what becomes of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.config import TrainedTokenizerConfig
from nmt.data import tokenizer_training
from nmt.inference.copying import Copier
from nmt.inference.placeholders import find
from nmt.inference.translation import Translation
from nmt.inference.unseen import remainders

KINDS = ("variables", "addresses", "numbers")
SOURCE_WORDS = ("der", "Hund", "{a}", "%s", "12", "(die", "sagt,", "a@b.de", "ő")
LINES = ["der Hund sagt, die (alte) Katze rennt 12 X.", "the dog says: 345 67890."] * 9


@pytest.mark.parametrize(
    ("line", "kind", "expected"),
    [
        ("a {name} b{0:.2f} {} ${x}", "variables", ["{name}", "{0:.2f}", "{}", "${x}"]),
        ("{{ x | y }} and {{x}}", "variables", ["{{ x | y }}", "{{x}}"]),
        ("%s, %1$s %(a)d %.2f", "variables", ["%s", "%1$s", "%(a)d", "%.2f"]),
        ("%5ld %@ %%", "variables", ["%5ld", "%@", "%%"]),
        ("100% sure, 5 %, 50%der, % d", "variables", []),
        ("$NAME costs $5 in US$", "variables", ["$NAME"]),
        ("see https://a.b/c?d=(e)&f, or (http://x.y).", "addresses", ["https://a.b/c?d=(e)&f", "http://x.y"]),
        ("www.a.de, a.b+c@d-e.org.", "addresses", ["www.a.de", "a.b+c@d-e.org"]),
        ("@home a@b", "addresses", []),
        ("1, 2.50 10:30 1/2 3.000,5 2.", "numbers", ["1", "2.50", "10:30", "1/2", "3.000,5", "2"]),
        ("H2O 3rd x1 A4 ² 2.5GB", "numbers", []),
    ],
)  # fmt: skip
def test_what_is_kept(line, kind, expected):
    assert [line[begin:end] for begin, end, _ in find(line, [kind])] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # Chinese
        ("下载%d个文件", ["%d"]),
        ("他2019年出生。", ["2019"]),
        ("价格是５００元，不是A4。", ["５００"]),
        ("3万人，3月5日，2千米", ["5"]),  # 30,000, March and 2,000 are no words for 3 and 2
        ("访问www.x.com吧", ["www.x.com"]),
        ("请看https://a.com/x。谢谢…", ["https://a.com/x"]),
        ("请看https://a.com/x，谢谢", ["https://a.com/x"]),
        ("请看https://a.com/了解更多", ["https://a.com/"]),
        ("https://zh.wikipedia.org/wiki/中国_(消歧义)", ["https://zh.wikipedia.org/wiki/中国_(消歧义)"]),
        ("联系abc@def.com，或者b@def.cn吧", ["abc@def.com", "b@def.cn"]),
        # Japanese
        ("%sさん、{n}件あります。", ["%s", "{n}"]),
        ("価格は5円、サーバー3台", ["5", "3"]),
        ("公式サイト（https://a.jp）を見る", ["https://a.jp"]),
        ("https://a.co.jp/をご覧ください", ["https://a.co.jp/"]),
        ("「https://日本語.jp/案内」", ["https://日本語.jp/"]),
        ("见https://www.中国.cn/，https://ja.日本語.jp/x。", ["https://www.中国.cn/", "https://ja.日本語.jp/x"]),
        ("www.例え.jp、www.x.com吧。", ["www.例え.jp", "www.x.com"]),
        # Thai
        ("ราคา5บาท", ["5"]),
        ("ราคา๕๐บาท", ["๕๐"]),
        ("ดู https://a.co.th/x”ครับ", ["https://a.co.th/x"]),
        # Korean
        ("%1$s를 삭제", ["%1$s"]),
        ("https://한국.한국/x로", ["https://한국.한국/x"]),
        ("사과 3개, 3만 원, 5월", ["3"]),
        ("https://a.kr/에서, a@b.kr로", ["https://a.kr/", "a@b.kr"]),
        # Arabic and Persian
        ("تنزيل %dملف", ["%d"]),
        ("هل زرت https://a.com؟ نعم، https://b.com، و٥", ["https://a.com", "https://b.com"]),
        # German, French, Swedish, Russian
        ("„Siehe https://a.de“, ‚www.b.de‘", ["https://a.de", "www.b.de"]),
        ("«%s», »https://a.fr/x«, ”a@b.se”", ["%s", "https://a.fr/x", "a@b.se"]),
        ("https://de.wikipedia.org/wiki/Größe_(Mode).", ["https://de.wikipedia.org/wiki/Größe_(Mode)"]),
        ("(siehe https://a.de/x_(y)) (https://b.de/z).", ["https://a.de/x_(y)", "https://b.de/z"]),
        ("müller@web.de und почта@домен.рф…", ["müller@web.de", "почта@домен.рф"]),
        ("https://a.de/a–b… https://a.de/?q=", ["https://a.de/a–b", "https://a.de/?q="]),
        ("`https://a.de/` |https://a.de/b|", ["https://a.de/", "https://a.de/b"]),
    ],
)  # fmt: skip
def test_what_is_kept_in_other_scripts_and_beside_other_signs(line, expected):
    assert [line[begin:end] for begin, end, _ in find(line, KINDS)] == expected


def test_kinds_are_chosen():
    line = "{a} http://b.c 5"

    assert [each.read for each in find(line, KINDS)] == ["X", "X", "5"]
    assert find(line, []) == []


@pytest.fixture(scope="module")
def tokenizers():
    """A model whose pieces are letters and signs."""
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=49, byte_fallback=False)
    return tokenizer_training.train(LINES, LINES, config)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("der {Hund} sagt", "der X sagt"),
        ("sagt %s, {a}.", "sagt X, X."),
        ("12 Hund {b} 5", "12 Hund X 5"),
        ("Hund{a} rennt", "Hund rennt"),  # attached to a word: set aside
        ("{a}{b} sagt", "XX sagt"),
        ("{a}: 5", ""),  # nothing to translate
        ("sagt ő {a}", "sagt X"),  # besides characters that no piece spells
    ],
)
def test_what_is_read(tokenizers, line, read):
    ((remainder,), (ids,)) = remainders(tokenizers.source, [line], keep=KINDS)

    assert remainder.text == read
    assert ids == tokenizers.source.encode(read)
    spans = remainder.spans(tokenizers.source.offsets(remainder.text))
    assert all(0 <= begin <= end <= len(line) for begin, end in spans)


def test_without_the_word_to_read_it_is_set_aside():
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=24, byte_fallback=False)
    own = tokenizer_training.train(["der Hund sagt"] * 9, ["the dog says"] * 9, config).source
    ((remainder,), _) = remainders(own, ["der {Hund} sagt"], keep=KINDS)

    assert remainder.text == "der sagt"
    assert [each.text for each in remainder.unseen] == ["{Hund}"]


def completed(tokenizers, line, text, links, *, dictionary=None):
    """The translation of a line by a text; `links` has a character read for one of the text."""
    ((source,), (ids,)) = remainders(tokenizers.source, [line], keep=KINDS)
    ids, tokens = [*ids, tokenizers.source.eos], tokenizers.target.encode(text)
    weights = np.zeros((len(tokens) + 1, len(ids)), np.float32)
    for place, linked in links.items():
        row = [end > place for _, end in tokenizers.target.decoded_offsets(tokens)].index(True)
        column = [end > linked for _, end in tokenizers.source.offsets(source.text)].index(True)
        weights[row, column] = 1
    found = Translation.of(
        tokenizers,
        source=(source, ids),
        target=(None, [*tokens, tokenizers.target.eos]),
        score=0.0,
        log_prob=0.0,
        attention=weights,
    )
    return Copier(tokenizers, dictionary=dictionary or {}).completed(found, source, ids)


@pytest.mark.parametrize(
    ("line", "text", "links", "expected"),
    [
        # the word that attends to it, without the signs around it
        ("der {a} sagt", "the dog says", {4: 4}, "the {a} says"),
        ("der {a} sagt", "the (dog) says", {5: 4}, "the ({a}) says"),
        # the word that was read, if it is there, whatever attends
        ("der {a} sagt", "the X says", {0: 4}, "the {a} says"),
        ("12 Hund", "12 dog", {3: 0}, "12 dog"),
        ("12 Hund", "the dog", {0: 0}, "12 dog"),
        ("10:30 sagt", "10:30 says", {}, "10:30 says"),
        # each once, in the order of the attention
        ("{a} sagt {b}", "X says X", {0: 7, 7: 0}, "{b} says {a}"),
        ("{a} sagt {b}", "dog says the", {0: 7, 9: 0}, "{b} says {a}"),
        ("5 Hund 5", "5 dog the", {6: 7}, "5 dog 5"),
        ("{{ a  b }} sagt", "X says", {}, "{{ a  b }} says"),
        # on one line
        ("{a\rb} sagt", "X says", {}, "{a b} says"),
        ("der Hund{a}\u2028{b}", "the dog", {0: 0, 4: 4}, "the dog{a} {b}"),
        # no word attends to it: it is written back between words
        ("der Hund {a}", "the dog", {0: 0, 4: 4}, "the dog {a}"),
    ],
)
def test_what_is_written(tokenizers, line, text, links, expected):
    found = completed(tokenizers, line, text, links)

    assert found.text == expected
    assert found.source == line
    spans = found.target_offsets
    assert all(begin <= end <= len(expected) for begin, end in spans)
    assert spans == sorted(spans)


def test_a_dictionary_does_not_replace_it(tokenizers):
    found = completed(tokenizers, "der 12 sagt", "the 12 says", {}, dictionary={"12": "twelve"})

    assert found.text == "the 12 says"


@given(
    st.lists(st.sampled_from(SOURCE_WORDS), max_size=6),
    st.lists(st.sampled_from(["the", "dog", "X", "says.", "12"]), min_size=1, max_size=6),
    st.data(),
)  # fmt: skip
@settings(max_examples=60)
def test_everything_is_kept(tokenizers, words, translated, data):
    line, text = " ".join(words), " ".join(translated)
    ((source,), _) = remainders(tokenizers.source, [line], keep=KINDS)
    if not source.text:
        assert Copier(tokenizers).only(source) == line
        return
    places = st.integers(0, len(text) - 1), st.integers(0, len(source.text) - 1)
    found = completed(tokenizers, line, text, data.draw(st.dictionaries(*places, max_size=6)))

    for kept in ("{a}", "%s", "a@b.de", "ő"):
        assert found.text.count(kept) == words.count(kept)
    assert found.text.count("12") >= words.count("12")


CHINESE = ["下载X个文件。他2019年出生，价格是5元。", "3개 파일을 X를 삭제했다"] * 9
ENGLISH = ["he was born in 2019. download X files: 35"] * 9


@pytest.fixture(scope="module")
def without_spaces():
    """A model whose pieces are letters and signs, from Chinese and Korean to English."""
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=70, byte_fallback=False)
    return tokenizer_training.train([*CHINESE, *ENGLISH], [*CHINESE, *ENGLISH], config)


@pytest.mark.parametrize(
    ("line", "read", "text", "links", "expected"),
    [
        ("下载%d个文件", "下载X个文件", "download X files", {}, "download %d files"),
        ("下载%d个文件", "下载X个文件", "download files", {0: 2}, "%d files"),
        ("download %d files", "download X files", "下载X个文件", {}, "下载%d个文件"),
        ("他2019年出生。", "他2019年出生。", "born in 5.", {8: 1}, "born in 2019."),
        ("价格是5元", "价格是5元", "35元", {0: 3}, "5元"),
        ("%1$s를 삭제", "X를 삭제", "X를", {}, "%1$s를"),
        ("3개 파일", "3개 파일", "files 5", {6: 0}, "files 3"),
    ],
)
def test_in_scripts_without_spaces_it_is_read_and_written_as_elsewhere(
    without_spaces, line, read, text, links, expected
):
    ((remainder,), _) = remainders(without_spaces.source, [line], keep=KINDS)

    assert remainder.text == read
    assert completed(without_spaces, line, text, links).text == expected
