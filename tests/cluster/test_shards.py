"""Which files are the shards of a corpus, where their results lie, and which are finished."""

import os
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


def test_a_name_that_looks_like_a_pattern_is_a_name_where_there_is_such_a_file(folder):
    Path("in/c[1].txt").write_text("")
    Path("in/c1.txt").write_text("")

    assert corpus.find(["in/c[1].txt"]) == [Path("in/c[1].txt")]
    Path("in/c[1].txt").unlink()
    assert corpus.find(["in/c[1].txt"]) == [Path("in/c1.txt")]


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


def test_a_broken_link_is_a_file_of_the_corpus_and_a_pipe_is_refused(folder):
    Path("in/e.de").symlink_to("nowhere")
    assert corpus.find(["in/e*"]) == [Path("in/e.de")]

    os.mkfifo("in/f.de")
    with pytest.raises(DataError, match=r"^in/f\.de: is no regular file, which can be read twice;"):
        corpus.find(["in/*.de"])


SAME = [("in", "in/a.de.gz"), ("in/../in", "in/../in/a.de.gz"), ("link", "link/a.de.gz")]


@pytest.mark.parametrize(("output", "result"), SAME)
def test_a_result_cannot_replace_a_source(folder, output, result):
    Path("link").symlink_to("in")

    with pytest.raises(DataError) as error:
        corpus.shards([Path("in/a.de.gz")], folders=[Path("out"), Path(output)])

    assert str(error.value) == (
        f"{result}: is a source, which the result of in/a.de.gz would replace; give another folder "
        "for results"
    )


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


def is_finished(shard, how):
    return records.is_finished(shard, records.of(shard, how))


def finish(shard, how=HOW):
    records.save(shard, records.of(shard, how))
    for path in shard.results:
        path.write_text("done")


def test_a_shard_with_its_results_is_finished(shard):
    finish(shard)

    assert is_finished(shard, HOW)


def test_a_shard_without_one_of_its_results_is_done_again(shard):
    finish(shard)
    shard.results[1].unlink()

    assert not is_finished(shard, HOW)


def test_a_record_alone_is_of_a_shard_that_was_not_finished(shard):
    finish(shard)
    for path in shard.results:
        path.unlink()

    assert not is_finished(shard, HOW | {"model": "y"})


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
        is_finished(shard, HOW | how)

    assert message in str(error.value)


@pytest.mark.parametrize("record", [None, "", "{", "[]"])
def test_a_file_that_is_no_result_is_not_overwritten(shard, record):
    shard.results[0].write_text("precious")
    if record is not None:
        Path("out/.a.de.gz.json").write_text(record)

    with pytest.raises(
        DataError, match=r"out/a\.de\.gz: exists, and is no finished result of in/a"
    ):
        is_finished(shard, HOW)
