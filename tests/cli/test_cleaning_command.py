"""`nmt clean` writes what training reads, and training tells the same counts."""

import gzip
import re
from pathlib import Path

import pytest
from tiny import tree

from nmt import configfile
from nmt.run import Run

CHINESE = [
    "我喝茶。",
    "他喝咖啡。",
    "我喝茶。",
    "未翻译的句子",
    "2003.12.1",
    "你好吗？",
    "猫在睡觉。",
]
ENGLISH = [
    "I drink tea.",
    "He drinks coffee.",
    "I drink tea.",
    "未翻译的句子",
    "2003.12.1",
    "How are you?",
    "The\tcat is asleep.",
]
TABLE = """\
7  pairs
0  empty
0  too long
0  of too uneven length
1  with few letters
1  in another script
0  not translated
1  in validation or test
1  repeated
3  kept
"""
TABLE_OF_BOTH = """\
10  pairs
 0  empty
 0  too long
 0  of too uneven length
 1  with few letters
 1  in another script
 0  not translated
 0  in validation or test
 1  repeated
 7  kept
"""


@pytest.fixture
def chinese(text):
    """Seven pairs, of which three are good, and a validation set that has the sixth."""
    text("val.zh", "你好吗")
    text("val.en", "How do you do?")
    return text("a.zh", *CHINESE), text("a.en", *ENGLISH)


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_two_files_are_cleaned_and_each_reason_is_counted(nmt, tmp_path, chinese, held_out):
    source, target = chinese

    code, out, err = nmt(
        *("clean", "--source", source, "--target", target, "-o", tmp_path / "clean"),
        *("--removed", tmp_path / "removed.tsv", f"data.{held_out}={tmp_path / 'val'}"),
    )

    assert (code, out, err) == (0, "", TABLE)
    assert (tmp_path / "clean.zh").read_text("utf-8").splitlines() == [*CHINESE[:2], CHINESE[6]]
    assert (tmp_path / "clean.en").read_text("utf-8").splitlines() == [*ENGLISH[:2], ENGLISH[6]]
    assert (tmp_path / "removed.tsv").read_text("utf-8").splitlines() == [
        "repeated\t我喝茶。\tI drink tea.",
        "in another script\t未翻译的句子\t未翻译的句子",
        "with few letters\t2003.12.1\t2003.12.1",
        "in validation or test\t你好吗？\tHow are you?",
    ]
    assert not (tmp_path / "clean.align").exists()


def test_settings_are_those_of_a_configuration(nmt, tmp_path, chinese):
    source, target = chinese

    code, _, err = nmt(
        *("clean", "--source", source, "--target", target, "-o", tmp_path / "clean"),
        *("data.clean.duplicates=false", "data.clean.min_letters=0", "data.clean.max_ratio=null"),
        "data.clean.min_script=0",
    )

    assert code == 0
    assert err.splitlines()[6:] == [
        *("2  not translated", "0  in validation or test", "0  repeated", "5  kept")
    ]


def configuration(folder, *train, **data):
    settings = configfile.validate(
        {
            **tree(folder / "run", folder, vocabulary=56, max_steps=1),
            "data": {
                "source": "zh",
                "target": "en",
                "train": list(train),
                "validation": str(folder / "val"),
                "batch": {"sentences": 2, "buckets": 1},
                **data,
            },
        }
    )
    (folder / "c.yaml").write_text(configfile.dump(settings), encoding="utf-8")
    return folder / "c.yaml"


def test_a_configuration_writes_the_corpora_that_its_training_reads(nmt, tmp_path, text, chinese):
    text("b.zh", "我喝茶。", "狗在叫。")
    text("b.fr", "Je bois du thé.", "Le chien aboie.")
    text("b.align", "0-0", "0-2 0-1")
    path = configuration(
        tmp_path,
        {"path": str(tmp_path / "a"), "source_tag": "<2en>"},
        {
            "path": str(tmp_path / "b"),
            "languages": ["zh", "fr"],
            "source_tag": "<2fr>",
            "alignments": str(tmp_path / "b.align"),
        },
        validation={"path": str(tmp_path / "val"), "source_tag": "<2en>"},
    )

    code, _, err = nmt("clean", path, "-o", tmp_path / "clean")

    assert (code, err.splitlines()[-1]) == (0, "5  kept")
    sources = (tmp_path / "clean.zh").read_text("utf-8").splitlines()
    assert sources == [
        *("<2en> 我喝茶。", "<2en> 他喝咖啡。", "<2en> 猫在睡觉。"),
        *("<2fr> 我喝茶。", "<2fr> 狗在叫。"),
    ]
    targets = (tmp_path / "clean.en").read_text("utf-8").splitlines()
    assert targets[3:] == ["Je bois du thé.", "Le chien aboie."]
    links = (tmp_path / "clean.align").read_text("utf-8").splitlines()
    assert links == ["", "", "", "1-0", "1-1 1-2"]


