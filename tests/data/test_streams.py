"""Streams: the pairs of files, in bounded portions, from any of them on."""

import gzip
import itertools
import json

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt import configfile
from nmt.data import corpora
from nmt.data.lanes import sizes
from nmt.data.streams import Stream
from nmt.errors import ConfigError, DataError

# Three files of 7, 1 and 5 pairs; what cuts lines in other programs must not do it here.
LINES = [
    [(f"Satz {file} {number}\x85x\u2028y", f'sentence "{file}" {number}\tNA'.replace("\t", " "))
     for number in range(count)]
    for file, count in enumerate((7, 1, 5))
]  # fmt: skip
PAIRS = sorted((a.replace("\x85", " ").replace("\u2028", " "), b) for f in LINES for a, b in f)


def write_text(folder, ending=""):
    opened = gzip.open if ending else open
    for number, pairs in enumerate(LINES):
        for side, language in enumerate(("de", "en")):
            path = folder / f"part-{number}.{language}{ending}"
            with opened(path, "wt", encoding="utf-8", newline="") as file:
                file.writelines(pair[side] + "\n" for pair in pairs)
    return str(folder / "part-*")


def write_zipped_text(folder):
    return write_text(folder, ".gz")


def write_tsv(folder):
    for number, pairs in enumerate(LINES):
        lines = "".join(f"{a}\t{b}\n" for a, b in pairs)
        (folder / f"{number}.tsv").write_bytes(lines.encode())
    return str(folder / "*.tsv")


def write_json(folder, ending=".jsonl"):
    for number, pairs in enumerate(LINES):
        rows = [json.dumps({"translation": {"de": a, "en": b}, "id": 1}) for a, b in pairs]
        (folder / f"{number}{ending}").write_text("\n".join(rows), encoding="utf-8")
    return str(folder / f"*{ending}")


def write_parquet(folder):
    for number, pairs in enumerate(LINES):
        de, en = map(list, zip(*pairs, strict=True))
        pq.write_table(
            pa.table({"id": range(len(de)), "de": de, "en": en}), folder / f"{number}.parquet"
        )
    return str(folder / "*.parquet")


def write_hub(folder):
    write_json(folder)
    return {"hub": str(folder)}


def write_memory(folder):
    """The JSON lines at a URL: fsspec's file system in memory stands for one far away."""
    system = fsspec.filesystem("memory")
    write_json(folder)
    for path in folder.glob("*.jsonl"):
        system.pipe(f"/{folder.name}/{path.name}", path.read_bytes())
    return f"memory://{folder.name}/*.jsonl"


FORMS = [
    write_text, write_zipped_text, write_tsv, write_json, write_parquet, write_hub, write_memory
]  # fmt: skip


PAIR = {"de": "a", "en": "b"}


def data(train, *, stream=True, **others):
    section = {"train": train, "validation": "unused", "stream": stream, **others}
    tree = {"data": section, "training": {"max_steps": 1}}
    return configfile.validate(tree).data


def pairs_of(rows):
    return [row.pair for row in rows]


def portions(stream, size, **where):
    return [pairs_of(rows) for _, rows in stream.buffers(size, **where)]


@pytest.mark.parametrize("write", FORMS)
def test_every_form_gives_each_pair_once(tmp_path, write):
    stream = Stream.of(data(write(tmp_path)))

    for size in (1, 4, 100):
        found = portions(stream, size)

        assert sorted(itertools.chain(*found)) == PAIRS


@pytest.mark.parametrize("first", [{"de": ["a"], "en": ["b"]}, {"translation": [PAIR]}])
def test_files_may_have_other_columns_besides(tmp_path, first):
    pq.write_table(pa.table(first), tmp_path / "0.parquet")
    pq.write_table(pa.table({"id": [1], **first}), tmp_path / "1.parquet")

    found = portions(Stream.of(data(str(tmp_path / "*.parquet"))), 9)

    assert list(itertools.chain(*found)) == [("a", "b")] * 2


@pytest.mark.parametrize("write", FORMS)
def test_from_each_state_the_stream_goes_on_as_without_a_stop(tmp_path, write):
    train = write(tmp_path)
    whole = list(Stream.of(data(train)).buffers(2, order=5))

    for number, (state, _) in enumerate(whole):
        again = Stream.of(data(train)).buffers(2, order=5, state=json.loads(json.dumps(state)))

        assert [rows for _, rows in again] == [rows for _, rows in whole[number:]]


def removed(folder):
    for path in folder.glob("*2.*"):
        path.unlink()


def added(folder):
    for path in list(folder.glob("*1.*")):
        path.with_name(path.name.replace("1", "3")).write_bytes(path.read_bytes())


def replaced(folder):
    for path in list(folder.glob("*1.*")):
        path.rename(path.with_name(path.name.replace("1", "3")))


