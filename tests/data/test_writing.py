"""Where an output goes: into a file that is complete, or through what is no file."""

import bz2
import gzip
import lzma
import os
import re
import stat
import subprocess

import pyarrow as pa
import pytest

from nmt.data import files, writing
from nmt.errors import DataError

TEXT = "你好。\nשלום\n"
UNPACK = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda data: pa.input_stream(pa.BufferReader(data), compression="zstd").read(),
    ".GZ": gzip.decompress,
    ".txt": bytes,
}


def put(path, text=TEXT):
    with writing.text(path) as out:
        out.write(text)


@pytest.mark.parametrize("ending", UNPACK)
def test_the_ending_chooses_the_compression(tmp_path, ending):
    path = tmp_path / f"out{ending}"

    put(path)

    assert UNPACK[ending](path.read_bytes()).decode("utf-8") == TEXT
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_text_is_the_same_archive(tmp_path):
    for name in ("one.gz", "another.gz"):
        put(tmp_path / name)

    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "another.gz").read_bytes()


@pytest.mark.parametrize("ending", [ending for ending in UNPACK if ending != ".txt"])
def test_damage_of_an_archive_is_found(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    put(path, "".join(map(chr, range(0x4E00, 0x5000))))  # hardly compressed
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    with pytest.raises(DataError, match=rf"out{ending}: cannot be read after line 0"):
        list(files.lines(path))


def test_a_file_has_its_name_only_when_it_is_complete(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")

    with pytest.raises(ZeroDivisionError), writing.text(path) as out:
        out.writelines(f"{6 // number}" for number in (2, 0))

    assert path.read_text() == "old"
    assert (tmp_path / "out.part").read_text() == "3"


def test_what_is_incomplete_and_empty_is_removed(tmp_path):
    with pytest.raises(ZeroDivisionError), writing.text(tmp_path / "out") as out:
        out.write(f"{1 // 0}")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("old", ["old", None])
def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path, old):
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    if old is not None:
        target.write_text(old)
    link.symlink_to(target)

    put(link)

    assert link.readlink() == target
    assert target.read_text(encoding="utf-8") == TEXT
    assert sorted(tmp_path.rglob("*")) == sorted([target.parent, target, link])


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_pipe_is_written_through(tmp_path, through_a_link):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)

    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        put(link if through_a_link else pipe)
        assert reader.stdout.read().decode("utf-8") == TEXT

    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [link, pipe]


def test_an_archive_goes_through_a_pipe_too(tmp_path):
    os.mkfifo(tmp_path / "pipe.xz")

    with subprocess.Popen(["cat", tmp_path / "pipe.xz"], stdout=subprocess.PIPE) as reader:
        put(tmp_path / "pipe.xz")
        assert lzma.decompress(reader.stdout.read()).decode("utf-8") == TEXT


@pytest.mark.parametrize("place", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_what_is_open_already_keeps_what_it_has(tmp_path, place):
    with (tmp_path / "redirected").open("a+") as file:
        file.write("before\n")
        file.flush()
        place = tmp_path.__class__(place.format(file.fileno()))
        assert not writing.is_replaced(place)

        put(place)

        file.write("after\n")
    assert (tmp_path / "redirected").read_text(encoding="utf-8") == f"before\n{TEXT}after\n"


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/stderr", "/dev/../dev/fd/1", "/dev/null"])
def test_devices_are_never_replaced(tmp_path, name):
    assert not writing.is_replaced(tmp_path.__class__(name))


@pytest.mark.parametrize("other", ["out", "folder/../out", "link", "out.part"])
def test_two_outputs_are_two_files_whatever_their_spelling(tmp_path, other):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("out")
    out, name = tmp_path / "out", tmp_path / other

    with pytest.raises(DataError, match=re.escape(f"{out}: --one and --two need a file each")):
        writing.check_distinct(out, name, options=("--one", "--two"))
    writing.check_distinct(out, tmp_path / "folder" / "out", options=("--one", "--two"))
    writing.check_distinct(out, None, options=("--one", "--two"))


@pytest.mark.parametrize("name", ["-", "/dev/null"])
def test_two_outputs_may_go_through_one_device(tmp_path, name):
    place = tmp_path.__class__(name)

    writing.check_distinct(place, place, options=("--one", "--two"))


def test_a_reader_that_ends_is_no_mistake_in_the_name(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    head = ["head", "-c", "1", tmp_path / "pipe"]
    with subprocess.Popen(head, stdout=subprocess.DEVNULL), pytest.raises(BrokenPipeError):
        put(tmp_path / "pipe", "x" * 2**20)


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()

    for path, reason in {
        tmp_path: "Is a directory",
        tmp_path / "none" / "out": "No such file or directory",
        tmp_path / "file" / "out": "Not a directory",
        tmp_path / "loop": "Too many levels of symbolic links",
    }.items():
        message = re.escape(f"{path}: cannot be written ({reason})")
        with pytest.raises(DataError, match=f"{message}$"):
            put(path)
