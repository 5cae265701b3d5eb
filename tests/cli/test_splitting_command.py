"""`nmt split`: each pair is in one of the texts, in its order, and `nmt init` reads them."""

import json
from itertools import chain

import pytest


def read(prefix):
    source, target = (
        prefix.with_suffix(ending).read_text().splitlines() for ending in (".de", ".en")
    )
    return list(zip(source, target, strict=True))


@pytest.fixture
def corpus(tmp_path):
    """The prefix of 60 pairs, of which the last two are the same."""
    pairs = [(f"Satz {n}", f"sentence number {n}") for n in range(59)]
    pairs.append(pairs[-1])
    for side, code in enumerate(("de", "en")):
        (tmp_path / f"all.{code}").write_text("".join(f"{pair[side]}\n" for pair in pairs))
    return tmp_path / "all"


def test_each_pair_is_in_one_text(nmt, corpus, tmp_path):
    code, out, err = nmt(
        "split",
        "de-en",
        "--corpus",
        corpus,
        "-o",
        tmp_path / "o ut",
        "--validation",
        7,
        "--test",
        5,
    )

    assert (code, out) == (0, "")
    parts = [read(tmp_path / "o ut" / name) for name in ("train", "val", "test")]
    assert [len(part) for part in parts] == [48, 7, 5]
    whole = read(corpus)
    for part in parts:
        places = [whole.index(pair) for pair in part]
        assert places == sorted(places)
    assert sorted(chain(*parts)) == sorted(whole)
    folder = tmp_path / "o ut"
    assert err == (
        f"pairs: 48 in {folder}/train, 7 in {folder}/val, 5 in {folder}/test\n"
        f"next: nmt init de-en --train '{folder}/train' --validation '{folder}/val' "
        f"--test '{folder}/test'\n"
    )


def test_a_table_is_divided_and_a_configuration_written_for_it(nmt, tmp_path):
    table, folder = tmp_path / "all.jsonl", tmp_path / "texts"
    rows = [{"zh-TW": f"句 {n} 。", "en": f"sentence {n} ."} for n in range(40)]
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))

    code, _, err = nmt(
        "split", "zh-TW:en", "--corpus", table, "-o", folder, "--validation", 9, "--test", 0
    )

    assert code == 0
    assert "nmt init zh-TW:en --train" in err
    assert not (folder / "test.en").exists()
    code, out, err = nmt(
        "init", "zh-TW:en", "--train", folder / "train", "--validation", folder / "val",
        "-o", tmp_path / "new.yaml",
    )  # fmt: skip
    assert code == 0
    assert "31 pairs to train on, 9 to validate with" in out


def test_columns_of_a_table_are_chosen(nmt, tmp_path):
    table, folder = tmp_path / "all.tsv", tmp_path / "texts"
    rows = [f"{n}\tsentence {n}\tSatz {n}\n" for n in range(9)]
    table.write_text("".join(["id\tenglish\tgerman\n", *rows]))
    command = ["split", "de-en", "--corpus", table, "-o", folder, "--validation", 2, "--test", 0]

    refused, _, message = nmt(*command)
    code, _, _ = nmt(*command, "--columns", "german,english")

    assert refused == 2
    assert message == (
        f"nmt: {table}, line 1: 3 columns between tabs, not 2; a file with a header or further "
        "columns needs `columns: [SOURCE, TARGET]` in a configuration, or --columns SOURCE,TARGET "
        "without one\n"
    )
    assert code == 0
    pairs = read(folder / "train") + read(folder / "val")
    assert sorted(pairs) == [(f"Satz {n}", f"sentence {n}") for n in range(9)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--validation", 60], "60 pairs cannot be held out: of 60 pairs, 58 share no sentence"),
        (["--corpus", "a", "--corpus", "b"], "--corpus is given once, or twice for a pair"),
        (
            ["--columns", "de,en"],
            "--columns are those of a TSV, JSON lines or Parquet, and plain text has none: leave "
            "it out",
        ),
        (["--columns", "de"], "--columns de: not SOURCE,TARGET, the names of two columns, as in"),
        (["--columns", "de,"], "--columns de,: not SOURCE,TARGET, the names of two columns, as in"),
        (["--columns", "a,a"], "--columns a,a: not SOURCE,TARGET, the names of two columns, as in"),
        (["--columns", "a,b,c"], "--columns a,b,c: not SOURCE,TARGET, the names of two columns"),
        (["-o", "all.de/x"], "all.de/x: cannot be written"),
    ],
)
def test_a_mistake_is_one_line(nmt, corpus, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)

    code, _, err = nmt(
        "split", "de-en", "--corpus", "all", "-o", "new", "--validation", 5, "--test", 0, *arguments
    )

    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_texts_are_not_overwritten(nmt, corpus, tmp_path):
    kept = tmp_path / "val.en"
    kept.write_text("mine\n")

    code, _, err = nmt("split", "de-en", "--corpus", corpus, "-o", tmp_path)

    assert code == 2
    assert f"{kept}: exists, and is not overwritten; choose another --output" in err
    assert kept.read_text() == "mine\n"


def test_both_sides_need_files_of_their_own(nmt, corpus, tmp_path):
    code, _, err = nmt("split", "de-de", "--corpus", corpus, "-o", tmp_path / "new")

    assert code == 2
    file = tmp_path / "new" / "train.de"
    assert f"de-de: both sides would be written to {file}; give two codes, as in de:de-CH" in err
    assert not (tmp_path / "new").exists()


def test_languages_need_their_form(nmt, corpus, tmp_path):
    code, _, err = nmt("split", "zh-TW-en", "--corpus", corpus, "-o", tmp_path / "new")

    assert code == 2
    assert "zh-TW-en: not SOURCE-TARGET, the endings of both files, as in es-en; codes with" in err