def lengthened(folder):
    for path in list(folder.glob("*1.*")):
        path.write_bytes(path.read_bytes() + b" ")


@pytest.mark.parametrize("change", [removed, added, replaced, lengthened])
@pytest.mark.parametrize("write", [write_text, write_zipped_text, write_tsv, write_json])
def test_a_stream_does_not_go_on_with_other_files(tmp_path, write, change):
    train = write(tmp_path)
    states = [state for state, _ in Stream.of(data(train)).buffers(4)]

    change(tmp_path)

    for state in states:
        with pytest.raises(DataError) as refused:
            next(Stream.of(data(train)).buffers(4, state=json.loads(json.dumps(state))))
        assert str(refused.value) == (
            "data.train: the files are not those that training began with, by their number, names "
            "or sizes; put those back, or begin anew with another run=..."
        )


@pytest.mark.parametrize("write", [write_hub, write_memory])
def test_files_from_elsewhere_are_counted(tmp_path, write):
    train = write(tmp_path)
    [_, (state, _), *_] = Stream.of(data(train)).buffers(4)

    write_json(tmp_path, "-more.jsonl")
    more = write_memory(tmp_path) if write is write_memory else train

    with pytest.raises(DataError, match="the files are not those that training began with"):
        next(Stream.of(data(more)).buffers(4, state=state))


def test_a_state_of_an_earlier_version_goes_on_if_the_lanes_are_as_many(tmp_path):
    train = write_text(tmp_path)
    [_, (state, _), *_] = whole = list(Stream.of(data(train)).buffers(4))
    earlier = {"read": state["read"], "lanes": state["lanes"]}  # there were no other keys

    again = list(Stream.of(data(train)).buffers(4, state=earlier))

    assert [rows for _, rows in again] == [rows for _, rows in whole[1:]]
    added(tmp_path)
    with pytest.raises(DataError, match="the files are not those that training began with"):
        next(Stream.of(data(train)).buffers(4, state=earlier))


EMPTY = {
    write_text: {"part-00.de": b"", "part-00.en": b""},
    write_zipped_text: dict.fromkeys(["part-9.de.gz", "part-9.en.gz"], gzip.compress(b"")),
    write_tsv: {"00.tsv": b"", "01.tsv": b""},
    write_json: {"00.jsonl": b""},
    write_parquet: {"00.parquet": None, "9.parquet": None},
}


def write_empty(folder, files):
    for name, content in files.items():
        if content is None:
            pq.write_table(pa.table({"de": pa.array([], "string"), "en": pa.array([], "string")}),
                           folder / name)  # fmt: skip
        else:
            (folder / name).write_bytes(content)


@pytest.mark.parametrize(("write", "files"), EMPTY.items())
def test_an_empty_file_among_others_is_passed_over(tmp_path, write, files):
    train = write(tmp_path)
    write_empty(tmp_path, files)

    whole = list(Stream.of(data(train)).buffers(2))

    assert sorted(pair for _, rows in whole for pair in pairs_of(rows)) == PAIRS
    for number, (state, _) in enumerate(whole):
        again = Stream.of(data(train)).buffers(2, state=json.loads(json.dumps(state)))
        assert [rows for _, rows in again] == [rows for _, rows in whole[number:]]


def test_an_empty_file_needs_no_header(tmp_path):
    (tmp_path / "a.tsv").write_text("en\tde\none\teins\n")
    (tmp_path / "b.tsv").write_text("")
    (tmp_path / "c.tsv").write_text("de\ten\n")
    stream = Stream.of(data({"path": str(tmp_path / "*.tsv"), "columns": ["de", "en"]}))

    assert portions(stream, 9) == [[("eins", "one")]]


@pytest.mark.parametrize("write", FORMS[:-2])
def test_names_may_have_brackets(tmp_path, write):
    (folder := tmp_path / "[x]").mkdir()
    write(folder)
    names = {path.name for path in folder.iterdir()}
    if write in (write_text, write_zipped_text):
        names = {name.partition(".")[0] for name in names}
    stream = Stream.of(data([{"path": str(folder / name)} for name in sorted(names)]))

    assert sorted(itertools.chain(*portions(stream, 100))) == PAIRS


def test_a_name_with_brackets_and_without_translation_is_named(tmp_path):
    (tmp_path / "c[1].de").write_text("eins\n")

    with pytest.raises(DataError, match=r"c\[1\]\.en: no such file"):
        Stream.of(data({"path": str(tmp_path / "c[1]")}))


@pytest.mark.parametrize("write", FORMS)
def test_the_sizes_are_those_of_local_files(tmp_path, write):
    found = sizes(data(write(tmp_path)))

    local = {(path.name, path.stat().st_size) for path in tmp_path.iterdir()}
    assert set(found) == (set() if write in (write_hub, write_memory) else local)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 60), st.data())
