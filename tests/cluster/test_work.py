"""A corpus from end to end, where a lazy loop stands for Ray Data."""

import gzip
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from nmt.cluster import corpus, work
from nmt.cluster.job import Job
from nmt.cluster.pool import Opened
from nmt.data import files
from nmt.errors import DataError


class Rows:
    """The part of a dataset of Ray Data that is used, lazy as it is."""

    def __init__(self, rows):
        self.rows = rows

    def flat_map(self, function):
        return Rows(each for row in self.rows for each in function(row))

    def map(self, kind, *, fn_constructor_args, **_):
        return Rows(map(kind(*fn_constructor_args), self.rows))

    def iter_rows(self):
        return iter(self.rows)


def from_items(items, **_):
    return Rows({"item": each} for each in items)


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NPROC", "1")
    context = SimpleNamespace(execution_options=SimpleNamespace())
    data = SimpleNamespace(
        from_items=from_items,
        DataContext=SimpleNamespace(get_current=lambda: context),
        ActorPoolStrategy=dict,
    )
    for name in "abc":
        Path(f"{name}.de").write_text("".join(f"{name}{number}\n" for number in range(5)))
    return Opened(SimpleNamespace(data=data), 1, 1, 0)


def read(sources):
    return files.lines(sources[0])


def write(loaded, rows, before):
    return ["".join(f"{row.upper()}\n" for row in rows)]


def shards(*names):
    return corpus.shards(list(map(Path, names)), folders=[Path("out")])


def process(pool, found, *, read=read, write=write):
    work.process(found, Job(read, dict, write, 2), pool, how={})


UPPER = "A0\nA1\nA2\nA3\nA4\n"


def test_a_folder_that_another_command_works_on_is_left_alone(pool):
    Path("out").mkdir()
    before = Path("out/.a.de.part")
    before.write_text("of the other command")

    with (
        FileLock("out/.nmt.lock"),
        pytest.raises(DataError, match=r"^out: another command works on this folder; wait for it"),
    ):
        process(pool, shards("a.de"))

    assert before.read_text() == "of the other command"
    process(pool, shards("a.de"))
    assert Path("out/a.de").read_text() == UPPER


def test_a_file_with_part_at_its_end_is_no_matter(pool):
    Path("out").mkdir()
    Path("out/a.de.part").write_text("precious")

    process(pool, shards("a.de"))

    assert Path("out/a.de.part").read_text() == "precious"
    names = sorted(path.name for path in Path("out").iterdir())
    assert [name for name in names if name != ".nmt.lock"] == [".a.de.json", "a.de", "a.de.part"]


def test_a_source_that_cannot_be_read_holds_nothing_up(pool, capsys):
    Path("b.de").unlink()
    Path("b.de").symlink_to("nowhere")
    Path("d.gz").write_bytes(gzip.compress(b"d0\n" * 9)[:-9])
    found = shards("a.de", "b.de", "c.de", "d.gz")

    for _ in range(2):
        with pytest.raises(DataError) as error:
            process(pool, found)
        first, second = str(error.value).splitlines()
        assert first == "b.de: cannot be read (No such file or directory)"
        assert second.startswith("d.gz: cannot be read after line ")

    assert Path("out/a.de").read_text() == UPPER
    assert Path("out/c.de").exists()
    assert not Path("out/d.gz").exists()
    assert "2 of 4 shards are finished\n" in capsys.readouterr().err


@pytest.mark.parametrize("lines", [0, 3, 4])
def test_a_shard_has_its_name_before_the_next_one_is_read(pool, lines):
    Path("a.de").write_text("a\n" * lines)
    there = []

    def watched(sources):
        if sources[0] == Path("b.de"):
            there.append(Path("out/a.de").exists())
        return read(sources)

    process(pool, shards("a.de", "b.de"), read=watched)

    assert there == [True]


def test_a_line_that_is_too_long_for_the_memory_is_named_and_holds_nothing_up(pool):
    Path("b.de").write_text(f"b\nb\nb\n{'b' * 100}\nb\n")

    def limited(loaded, rows, before):
        if any(len(row) > 50 for row in rows):
            raise MemoryError
        return write(loaded, rows, before)

    with pytest.raises(DataError) as error:
        process(pool, shards("a.de", "b.de", "c.de"), write=limited)

    assert str(error.value) == (
        "b.de: not enough memory for lines 3 to 4; line 4 is the longest: make it shorter, or give "
        "the processes more memory"
    )
    assert Path("out/a.de").read_text() == UPPER
    assert Path("out/c.de").exists()
    assert not Path("out/b.de").exists()