@pytest.mark.filterwarnings("ignore:.*there are other words by")
@pytest.mark.parametrize("boundaries", ["spaces", "unicode"])
def test_links_count_the_words_that_the_configuration_counts(nmt, tmp_path, text, boundaries):
    links = {"spaces": "0-0 0-1 1-2", "unicode": "0-0 1-0 1-1 2-2"}[boundaries]
    text("a.zh", "一\u00a0二 三")
    text("a.en", "one two three")
    text("a.align", links)
    text("val.zh", "四")
    text("val.en", "four")
    path = configuration(
        tmp_path,
        {"path": str(tmp_path / "a"), "alignments": str(tmp_path / "a.align")},
        word_boundaries=boundaries,
    )

    code, _, err = nmt("clean", path, "-o", tmp_path / "clean")

    assert code == 0, err
    assert (tmp_path / "clean.align").read_text("utf-8") == f"{links}\n"


def test_a_training_of_several_languages_tells_what_it_reads_and_knows_its_tags(
    nmt, tmp_path, text, chinese
):
    text("b.zh", "我喝茶。", "狗在叫。", "我喝水。")
    text("b.fr", "Je bois du thé.", "Le chien aboie.", "Je bois de l'eau.")
    french = {"path": str(tmp_path / "b"), "languages": ["zh", "fr"]}
    path = configuration(
        tmp_path,
        {"path": str(tmp_path / "a"), "source_tag": "<2en>", "weight": 0.5},
        {**french, "source_tag": "<2fr>", "weight": 2},
        validation={"path": str(tmp_path / "val"), "source_tag": "<2en>"},
        clean={"held_out": None},
    )

    code, _, err = nmt("train", path)

    assert code == 0, err
    assert f"data.clean:\n{TABLE_OF_BOTH}" in err
    pieces = Run.open(tmp_path / "run").tokenizers().source
    assert pieces.pieces(pieces.encode("<2fr> 狗"))[:2] == ["▁", "<2fr>"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "x"], "nmt clean takes a configuration, or --source FILE and --target FILE"),
        (["c.yaml", "d.yaml", "-o", "x"], "nmt clean takes a configuration, or --source FILE and"),
        (["--source", "a.zh", "-o", "x"], "nmt clean takes a configuration, or --source FILE and"),
        (
            ["c.yaml", "--source", "a.zh", "--target", "a.en", "-o", "x"],
            "nmt clean takes a configuration, or --source FILE and --target FILE",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "a"],
            "a.zh: is read, so it cannot be written; choose another name",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "val", "data.validation=val"],
            "val.zh: is read, so it cannot be written; choose another name",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", "--removed", "a.en"],
            "a.en: is read, so it cannot be written; choose another name",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", "--removed", "x.en"],
            "x.en: is a file of the cleaned corpus; choose another for --removed",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", "--removed", "x.en.part"],
            "x.en.part: is a file of the cleaned corpus; choose another for --removed",
        ),
        (
            ["--source", "a.zh", "--target", "val.zh", "-o", "x"],
            "both sides would be written to x.zh; name the languages, as in data.source=de "
            "data.target=en",
        ),
        (
            ["--source", "x.zh.part", "--target", "a.en", "-o", "x", "data.source=zh"],
            "x.zh: is first written as x.zh.part, which is read; choose another name",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", "--removed", "loop"],
            "loop: cannot be written (Too many levels of symbolic links)",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "."],
            ".: a folder; give the prefix of the files, such as clean\n",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", ".."],
            "..: a folder; give the prefix of the files, such as ../clean\n",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "/"],
            "/: a folder; give the prefix of the files, such as /clean\n",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "folder"],
            "folder: a folder; give the prefix of the files, such as folder/clean\n",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", "data.source=a/../b"],
            "data.source=a/../b: no file name ends so; give a code, as in data.source=de\n",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", "data.target=''"],
            "data.target=: no file name ends so; give a code, as in data.target=de\n",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", r'data.validation="\ud800"'],
            r'data.validation="\ud800", line 1: not valid YAML (NUL, or half of a surrogate pair, '
            "is no character of a text)\n",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", r'data.source="\0"'],
            r'data.source="\0", line 1: not valid YAML (NUL, or half of a surrogate pair, is no '
            "character of a text)\n",
        ),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", "data.clean.held_out=source"],
            "data.clean.held_out is about other text: give data.validation or data.test\n",
        ),
        (["--source", "a.zh", "--target", "no.en", "-o", "x"], "no.en: no such file"),
        (["--source", "a.zh", "--target", "a.en", "-o", "no/x"], "no/x.zh: cannot be written"),
        (
            ["--source", "a.zh", "--target", "a.en", "-o", "x", "data.clean.min_word=3"],
            "data.clean.min_word: unknown key; did you mean data.clean.min_script?",
        ),
    ],
)
def test_a_mistake_is_one_line(nmt, tmp_path, chinese, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    Path("x.zh.part").write_bytes(before := Path("a.zh").read_bytes())

    code, out, err = nmt("clean", *arguments)

    assert (code, out) == (2, "")
    assert Path("x.zh.part").read_bytes() == before
    assert re.search(f"^nmt: {re.escape(message)}", err)
    assert err.count("\n") == 1
    assert not (tmp_path / "x.zh").exists()


def test_what_would_hide_a_compressed_corpus_is_not_written(nmt, tmp_path, chinese, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in chinese:
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    config = configuration(tmp_path, {"path": "a"}, clean={"held_out": None})

    code, out, err = nmt("clean", config, "-o", "./a")

    assert (code, out) == (2, "")
    assert err == "nmt: a.zh: is read, so it cannot be written; choose another name\n"
    assert not any(path.exists() for path in chinese)
