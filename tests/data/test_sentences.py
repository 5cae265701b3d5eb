import sys
import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.sentences import divided, sentences
from nmt.errors import DataError

# Each `|` is the end of a sentence.
LANGUAGES = {
    "German": "Der Hund schläft. |Die Katze rennt! |Warum?",
    "English": "He left... |“Really?” she asked. |(It was late.) |Good night.",
    "French": "Il dort. |« Vraiment ? » |Oui !",
    "Spanish": "¿Qué pasa? |¡Nada! |El gato duerme.",
    "Russian": "Собака спит. |Кошка бежит!",
    "Greek": "Ο σκύλος κοιμάται. |Η γάτα τρέχει.",
    "Greek questions": "Τι κάνεις; |Καλά είμαι. |Εσύ\u037e |«Ναι;» |Τί;",
    "Chinese": "他来了。|她走了！|“真的吗？”|他问。",
    "Japanese": "猫が寝る。|「本当？」|犬が走る．|終わり",
    "Korean": "개가 잔다. |고양이가 달린다.",
    "Hindi": "कुत्ता सोता है। |बिल्ली दौड़ती है।",
    "Arabic": "الكلب نائم. |هل القطة تركض؟ |نعم.",
    "Urdu": "لڑکا سوتا ہے۔ |بلی دوڑتی ہے۔",
    "Hebrew": "הכלב ישן. |החתול רץ!",
    "Armenian": "Շունը քնում է։ |Կատուն վազում է։",
    "Amharic": "ውሻው ተኝቷል። |ድመቷ ትሮጣለች።",
    "Thai": "หมานอน แมววิ่ง",
    "Burmese": "ခွေး အိပ်နေသည်။ |ကြောင် ပြေးသည်။",
    "a document, with <br>": "Er kam.\U000f0000|Sie „ging!“\U000f0001 |Wo?\U000f0002er. |Da.",
    "tokenized": "zwei hunde . |eine ( große ! ) |katze . . . |nein",
}

# There is no sentence within these.
WHOLE = [
    "Dr. Müller kommt am 3. Mai, z. B. mit Fr. Meier.",
    "J. R. R. Tolkien, U.S. Army, 3.50 Euro, e.g. Paris",
    "He said etc. and went.",
    "vgl. Abb. 3 und Nr. 4",
    "Python 3.11 and nmt.data.sentences, www.example.com/A.B?C",
    "yahoo! is a name",
    "３．１４",
    "He came; She went",
    "the angles α; β",
    "α;Β",
    "...",
    "? !",
]


@pytest.mark.parametrize("marked", LANGUAGES.values(), ids=LANGUAGES)
def test_sentences_end_at_the_signs_of_each_script(marked):
    assert sentences(marked.replace("|", "")) == marked.split("|")


@pytest.mark.parametrize("text", WHOLE)
def test_what_ends_no_sentence(text):
    assert sentences(text) == [text]


SIGNS = st.text(st.sampled_from("aBß 3.!?…。？．「」“”\"')»,、।؟\u3000\u2028\t\x85é\u0301😀Dr"))


@given(SIGNS | st.text())
def test_no_character_is_lost_between_sentences(text):
    found = sentences(text)

    assert "".join(found) == text
    assert all(found)


# Parts of at most 12 characters, without the spaces at their ends.
@pytest.mark.parametrize(
    "marked",
    [
        "short",
        "one two, |three four |five; six: |seven",  # behind signs
        "a, b c d e f |g",  # a sign so early would leave a short part
        "one two |three four",  # behind spaces
        "Überschwemmu|ngsgebiete",  # within a word, if nothing else is left
        "猫が寝る、犬が走る、|そして鳥が飛ぶ、終わり。",
        "3,5 Kilo und |4,7 Gramm",
        "\u0915\u093f" * 6 + "|" + "\u0915\u093f" * 2,  # a vowel sign stays with its letter
        "",
    ],
)
def test_a_long_sentence_is_divided_at_the_best_place(marked):
    parts = list(divided(marked.replace("|", ""), lambda part: len(part.strip()) <= 12))

    assert parts == [part for part in marked.split("|") if part]


@given(SIGNS | st.text(), st.integers(0, 9))
def test_parts_fit_and_nothing_is_lost(text, most):
    def size(part):  # which is not that of its characters
        return sum(1 + (ord(each) > 127) for each in part.strip())

    parts = list(divided(text, lambda part: size(part) <= most))

    assert "".join(parts) == text
    for part in parts:
        assert size(part) <= most or regex.fullmatch(r"\X", part)


def test_a_text_of_a_million_characters_is_divided_in_time():
    calls = []

    def fits(part):
        calls.append(len(part))
        return len(part) <= 100

    assert len(list(divided("abc, " * 200_000, fits))) == 10_000
    assert max(calls) < 500
    assert len(calls) < 20 * 10_000


@pytest.mark.parametrize(
    "text",
    [
        "!" * 50_000,
        "Na" + "." * 50_000 + " ja.",
        "! (" * 17_000 + "a",
        "?!)" * 17_000,
        "λ;" * 25_000,
    ],
    ids=["exclamations", "leaders", "open brackets", "mixed", "Greek"],
)
def test_runs_of_signs_take_no_quadratic_time(text):
    started = time.process_time()

    sentences(text)
    list(divided(text, lambda part: len(part) <= 200))

    assert time.process_time() - started < 2  # 0.1 seconds here, and minutes if it were quadratic


def test_sentencex_knows_the_language():
    pytest.importorskip("sentencex")
    text = "Am 3. Mai kommt Dr. Who. Er sagt: „Komm! Jetzt.“ Gut.\u2028Ja."

    german = sentences(text, rules="sentencex", language="de_AT")

    assert german == ["Am 3. Mai kommt Dr. Who. ", "Er sagt: „Komm! Jetzt.“ ", "Gut.\u2028", "Ja."]
    assert "Dr. " in sentences("Dr. Who", rules="sentencex", language="sv")[0]


@given(SIGNS, st.sampled_from(["de", "zh", "hi", "no code"]))
def test_sentencex_loses_nothing(text, language):
    pytest.importorskip("sentencex")

    assert "".join(sentences(text, rules="sentencex", language=language)) == text


def test_sentencex_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencex", None)

    with pytest.raises(DataError, match=r"sentencex is not installed, and decoding\.split"):
        sentences("A. B.", rules="sentencex")
