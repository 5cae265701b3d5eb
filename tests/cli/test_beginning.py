"""`nmt init` writes a configuration with which any corpus can be trained on."""

import gzip
import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nmt import configfile
from nmt.data import corpora, tokenizer_training

THAI = ["แมวนอนหลับ", "สุนัขวิ่งในสวน", "ฉันดื่มชา", "เขากินข้าว"]
ARABIC = ["القطة نائمة على السرير", "الكلب يجري في الحديقة", "أشرب الشاي", "هو يأكل الأرز"]
CHINESE = ["猫在睡觉。", "狗在花园里跑。", "我喝茶。", "他吃饭。"]
ENGLISH = ["The cat is asleep.", "The dog runs in the garden.", "I drink tea.", "He eats rice."]


def mixed(lines, count, *, seed=0):
    """Returns so many lines, each of a few of the given ones."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(lines, k=draw.randint(1, 4))) for _ in range(count)]


TEXTS = {
    "one line": ("es-en", ["Hola."], ["Hello."]),
    "a few": ("es-en", ["Un perro.", "Dos gatos.", ""], ["A dog.", "Two cats.", "x"]),
    "many": ("es-en", mixed(ENGLISH, 12_000), mixed(ENGLISH, 12_000, seed=1)),
    "Chinese": ("zh-en", mixed(CHINESE, 50), mixed(ENGLISH, 50)),
    "Thai": ("th-en", mixed(THAI, 50), mixed(ENGLISH, 50)),
    "Arabic": ("ar-en", mixed(ARABIC, 50), mixed(ENGLISH, 50)),
    "Yoruba": ("yo-en", ["Ọmọ ọ́ ní ilé.", "Bàbá ra ẹ̀wà."], ["A child has a home.", "Beans."]),
    "to Norwegian": ("en-no", ENGLISH, ["Katten sover.", "Hunden løper.", "Jeg drikker te.", "n"]),
}


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Writes training and validation text into the working folder; returns the languages."""
    monkeypatch.chdir(tmp_path)

    def write(name):
        languages, *sides = TEXTS[name]
        for code, lines in zip(languages.split("-"), sides, strict=True):
            for part, some in {"train": lines, "val": lines[:1]}.items():
                text = "".join(f"{line}\n" for line in some)
                Path(f"{part}.{code}").write_text(text, encoding="utf-8")
        return languages

    return write


# Validation is the first line of the training corpus, so that there are few files.
pytestmark = pytest.mark.filterwarnings("ignore:1 of 1 pairs of validation")


def init(nmt, languages, *options):
    return nmt("init", languages, "--train", "train", "--validation", "val", *options)


def test_a_small_network_is_written_where_it_is_wanted(nmt, corpus):
    languages = corpus("many")

    for options, size in (([], 512), (["--small"], 256)):
        code, _, _ = init(nmt, languages, *options, "-o", f"{size}.yaml")
        assert code == 0
        assert configfile.load(f"{size}.yaml").model.encoder.hidden_size == size


@pytest.mark.parametrize("name", TEXTS)
def test_the_configuration_fits_the_text(nmt, corpus, name):
    languages = corpus(name)

    code, out, err = init(nmt, languages)

    assert (code, err) == (0, f"next: nmt train {languages}.yaml\n")
    config = configfile.load(f"{languages}.yaml")
    assert f"{config.data.source}-{config.data.target}" == languages
    assert out.startswith(f"{len(TEXTS[name][1]) - (name == 'a few'):,} pairs to train on, 1 to")
    text = corpora.training(config.data).text
    trained = tokenizer_training.train(text["source"], text["target"], config.tokenizer)
    assert trained.joint == (name not in ("Chinese", "Thai", "Arabic"))
    assert config.tokenizer.normalization == ("nfc" if name == "Yoruba" else "identity")
    unspaced = name in ("Chinese", "Thai")
    assert config.data.word_boundaries == ("unicode" if unspaced else "spaces")


def test_what_was_seen_is_printed(nmt, corpus):
    _, out, _ = init(nmt, corpus("a few"))

    assert out.splitlines() == [
        "2 pairs to train on, 1 to validate with",
        "           words  99 % have up to  characters  99 % have up to  distinct  script",
        "es           2.0                2         9.5               10        12  Latin",
        "en           2.0                2         7.5                9        11  Latin",
        "1 more with an empty side; 0 whose target is the source; 1 of validation have a side that "
        "training has",
    ]


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(
    ("known", "warned"), [(["x"], False), (["x", *ENGLISH[:1]], True), (ENGLISH[1:3], True)]
)
def test_validation_that_training_has_is_warned_of(nmt, corpus, known, warned):
    corpus("one line")
    for code in ("es", "en"):
        Path(f"train.{code}").write_text("".join(f"{line} {code}\n" for line in ENGLISH))
        Path(f"val.{code}").write_text("".join(f"{line} {code}\n" for line in known))

    code, _, err = init(nmt, "es-en")

    number = len({*known} & {*ENGLISH})
    warning = (
        f"nmt: warning: {number} of {len(known)} pairs of validation have a side that training "
        "has, so scores say little of other text; choose other pairs to validate with\n"
    )
    assert (code, warning in err) == (0, warned)