def test_portions_are_bounded_and_resume_exactly(tmp_path_factory, sizes, size, drawn):
    folder = tmp_path_factory.mktemp("text")
    for number, count in enumerate(sizes):
        for language in ("de", "en"):
            lines = "".join(f"{language} {number} {line}\n" for line in range(count))
            (folder / f"x{number:02}.{language}").write_text(lines)
    stream = Stream.of(data(str(folder / "x*")))
    whole = list(stream.buffers(size, order=3))

    start = drawn.draw(st.sampled_from(whole))
    rest = list(stream.buffers(size, order=3, state=start[0]))

    lanes = min(8, len(sizes))
    assert sum(len(rows) for _, rows in whole) == sum(sizes)
    assert all(size <= len(rows) < size + min(256 * lanes, size + lanes) for _, rows in whole[:-1])
    assert rest == whole[whole.index(start) :]
    assert all(a.replace("de", "en") == b for _, rows in whole for a, b in pairs_of(rows))


def test_what_is_held_has_pairs_of_several_files_and_each_epoch_another_order(tmp_path):
    write_text(tmp_path)
    for number in range(3, 40):
        for language in ("de", "en"):
            (tmp_path / f"part-{number}.{language}").write_text(f"{number}\n" * 3)
    stream = Stream.of(data(str(tmp_path / "part-*")))

    first, again, other = (portions(stream, 24, order=order) for order in (1, 1, 2))

    assert len({source for source, _ in first[1]}) >= 8
    assert first == again != other
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*other))


def test_several_corpora_have_their_own_languages_and_tags(tmp_path):
    (tmp_path / "a.de").write_text("eins\n\n")
    (tmp_path / "a.en").write_text("one\n\n")
    (tmp_path / "b.fr").write_text("un\ndeux\n")
    (tmp_path / "b.en").write_text("one\ntwo\n")
    first = {"path": str(tmp_path / "a"), "source_tag": "<de>"}
    second = {"path": str(tmp_path / "b"), "languages": ["fr", "en"], "source_tag": "<fr>"}
    held_out = {"path": "unused", "source_tag": "<de>"}
    stream = Stream.of(data([first, second], validation=held_out))
    [(_, rows)] = stream.buffers(10)

    text, report = stream.text(rows, before=7)

    assert text["source"][:] == ["<de> eins", "", "<fr> un", "<fr> deux"]
    assert text["target"][:] == ["one", "", "one", "two"]
    assert text["number"][:] == [8, 9, 10, 11]
    assert report.total == report.kept == 4


def test_cleaning_leaves_out_what_it_leaves_out_of_the_whole_corpus(tmp_path):
    pairs = [("ein Hund rennt", "a dog runs"), ("", "x"), ("gleich hier", "gleich hier"),
             ("ein Haus", "a house"), ("1234 5678", "1234 5679"), ("ja", "yes " * 30),
             ("привет мир", "hello world"), ("eine Katze", "a cat")] * 3  # fmt: skip
    for side, language in enumerate(("de", "en")):
        lines = "".join(pair[side] + "\n" for pair in pairs)
        (tmp_path / f"train.{language}").write_text(lines)
        (tmp_path / f"val.{language}").write_text(("eine Katze", "a cat")[side] + "\n")
    settings = {"clean": {"duplicates": False}, "validation": str(tmp_path / "val")}
    train = str(tmp_path / "train")
    stream = Stream.of(data(train, **settings))
    [(_, rows)] = stream.buffers(100)

    text, report = stream.text(rows)

    expected = corpora.training(data(train, stream=None, **settings))
    assert report == expected.report
    assert report.kept < report.total
    assert text["source"][:] == expected.text["source"][:]


REFUSED = {
    "a temperature": ({"train": ["a", "b"], "temperature": 5}, "number of pairs"),
    "a weight": ({"train": {"path": "a", "weight": 2}}, "number of pairs"),
    "links": ({"train": {"path": "a", "alignments": "x"}}, "`alignments` are not read"),
    "duplicates": ({"clean": True}, "`clean.duplicates` compares all pairs"),
    "a small buffer": ({"stream": {"buffer": 63}}, "does not fill a batch of 64"),
    "the embedded corpus": ({"train": "embedded"}, "leave out `stream`"),
    "text at a URL": ({"train": "s3://b/text"}, "must be Parquet or JSON lines: s3://b/text"),
    "texts at a URL": (
        {"train": {"source": "x.de", "target": "s3://b/x.en"}},
        "must be Parquet or JSON lines: s3://b/x.en",
    ),
    "false": ({"stream": False}, "data.stream: `false` is not accepted: leave it out"),
    "a URL without a stream": ({"train": "hf://x.parquet", "stream": None}, "set `stream: true`"),
    "a validation at a URL": ({"validation": "hf://x.parquet"}, "download it, and give its path"),
}


