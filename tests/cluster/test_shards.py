"""Which files are the shards of a corpus, where their results lie, and which are finished."""

from pathlib import Path

import pytest

from nmt.cluster import corpus, records
from nmt.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.de.gz", "a.de.gz", "c.jsonl.zst", "d.parquet", "other/a.de.gz"):
        path = Path("in", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def test_files_are_found_by_patterns_each_once_and_in_order(folder):
    found = corpus.find(["in/b*", "in/*.gz", "in/**/a.de.gz"])

    assert list(map(str, found)) == ["in/b.de.gz", "in/a.de.gz", "in/other/a.de.gz"]


def test_a_result_has_the_name_of_its_shard_and_text_from_a_table_an_ending(folder):
    sources = corpus.find(["in/*.*"])

    shards = corpus.shards(sources, folders=[Path("out"), Path("links")])

    assert [[str(path) for path in shard.results] for shard in shards] == [
        ["out/a.de.gz", "links/a.de.gz"],
        ["out/b.de.gz", "links/b.de.gz"],
        ["out/c.jsonl.zst.txt", "links/c.jsonl.zst.txt"],
        ["out/d.parquet.txt", "links/d.parquet.txt"],
    ]


def test_the_sides_of_pairs_are_joined_in_order(folder):
    one, two = corpus.shards(*[corpus.find(["in/*.gz"])] * 2, folders=[Path("out")])

    assert one.sources == (Path("in/a.de.gz"),) * 2
    assert str(two) == "in/b.de.gz and in/b.de.gz"


WRONG = [
    ([["in/*.en"]], r"in/\*\.en: no such files"),
    ([["in"]], "in: no such files; name those in it, as in 'in/*'"),
    ([["in/**/a.de.gz"]], "out/a.de.gz: would be the result of in/a.de.gz and of in/other/a.de.gz"),
    ([["in/*.gz"], ["in/d*"]], "2 files of sources and 1 of targets"),
]


@pytest.mark.parametrize(("patterns", "message"), WRONG)
def test_a_corpus_that_cannot_be_is_refused(folder, patterns, message):
    with pytest.raises(DataError) as error:
        corpus.shards(*map(corpus.find, patterns), folders=[Path("out")])

    assert str(error.value).startswith(message.replace("\\", ""))


@pytest.fixture
def shard(folder):
    (found,) = corpus.shards([Path("in/a.de.gz")], folders=[Path("out"), Path("links")])
    for path in found.results:
        path.parent.mkdir()
    return found


HOW = {"model": "x", "decoding.beam": 5, "--column": ("a", "b")}


def finish(shard, how=HOW):
    ((_, record),) = records.unfinished([shard], how)
    records.save(shard, record)
    for path in shard.results:
        path.write_text("done")


def test_a_shard_with_its_results_is_finished(shard):
    finish(shard)

    assert list(records.unfinished([shard], HOW)) == []


def test_a_shard_without_one_of_its_results_is_done_again(shard):
    finish(shard)
    shard.results[1].unlink()

    assert [each for each, _ in records.unfinished([shard], HOW)] == [shard]


def test_a_record_alone_is_of_a_shard_that_was_not_finished(shard):
    finish(shard)
    for path in shard.results:
        path.unlink()

    ((_, record),) = records.unfinished([shard], HOW | {"model": "y"})

    assert record["model"] == "y"


CHANGES = [
    ("in/a.de.gz", {}, "out/a.de.gz: was made with another source; give"),
    (None, {"model": "y", "decoding.beam": 1}, "was made with another model and decoding.beam;"),
    (None, {"--column": ("a",)}, "was made with another --column;"),
]


@pytest.mark.parametrize(("rewritten", "how", "message"), CHANGES)
def test_a_changed_input_or_setting_is_noticed(shard, rewritten, how, message):
    finish(shard)
    if rewritten:
        Path(rewritten).write_text("another text")

    with pytest.raises(DataError) as error:
        list(records.unfinished([shard], HOW | how))

    assert message in str(error.value)


@pytest.mark.parametrize("record", [None, "", "{", "[]"])
def test_a_file_that_is_no_result_is_not_overwritten(shard, record):
    shard.results[0].write_text("precious")
    if record is not None:
        Path("out/.a.de.gz.json").write_text(record)

    with pytest.raises(
        DataError, match=r"out/a\.de\.gz: exists, and is no finished result of in/a"
    ):
        list(records.unfinished([shard], HOW))