def test_validation_that_cleaning_takes_out_of_training_is_not_warned_of(nmt, corpus):
    languages = corpus("many")
    for code in ("es", "en"):
        lines = Path(f"val.{code}").read_text() + "".join(f"other {n}\n" for n in range(9))
        Path(f"val.{code}").write_text(lines)

    assert init(nmt, languages)[0] == 0

    assert configfile.load("es-en.yaml").data.clean is not None


@pytest.mark.filterwarnings("ignore:1 of 10 pairs of validation")
def test_what_is_mostly_not_translated_is_meant_so(nmt, corpus):
    for code in ("es", "en"):
        lines = [*(f"name {n}" for n in range(700)), *(f"{code} {n}" for n in range(400))]
        Path(f"train.{code}").write_text("\n".join(lines))
        Path(f"val.{code}").write_text("\n".join([lines[-1], *(f"other {n}" for n in range(9))]))

    init(nmt, "es-en")

    assert configfile.load("es-en.yaml").data.clean is None


@pytest.mark.parametrize(("name", "ema"), [("a few", None), ("many", 0.999)])
def test_only_a_long_training_has_a_mean_of_its_last_updates(nmt, corpus, name, ema):
    init(nmt, corpus(name))

    assert configfile.load("es-en.yaml").training.ema == ema


def test_no_file_is_named_that_is_not_there(nmt, corpus):
    init(nmt, corpus("a few"))

    assert "schema" not in Path("es-en.yaml").read_text()


@pytest.mark.slow
def test_the_next_command_trains(nmt, corpus):
    init(nmt, corpus("one line"), "--test", "val")
    small = ["model.embedding_size=4", "model.encoder.hidden_size=3"]
    small += ["model.decoder.hidden_size=4", "training.max_steps=1"]

    code, _, err = nmt("train", "es-en.yaml", *small)

    assert code == 0
    assert err.endswith("next: nmt evaluate runs/es-en\n")


def tsv():
    Path("all.tsv").write_text("Un perro.\tA dog.\n", encoding="utf-8")


def json_lines():
    Path("all.jsonl").write_text('{"es": "Un perro.", "en": "A dog."}\n', encoding="utf-8")


def parquet():
    pq.write_table(pa.table({"es": ["Un perro."], "en": ["A dog."]}), "all.parquet")


def zipped():
    for name, text in {"all.es": "Un perro.\n", "all.en": "A dog.\n"}.items():
        with gzip.open(f"{name}.gz", "wt", encoding="utf-8") as file:
            file.write(text)


def two_files():
    Path("a.txt").write_text("Un perro.\n", encoding="utf-8")
    Path("b.txt").write_text("A dog.\n", encoding="utf-8")


def named_as_the_corpus_of_the_package():
    for name, text in {"embedded.es": "Un perro.\n", "embedded.en": "A dog.\n"}.items():
        Path(name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("write", "paths"),
    [
        (named_as_the_corpus_of_the_package, ["embedded"]),
        (tsv, ["all.tsv"]),
        (json_lines, ["all.jsonl"]),
        (parquet, ["all.parquet"]),
        (zipped, ["all"]),
        (two_files, ["a.txt", "b.txt"]),
    ],
)
def test_corpora_are_found_as_training_finds_them(nmt, corpus, write, paths):
    corpus("a few")
    write()
    options = [option for path in paths for option in ("--train", path)]

    code, out, err = nmt("init", "es-en", *options, "--validation", "val", "-o", "x.yaml")

    assert (code, err) == (0, "next: nmt train x.yaml\n")
    assert out.startswith("1 pairs to train on, 1 to validate with\n")
    text = corpora.training(configfile.load("x.yaml").data).text
    assert [*text["source"], *text["target"]] == ["Un perro.", "A dog."]