@pytest.mark.parametrize(("settings", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_stream_cannot_do_is_refused_in_one_line(settings, message):
    with pytest.raises(ConfigError) as refused:
        data(**{"train": "a", **settings})

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_stream_needs_a_number_of_updates():
    tree = {"data": {"train": "a", "validation": "b", "stream": True}}

    with pytest.raises(ConfigError, match=r"give `training\.max_steps`"):
        configfile.validate({**tree, "training": {"schedule": "cosine"}})

    assert configfile.validate({**tree, "training": {"max_steps": 9}}).data.stream.buffer == 100_000


def uneven(folder):
    (folder / "a.de").write_text("eins\nzwei\n")
    (folder / "a.en").write_text("one\n")
    return str(folder / "a"), r"a\.de has 2 lines and .*a\.en has 1"


def damaged(folder):
    (folder / "a.parquet").write_bytes(b"no table")
    return str(folder / "*.parquet"), r"^[^*]*a\.parquet: cannot be read as Parquet \(.+\)$"


def another_column(folder):
    pq.write_table(pa.table({"de": ["x"], "fr": ["y"]}), folder / "a.parquet")
    return str(folder / "a.parquet"), r"a\.parquet: no column 'en'; there are: de, fr"


def a_number(folder):
    pq.write_table(pa.table({"de": ["x"], "en": [3]}), folder / "a.parquet")
    return str(folder / "a.parquet"), r"a\.parquet, 'en': 3 where text was expected"


def a_null(folder):
    pq.write_table(pa.table({"de": ["x", None], "en": ["y", "z"]}), folder / "a.parquet")
    return str(folder / "a.parquet"), r"a\.parquet, 'de': null where text was expected"


def no_file(folder):
    return str(folder / "x*"), r"x\*: no such files"


def no_table(folder):
    return str(folder / "x*.parquet"), r"x\*\.parquet: no such files"


def empty_tables(folder):
    write_empty(folder, {"a.parquet": None})
    return str(folder / "*.parquet"), r"\*\.parquet: the corpus is empty"


def empty_texts(folder):
    write_empty(folder, dict.fromkeys(["a.de", "a.en", "b.de", "b.en"], b""))
    return str(folder / "*"), r"\*: the corpus is empty"


def no_translation(folder):
    (folder / "x1.de").write_text("eins\n")
    return str(folder / "x*"), r"x1\.en: no such file"


def no_scheme(folder):
    return "abc://bucket/x.parquet", r"abc://bucket/x\.parquet: .*abc"


class Unreachable(fsspec.AbstractFileSystem):
    """A file system whose library has errors of its own."""

    protocol = "unreachable"

    def ls(self, path, detail=True, **_):
        raise type("TooFarError", (Exception,), {})(f"no route\nto {path}")


def no_route(folder):
    fsspec.register_implementation("unreachable", Unreachable, clobber=True)
    return "unreachable://b/x*.parquet", r"^unreachable://b/x\*\.parquet: no route$"


def no_package(folder):
    fsspec.register_implementation("packaged", "no_such_package.Files", clobber=True)
    return "packaged://b/x.parquet", r"x\.parquet: No module named 'no_such_package': install it to"


def no_pairs(folder):
    (folder / "a.jsonl").write_text("")
    return str(folder / "a.jsonl"), r"a\.jsonl: the corpus is empty"


def no_line(folder):
    (folder / "a.jsonl").write_text("")
    return {"hub": str(folder)}, r"the corpus is empty"


def no_rows(folder):
    (folder / "a.csv").write_text("de,en\n")
    return {"hub": str(folder)}, r"the corpus is empty"


UNREADABLE = [
    uneven, damaged, another_column, a_number, a_null, no_file, no_translation, no_scheme,
    no_route, no_package, no_pairs, no_line, no_rows, no_table, empty_tables, empty_texts,
]  # fmt: skip


@pytest.mark.parametrize("write", UNREADABLE)
def test_a_corpus_that_cannot_be_read_is_named(tmp_path, write):
    train, message = write(tmp_path)

    with pytest.raises(DataError, match=message) as refused:
        Stream.of(data(train)).training  # noqa: B018

    assert "\n" not in str(refused.value)


def test_a_stream_that_cleaning_empties_is_reported(tmp_path):
    for language in ("de", "en"):
        (tmp_path / f"a.{language}").write_text("gleich\n")
    clean = {"duplicates": False, "held_out": None}

    with pytest.raises(DataError, match=r"no pair of data\.stream\.sample is left: 0 of 1 pairs"):
        Stream.of(data(str(tmp_path / "a"), clean=clean)).training  # noqa: B018


def test_what_needs_the_whole_corpus_says_so():
    with pytest.raises(DataError, match=r"data\.stream: this needs the whole training corpus"):
        corpora.training(data("unused"))
