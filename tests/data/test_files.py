"""Text files: what is a line, and every refusal."""

import bz2
import gzip
import lzma
import os
import re
import subprocess

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nmt.config.endings import COMPRESSED, is_table, language, suffix
from nmt.data import compression, files
from nmt.errors import DataError

# Everything but the end of a line; the three that Python's splitlines would cut at come often.
characters = st.sampled_from('\u2028\x0b\x85\x00\t" ä') | st.characters(
    exclude_categories=["Cs"], exclude_characters="\n"
)
sentences = st.text(characters, max_size=8).filter(
    lambda text: not text.endswith("\r") and not text.startswith("\ufeff")
)


# Arrow's own Zstandard is another one than that of the code under test.
COMPRESS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


def write(path, content):
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    path.write_bytes(COMPRESS.get(path.suffix.lower(), bytes)(data))
    return path


def refused(message):
    return pytest.raises(DataError, match=f"{re.escape(message)}$")


@given(
    written=st.lists(sentences, max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
    ended=st.booleans(),
    mark=st.sampled_from(["", "\ufeff"]),
    name=st.sampled_from(["a.de", *(f"a.de{ending}" for ending in (*COMPRESS, ".GZ"))]),
)
def test_lines_come_back_as_they_were_written(tmp_path_factory, written, end, ended, mark, name):
    assume(ended or written[-1:] != [""])
    text = mark + end.join(written) + (end if ended and written else "")
    assume(text != mark)

    path = write(tmp_path_factory.mktemp("lines") / name, text)

    assert list(files.lines(path)) == written


def test_a_line_that_is_not_utf_8_is_named(tmp_path):
    path = write(tmp_path / "a.de", "gut\nübel\n".encode("latin-1"))

    with refused("a.de, line 2: not UTF-8 (invalid start byte); convert the file with iconv"):
        list(files.lines(path))


@pytest.mark.parametrize("name", ["a.de", "a.de.gz", "a.de.zst"])
def test_what_is_not_utf_8_can_be_replaced(tmp_path, name):
    # The bytes and what becomes of them: The Unicode Standard, table 3-8.
    table = bytes.fromhex("61 F1 80 80 E1 80 C2 62 80 63 80 BF 64")
    path = write(tmp_path / name, b"gut\n" + table + b"\r\n\xe4\nend")

    with pytest.warns(UserWarning, match="not UTF-8") as warned:
        found = list(files.lines(path, replace=True))

    assert found == ["gut", "a\ufffd\ufffd\ufffdb\ufffdc\ufffd\ufffdd", "\ufffd", "end"]
    remedy = "U+FFFD stands for what cannot be decoded"
    assert [str(each.message) for each in warned] == [
        f"{path}, line 2: not UTF-8 (invalid continuation byte); {remedy}",
        f"{path}, line 3: not UTF-8 (unexpected end of data); {remedy}",
    ]


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_is_no_text_with_letters_to_replace(tmp_path, mark, replace):
    path = write(tmp_path / "a.de", mark + "gut\n".encode("utf-16-le"))

    with refused("a.de: is UTF-16; convert it with iconv -f UTF-16 -t UTF-8"):
        list(files.lines(path, replace=replace))


@given(st.lists(st.binary(max_size=6).filter(lambda line: b"\n" not in line), max_size=4))
@pytest.mark.filterwarnings("ignore:.*not UTF-8")
def test_replacing_keeps_every_line_in_its_place(tmp_path_factory, written):
    assume(not b"".join(written).startswith((b"\xff\xfe", b"\xfe\xff")))
    path = write(tmp_path_factory.mktemp("bytes") / "a.de", b"".join(w + b"\n" for w in written))

    found = list(files.lines(path, replace=True))

    assert len(found) == len(written)
    for text, line in zip(found[1:], written[1:], strict=True):
        assert "\ufffd" in text or text.encode() == line.removesuffix(b"\r")


NUMBERS = "\n".join(map(str, range(10_000))).encode()


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("damage", ["cut", "no archive", "garbled"])
def test_a_damaged_compressed_file_is_named(tmp_path, ending, damage):
    whole = COMPRESS[ending](NUMBERS)
    third = len(whole) // 3
    contents = {
        "cut": whole[:-20],
        "no archive": b"just text, and no archive",
        "garbled": whole[:third] + bytes(200) + whole[third + 200 :],
    }
    path = tmp_path / f"a{ending}"
    path.write_bytes(contents[damage])

    with pytest.raises(DataError, match=rf"a\{ending}: cannot be read after line \d+ \(.+\)$"):
        list(files.lines(path))


@pytest.mark.parametrize("ending", COMPRESS)
def test_archives_one_after_the_other_are_one_text(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(COMPRESS[ending]("你\n".encode()) + COMPRESS[ending]("好\n".encode()))

    assert list(files.lines(path)) == ["你", "好"]


def test_all_endings_have_a_format():
    assert tuple(COMPRESS) == COMPRESSED == tuple(compression._OPEN)


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_file_is_found_with_and_without_the_ending(tmp_path, ending):
    plain, zipped = write(tmp_path / "a.de", "x"), write(tmp_path / f"b.de{ending}", "x")

    assert files.find(plain) == plain
    assert files.find(tmp_path / "b.de") == zipped
    assert files.find(str(zipped)) == zipped


def test_a_missing_file_is_named_with_what_was_looked_for(tmp_path):
    with refused("a.de: no such file, nor with .gz, .bz2, .xz or .zst at its end"):
        files.find(tmp_path / "a.de")
    with refused("a.de.zst: no such file"):
        files.find(tmp_path / "a.de.zst")
    with refused(f"{tmp_path}: is a folder, and a file is read here"):
        files.find(tmp_path)
    with refused(": is a folder, and a file is read here"):
        files.find(".")


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    # As root may enter any folder, it stands for one that may not be entered, too.
    path = tmp_path / ("x" * 256)

    for find in (files.find, files.find_stored, files.find_together, files.place_of):
        with refused(f"{path}: cannot be read (File name too long)"):
            find(path)


@pytest.mark.parametrize(
    ("path", "ending"),
    [
        ("corpus/a.tsv", ".tsv"),
        ("corpus/a.b.jsonl.gz", ".jsonl"),
        ("a.tsv.zst", ".tsv"),
        ("a.json.xz", ".json"),
        ("a.tsv.GZ", ".tsv"),
        ("a.parquet.bz2", ".parquet"),
        ("a.TSV", ".tsv"),
        ("a.JsonL", ".jsonl"),
        ("a.TSV.GZ", ".tsv"),
        ("corpus.v2/train", ""),
        ("a.gz", ""),
        (".zst", ""),
    ],
)
def test_the_suffix_tells_the_format(path, ending):
    assert suffix(path) == ending
    assert is_table(path) == (ending != "")


@pytest.mark.parametrize(
    ("path", "code"), [("a.pt_BR", "pt_BR"), ("a.zh-TW.GZ", "zh-TW"), ("a", ""), ("x.y/a.zst", "")]
)
def test_the_language_that_ends_a_name_keeps_its_capitals(path, code):
    assert language(path) == code


def read_aside(path):
    """Has another process write a text into a FIFO."""
    os.mkfifo(path)
    return subprocess.Popen(["sh", "-c", f"printf '你好\\nb\\n' > {path}"])


def test_a_pipe_is_read_as_a_file_is(tmp_path):
    with read_aside(tmp_path / "pipe"):
        found = files.find(tmp_path / "pipe")
        assert (files.is_stored(found), list(files.lines(found))) == (False, ["你好", "b"])


def test_a_pipe_is_not_read_where_a_file_is_read_twice(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    message = "is read more than once, and a pipe gives its lines once only; write them to a file "

    for path in (tmp_path / "pipe", "-"):
        with refused(f"{path}: {message}first"):
            files.find_stored(path)
    assert files.find_stored(write(tmp_path / "a", "x")) == tmp_path / "a"


def test_two_texts_do_not_share_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "other")
    (tmp_path / "link").symlink_to("pipe")
    stored = write(tmp_path / "a", "x")
    message = "two texts cannot be read from the same pipe; write one to a file first"

    with refused(f"{tmp_path / 'link'}: {message}"):
        files.find_together(stored, tmp_path / "pipe", tmp_path / "link")
    with refused(f"-: {message}"):
        files.find_together(files.STDIN, stored, files.STDIN)
    different = [stored, stored, tmp_path / "pipe", tmp_path / "other", files.STDIN]
    assert files.find_together(*different) == different


def test_two_files_are_read_side_by_side(tmp_path):
    german, english = write(tmp_path / "a.de", "eins\n\nzwei"), write(tmp_path / "a.en", "1\n\n2\n")

    assert list(files.parallel(german, english)) == [("eins", "1"), ("", ""), ("zwei", "2")]


@pytest.mark.parametrize(("german", "english"), [(3, 5), (5, 3), (0, 1)])
def test_files_of_unequal_length_are_counted(tmp_path, german, english):
    paths = [write(tmp_path / "a.de", "x\n" * german), write(tmp_path / "a.en", "y\n" * english)]

    message = rf"a\.de has {german} lines and .*a\.en has {english}: line n of one must be the "
    with pytest.raises(DataError, match=message):
        list(files.parallel(*paths))


def test_what_is_empty_is_still_a_line():
    one, two = [frozenset({(0, 0)}), frozenset()], [frozenset(), frozenset({(1, 1)})]

    pairs = files.side_by_side(iter(one), iter(two), names=("one", "two"))

    assert list(pairs) == [(one[0], two[0]), (one[1], two[1])]


@pytest.mark.parametrize(
    ("first", "second", "counts"), [(1, 3, "1 line"), (3, 1, "3 lines"), (0, 2, "0 lines")]
)
def test_what_two_files_say_is_yielded_until_one_of_them_ends(first, second, counts):
    pairs = files.side_by_side(iter("abc"[:first]), iter("abc"[:second]), names=("one", "two"))

    common = [next(pairs) for _ in range(min(first, second))]

    assert common == list(zip("abc"[:first], "abc"[:second], strict=False))
    message = f"one has {counts} and two has {second}; they must correspond line for line"
    with pytest.raises(DataError, match=message):
        next(pairs)


def test_a_file_without_digest_is_named(tmp_path):
    with refused(f"{tmp_path}: cannot be read (Is a directory)"):
        files.digest(tmp_path)