def headed():
    Path("all.tsv").write_text("en\tnotes\tes\nA dog.\t-\tUn perro.\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("write", "path"), [(headed, "all.tsv"), (json_lines, "all.jsonl"), (parquet, "all.parquet")]
)
def test_chosen_columns_are_in_the_configuration(nmt, corpus, write, path):
    corpus("a few")
    write()
    for code in ("es", "en"):
        Path(f"val.{code}").rename(f"val.{code}-x")
    options = ["--train", path, "--validation", "val", "--columns", "es,en", "-o", "x.yaml"]

    code, _, err = nmt("init", "es-x:en-x", *options)

    assert (code, err) == (0, "next: nmt train x.yaml\n")
    data = configfile.load("x.yaml").data
    assert (data.train.columns, data.validation.columns) == (("es", "en"), None)
    text = corpora.training(data).text
    assert [*text["source"], *text["target"]] == ["Un perro.", "A dog."]


def test_the_configuration_may_have_any_name(nmt, corpus):
    languages = corpus("a few")

    assert init(nmt, languages, "-o", os.fsdecode(b"a \xff.yaml"))[0] == 0

    text = Path(os.fsdecode(b"a \xff.yaml")).read_text("utf-8")
    assert "#   nmt train 'a \ufffd.yaml'\n" in text


def test_a_file_is_never_overwritten(nmt, corpus, text):
    languages = corpus("a few")
    Path("es-en.yaml").write_text("mine")

    refused = init(nmt, languages)
    other = init(nmt, languages, "--output", "other.yaml")

    message = "nmt: es-en.yaml: exists, and is not overwritten; choose another with --output\n"
    assert refused == (2, "", message)
    assert other[0] == 0
    assert Path("es-en.yaml").read_text() == "mine"


def unequal():
    Path("train.en").write_text("A dog.\n", encoding="utf-8")


def test_codes_with_hyphens_have_a_colon_between_them(nmt, corpus):
    corpus("Chinese")
    for part in ("train", "val"):
        Path(f"{part}.zh").rename(f"{part}.zh-TW")

    code, _, err = init(nmt, "zh-TW:en")

    assert (code, err) == (0, "next: nmt train zh-TW-en.yaml\n")
    data = configfile.load(Path("zh-TW-en.yaml"), []).data
    assert data.languages == ("zh-TW", "en")


def empty():
    for code in ("es", "en"):
        Path(f"train.{code}").write_text("")


def blank():
    Path("train.en").write_text("\n \n\n")


NO_CODES = (
    "not SOURCE-TARGET, the endings of both files, as in es-en; codes with hyphens have a colon "
    "between them, as in zh-TW:en"
)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (None, ["esen"], f"esen: {NO_CODES}"),
        (None, ["zh-TW-en"], f"zh-TW-en: {NO_CODES}"),
        (None, ["es:en:fr"], f"es:en:fr: {NO_CODES}"),
        (None, ["a/es-en"], f"a/es-en: {NO_CODES}"),
        (
            None,
            ["es-fr"],
            "train.fr: no such file, nor with .gz, .bz2, .xz or .zst at its end",
        ),
        (
            None,
            ["es-en", "--test", "none"],
            "none.es: no such file, nor with .gz, .bz2, .xz or .zst at its end",
        ),
        (
            None,
            ["es-en", "--test", "val.es"],
            "val.es: one file of two; give --test their prefix, without .es and .en, or --test "
            "twice, with the source first",
        ),
        (
            None,
            ["es-en", "--test", "val.en", "--test", "val.es"],
            "val.en and val.es: give --test the source first, val.es",
        ),
        (
            None,
            ["es-en", "--train", "a", "--train", "b"],
            "--train is given once, or twice for a pair of text files",
        ),
        (
            unequal,
            ["es-en"],
            "train.es has 3 lines and train.en has 1: line n of one must be the translation of "
            "line n of the other",
        ),
        (empty, ["es-en"], "train.es and train.en: the corpus is empty"),
        (blank, ["es-en"], "none of the 3 training pairs has text on both sides"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_named(nmt, corpus, change, arguments, message):
    corpus("a few")
    if change:
        change()

    assert init(nmt, *arguments) == (2, "", f"nmt: {message}\n")
    assert not Path("es-en.yaml").exists()


def test_a_configuration_that_does_not_exist_is_one_to_begin_with(nmt, tmp_path):
    _, _, err = nmt("train", tmp_path / "none.yaml")

    assert err == (
        f"nmt: {tmp_path / 'none.yaml'}: no such configuration file; `nmt init` writes one for "
        "your text, as in `nmt init es-en --train DIR/train --validation DIR/val`\n"
    )


def test_it_starts_without_the_libraries_that_take_long(corpus):
    languages = corpus("a few")
    command = ["nmt", "init", languages, "--train", "train", "--validation", "val"]
    code = f"""
import sys
from nmt import cli
sys.argv = {command}
try:
    cli.main()
except SystemExit:
    pass
print({{"jax", "flax", "datasets", "pyarrow", "matplotlib"}} & set(sys.modules))
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("\nset()\n")
    assert Path("es-en.yaml").exists()
