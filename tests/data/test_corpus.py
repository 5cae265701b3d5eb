"""Parallel corpora: the same text back from every origin, ids, filters, and every refusal."""

import gzip
import json
import os
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nmt.config import CorpusConfig, DataConfig, SamplingConfig
from nmt.data import corpus, embedded
from nmt.data.report import FilterReport
from nmt.errors import DataError

PAIRS = [("ein Hund", "a dog"), ("", ""), ("zwei\u2028Katzen", 'two "cats"')]
IN_LINES = [*PAIRS[:2], ("zwei Katzen", 'two "cats"')]  # as fields, which may hold any text


def load(**where):
    return corpus.load(CorpusConfig(**where), source="de", target="en")


def pairs_of(dataset):
    return list(zip(dataset["source"], dataset["target"], strict=True))


def refused(message):
    return pytest.raises(DataError, match=f"{re.escape(message)}$")


def text_files(folder, pairs):
    for place, language in enumerate(("de", "en")):
        lines = "".join(f"{pair[place]}\n" for pair in pairs)
        (folder / f"train.{language}").write_bytes(lines.encode("utf-8"))
    return str(folder / "train")


def table(pairs=PAIRS, names=("de", "en")):
    return pa.table({name: [pair[place] for pair in pairs] for place, name in enumerate(names)})


def nested_table(pairs=PAIRS):
    return pa.table({"id": range(len(pairs)), "translation": table(pairs).to_pylist()})


def json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def ids(*pairs):
    columns = {"source": [pair[0] for pair in pairs], "target": [pair[1] for pair in pairs]}
    return Dataset.from_dict(columns, features=corpus.IDS)


def of_lengths(sizes):
    return ids(*(([7] * source, [8] * target) for source, target in sizes))


def limits(max_length, max_length_ratio):
    return DataConfig(
        train=CorpusConfig(path="unused"),
        validation=CorpusConfig(path="unused"),
        max_length=max_length,
        max_length_ratio=max_length_ratio,
    )


def test_a_prefix_reads_two_text_files(tmp_path):
    dataset = load(path=text_files(tmp_path, PAIRS))

    assert dataset.column_names == ["source", "target"]
    assert pairs_of(dataset) == PAIRS


def test_a_pair_of_files_may_be_gzipped(tmp_path):
    (tmp_path / "a.german.gz").write_bytes(gzip.compress(b"eins\nzwei"))
    (tmp_path / "b.english").write_bytes(b"one\ntwo\n")

    dataset = load(source=str(tmp_path / "a.german"), target=str(tmp_path / "b.english"))

    assert pairs_of(dataset) == [("eins", "one"), ("zwei", "two")]


sentences = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=9)


@settings(max_examples=15)
@given(st.lists(st.tuples(sentences, sentences), min_size=1, max_size=5))
def test_any_lines_come_back_as_they_were_written(tmp_path_factory, pairs):
    pairs = [(f".{source}.", f".{target}.") for source, target in pairs]

    dataset = load(path=text_files(tmp_path_factory.mktemp("text"), pairs))

    assert pairs_of(dataset) == pairs


def test_every_format_gives_the_same_pairs(tmp_path):
    rows = "".join(f"{source}\t{target}\n" for source, target in PAIRS)
    (tmp_path / "a.tsv").write_text(rows, encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(json_lines(table().to_pylist()))
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(table().to_pylist()).encode()))
    (tmp_path / "nested.jsonl").write_text(json_lines(nested_table().to_pylist()))
    pq.write_table(table(), tmp_path / "a.parquet")
    pq.write_table(nested_table(), tmp_path / "nested.parquet")

    names = ["a.tsv", "a.jsonl", "a.json", "nested.jsonl", "a.parquet", "nested.parquet"]
    found = {name: pairs_of(load(path=str(tmp_path / name))) for name in names}

    assert found == {"a.tsv": PAIRS, **dict.fromkeys(names[1:], IN_LINES)}


def test_columns_may_have_other_names(tmp_path):
    named = table(names=("Deutsch", "English"))
    pq.write_table(named, tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text(json_lines(named.to_pylist()))
    (tmp_path / "a.tsv").write_text("English\tDeutsch\none\teins\n")
    columns = ("Deutsch", "English")

    assert pairs_of(load(path=str(tmp_path / "a.parquet"), columns=columns)) == IN_LINES
    assert pairs_of(load(path=str(tmp_path / "a.jsonl"), columns=columns)) == IN_LINES
    assert pairs_of(load(path=str(tmp_path / "a.tsv"), columns=columns)) == [("eins", "one")]


@pytest.mark.parametrize("name", ["c[1].parquet", "c*.parquet", "c?.parquet"])
def test_the_name_of_a_parquet_file_is_no_pattern(tmp_path, name):
    pq.write_table(table([("zwei", "two")]), tmp_path / "c1.parquet")
    pq.write_table(table([("eins", "one")]), tmp_path / name)

    assert pairs_of(load(path=str(tmp_path / name))) == [("eins", "one")]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view()], ids=str)
def test_text_of_any_type_of_arrow_is_read_as_strings(tmp_path, kind):
    text = table(PAIRS[:2])  # without a line break, so that nothing else is done with it
    pq.write_table(text.cast(pa.schema({"de": kind, "en": kind})), tmp_path / "a.parquet")

    first, again = (load(path=str(tmp_path / "a.parquet")) for _ in range(2))

    assert first.features == corpus.TEXT
    assert pairs_of(first) == PAIRS[:2]
    assert first.cache_files == again.cache_files


@pytest.mark.parametrize("content", [table, nested_table], ids=["flat", "nested"])
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_hub_dataset_is_read_by_split(tmp_path, kind, content):
    for split, pairs in (("train", PAIRS), ("validation", PAIRS[:1])):
        path = tmp_path / f"{split}.{kind}"
        if kind == "parquet":
            pq.write_table(content(pairs), path)
        else:
            path.write_text(json_lines(content(pairs).to_pylist()))

    assert pairs_of(load(hub=str(tmp_path))) == IN_LINES
    assert pairs_of(load(hub=str(tmp_path), split="validation")) == PAIRS[:1]
    assert pairs_of(load(hub=str(tmp_path), split="train[1:]")) == IN_LINES[1:]


@pytest.mark.parametrize(
    ("field", "line"),
    [
        *((f"ein{each}Hund", "ein Hund") for each in "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"),
        ("ein\r\nHund\n", "ein  Hund "),
        ("ein\tHund\u00a0\u200b\x1f", "ein\tHund\u00a0\u200b\x1f"),  # these end no line
    ],
)
@pytest.mark.parametrize("kind", ["parquet", "jsonl", "json"])
def test_a_field_becomes_one_line(tmp_path, kind, field, line):
    written = table([("eins", "one"), ("zwei", field)])
    if kind == "parquet":
        pq.write_table(written, tmp_path / "a.parquet")
    elif kind == "jsonl":
        (tmp_path / "a.jsonl").write_text(json_lines(written.to_pylist()))
    else:
        (tmp_path / "a.json").write_text(json.dumps(written.to_pylist()))

    found = pairs_of(load(path=str(tmp_path / f"a.{kind}")))

    assert found == [("eins", "one"), ("zwei", line)]
    assert len(found[1][1].splitlines()) == 1


def test_the_embedded_corpus_is_read_by_split():
    dataset = load(path="embedded", split="validation")

    expected = [(pair.source, pair.target) for pair in embedded.pairs("validation")]
    assert pairs_of(dataset) == expected


def test_the_cache_follows_the_content_of_the_files(tmp_path):
    path = text_files(tmp_path, PAIRS)
    first = load(path=path)
    cached = first.cache_files[0]["filename"]
    written = os.stat(cached).st_mtime_ns

    os.utime(f"{path}.de", (0, 0))
    touched = load(path=path)
    text_files(tmp_path, PAIRS[:1])
    changed = load(path=path)

    assert touched.cache_files == first.cache_files
    assert os.stat(cached).st_mtime_ns == written
    assert pairs_of(changed) == PAIRS[:1]
    assert pairs_of(first) == PAIRS


def test_a_mistake_in_a_file_is_told_as_it_is(tmp_path):
    path = text_files(tmp_path, PAIRS)
    (tmp_path / "train.de").write_bytes(b"gut\n\xfcbel\n\n")

    message = (
        r"^\S*train\.de, line 2: not UTF-8 \(invalid start byte\); convert the file with iconv$"
    )
    with pytest.raises(DataError, match=message):
        load(path=path)


def test_a_missing_file_is_named(tmp_path):
    with refused("train.de: no such file, nor with .gz, .bz2, .xz or .zst at its end"):
        load(path=str(tmp_path / "train"))
    with refused("a.tsv: no such file, nor with .gz, .bz2, .xz or .zst at its end"):
        load(path=str(tmp_path / "a.tsv"))


def test_an_empty_corpus_is_refused(tmp_path):
    german, english = f"{text_files(tmp_path, [])}.de", str(tmp_path / "train.en")
    (tmp_path / "a.tsv").touch()
    pq.write_table(table().slice(0, 0), tmp_path / "a.parquet")

    with refused(f"{german} and {english}: the corpus is empty"):
        load(source=german, target=english)
    with refused("a.tsv: the corpus is empty"):
        load(path=str(tmp_path / "a.tsv"))
    with refused("a.parquet: the corpus is empty"):
        load(path=str(tmp_path / "a.parquet"))


def test_an_empty_slice_of_a_dataset_is_refused(tmp_path):
    pq.write_table(table(), tmp_path / "train.parquet")

    with refused(f'dataset {tmp_path}: Instruction "train[3:]" corresponds to no data!'):
        load(hub=str(tmp_path), split="train[3:]")


def test_an_unknown_split_of_the_embedded_corpus_is_refused():
    with refused("the embedded corpus has no split 'dev'; choose from train, validation, test"):
        load(path="embedded", split="dev")


@pytest.mark.parametrize("keeps", ["time", "size"])
def test_another_table_of_the_same_name_is_not_taken_from_the_cache(tmp_path, keeps):
    path = tmp_path / "a.parquet"
    pq.write_table(table([("eins", "one")]), path, compression="none")
    before, _ = path.stat(), load(path=str(path))

    new = [("zwei", "two")] if keeps == "size" else [("zwei", "two"), ("drei", "three")]
    pq.write_table(table(new), path, compression="none")
    assert (path.stat().st_size == before.st_size) == (keeps == "size")
    later = before.st_mtime_ns + 10**9 * (keeps == "size")
    os.utime(path, ns=(later, later))

    assert pairs_of(load(path=str(path))) == new


def test_a_file_that_is_not_parquet_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"no such thing")

    with pytest.raises(DataError, match=r"a\.parquet: cannot be read as Parquet \(.+\)$"):
        load(path=str(tmp_path / "a.parquet"))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            {"fr": ["un"]},
            "no column 'en'; there are: de, fr; choose with `columns: [SOURCE, TARGET]` in a "
            "configuration, or --columns SOURCE,TARGET without one",
        ),
        ({"en": [1]}, "the column 'en' holds int64, not text"),
        ({"en": ["one", None]}, "row 2 of the column 'en' is null, not text"),
    ],
)
def test_a_column_that_is_no_text_is_refused(tmp_path, column, message):
    (values,) = column.values()
    columns = {"de": ["eins"] * len(values), **column}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (tmp_path / "hub").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "hub" / "train.parquet")

    with refused(f"a.parquet: {message}"):
        load(path=str(tmp_path / "a.parquet"))
    with refused(f"dataset {tmp_path / 'hub'}: {message}"):
        load(hub=str(tmp_path / "hub"))


def test_a_hub_that_cannot_be_reached_is_told_with_the_remedy():
    with refused(
        "dataset nobody/nothing: the Hugging Face hub cannot be reached; give local files "
        "instead: the path PREFIX, as in data.train=PREFIX, reads PREFIX.de and PREFIX.en"
    ):
        load(hub="nobody/nothing")


def test_what_a_local_dataset_lacks_is_told_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "train.jsonl").write_text('{"de": "a", \n')
    pq.write_table(table(), tmp_path / "train.parquet")

    with pytest.raises(DataError, match=r"^dataset \S+: Unknown split \"dev\"\. Should be one of"):
        load(hub=str(tmp_path), split="dev")
    with pytest.raises(DataError, match=r"^dataset \S+: BuilderConfig 'de-en' not found"):
        load(hub=str(tmp_path), subset="de-en")
    with pytest.raises(DataError, match=r"^dataset \S+empty: .*doesn't contain any data files$"):
        load(hub=str(tmp_path / "empty"))
    with pytest.raises(DataError, match=r"^dataset \S+bad: .*JSON") as caught:
        load(hub=str(tmp_path / "bad"))
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    pairs = [(pair.source, pair.target) for pair in embedded.pairs("train")[:1500]]
    return load(path=text_files(tmp_path_factory.mktemp("embedded"), pairs))


def test_ids_are_the_tokenizers_with_the_end_of_sentence(text, embedded_tokenizers):
    encoded = corpus.encode(text, embedded_tokenizers)

    for side in ("source", "target"):
        model = getattr(embedded_tokenizers, side)
        expected = [[*model.encode(sentence), model.eos] for sentence in text[side]]
        assert encoded[side][:] == expected
    assert encoded.features == corpus.IDS


def test_ids_are_read_from_the_cache_the_second_time(text, embedded_tokenizers):
    first = corpus.encode(text, embedded_tokenizers)
    cached = first.cache_files[0]["filename"]
    written = os.stat(cached).st_mtime_ns

    second = corpus.encode(text, embedded_tokenizers)

    assert second.cache_files == first.cache_files
    assert os.stat(cached).st_mtime_ns == written


def test_sampled_ids_follow_the_seed_and_spell_the_same_text(text, embedded_tokenizers):
    def sample(seed):
        sampling = SamplingConfig(alpha=0.1)
        return corpus.encode(text, embedded_tokenizers, sampling=sampling, seed=seed)

    first, again, other = sample(1), sample(1), sample(2)

    assert first["source"][:] == again["source"][:]
    assert first["source"][:1000] != other["source"][:1000]
    assert first["source"][1000:] != other["source"][1000:]
    model = embedded_tokenizers.source
    assert [model.decode(sentence) for sentence in other["source"]] == list(text["source"])
    assert all(sentence[-1] == model.eos for sentence in other["source"])


def test_equal_sentences_are_sampled_independently(embedded_tokenizers):
    sentence = embedded.pairs("train")[0].source
    same = Dataset.from_dict({"source": [sentence] * 2000, "target": [sentence] * 2000})

    sampled = corpus.encode(same, embedded_tokenizers, sampling=SamplingConfig(), seed=1)

    source, target = sampled["source"][:], sampled["target"][:]
    assert source != target
    assert source[:1000] != source[1000:]


sizes = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=12)


@settings(max_examples=40)
@given(sizes, st.integers(2, 9), st.sampled_from([1.0, 1.5, 2.0, 8.0]))
@example([(4, 6)], 9, 1.5)  # five words to three are too uneven, six ids to four would not be
def test_filters_part_the_corpus(sizes, max_length, max_length_ratio):
    # The last pair always stays: two and two ids, one of them eos.
    sizes = [*sizes, (2, 2)]
    expected = {"empty": 0, "too long": 0, "of too uneven length": 0}
    stay = []
    for source, target in sizes:
        words = sorted((source - 1, target - 1))
        if words[0] == 0:
            expected["empty"] += 1
        elif max(source, target) > max_length:
            expected["too long"] += 1
        elif words[1] / words[0] > max_length_ratio:
            expected["of too uneven length"] += 1
        else:
            stay.append((source, target))

    kept, report = corpus.filter_pairs(of_lengths(sizes), limits(max_length, max_length_ratio))

    assert [(len(source), len(target)) for source, target in pairs_of(kept)] == stay
    assert report == FilterReport(total=len(sizes), left_out=expected)
    assert report.kept == len(stay)
    assert corpus.lengths(kept).tolist() == [list(pair) for pair in stay]


def test_a_report_is_one_line_or_a_table():
    left_out = {"empty": 5, "too long": 1_300, "of too uneven length": 40}

    report = FilterReport(total=12_345, left_out=left_out)

    assert str(report) == (
        "11,000 of 12,345 pairs kept; left out: 5 empty, 1,300 too long, 40 of too uneven length"
    )
    assert report.table().splitlines() == [
        "12,345  pairs",
        "     5  empty",
        " 1,300  too long",
        "    40  of too uneven length",
        "11,000  kept",
    ]


def test_reasons_are_counted_by_their_numbers():
    report = FilterReport.of(["long", "short", "odd"], np.array([0, 2, 0, 1, 2], np.int8))

    assert report == FilterReport(total=5, left_out={"long": 1, "short": 2, "odd": 0})


def test_nothing_left_is_refused():
    with refused(
        "no pair is left to train on: 0 of 3 pairs kept; left out: 1 empty, 1 too long, "
        "1 of too uneven length; look at the corpus, or raise data.max_length (10) and "
        "data.max_length_ratio (2.0)"
    ):
        corpus.filter_pairs(of_lengths([(1, 5), (11, 11), (2, 9)]), limits(10, 2.0))


@given(st.data())
def test_rows_are_the_pairs_asked_for(data):
    pairs = [([*range(number)], [*range(100, 100 + 2 * number)]) for number in range(1, 9)]
    encoded, _ = corpus.filter_pairs(ids(*pairs), limits(100, 9.0))
    indices = data.draw(st.lists(st.integers(0, len(encoded) - 1), max_size=6))

    found = corpus.rows(encoded, np.array(indices, dtype=np.int64))

    assert [(source.tolist(), target.tolist()) for source, target in found] == [
        pairs[index + 1] for index in indices
    ]
    assert all(array.dtype == np.int32 for pair in found for array in pair)


# The numbers of pairs that the distributors of these corpora publish.
@pytest.mark.parametrize(
    ("prefix", "target", "count"),
    [("multi30k/train", "en", 29_000), ("dermit-de-rm/train", "rm", 100_702)],
)
def test_a_real_corpus_is_read_whole(shared_data, prefix, target, count):
    where = CorpusConfig(path=str(shared_data / prefix))

    assert len(corpus.load(where, source="de", target=target)) == count


@pytest.mark.parametrize("paths", ["train", ["train.de", "train.de"], ["train.de", "link.de"]])
def test_a_text_is_not_its_own_translation(tmp_path, monkeypatch, paths):
    monkeypatch.chdir(tmp_path)
    Path("train.de").write_text("ein Hund\n")
    Path("link.de").symlink_to("train.de")

    with pytest.raises(DataError, match=r"\.de: is the source itself; give its translation as"):
        corpus.load(CorpusConfig.model_validate(paths), source="de", target="de")


def test_a_text_and_its_copy_are_a_corpus(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).write_text("ein Hund\n")
    paths = [str(tmp_path / name) for name in ("one", "other")]

    text = corpus.load(CorpusConfig.model_validate(paths), source="de", target="de")

    assert text[0] == {"source": "ein Hund", "target": "ein Hund"}


def test_two_prefixes_are_not_a_pair_of_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("train.de", "train.en", "mix.de", "mix.en"):
        Path(name).write_text("a\n")

    remedy = "for two corpora write '[{path: train}, {path: mix}]'"
    with refused(f"train and mix: no such files; {remedy}"):
        load(source="train", target="mix")
    with refused("none: no such file, nor with .gz, .bz2, .xz or .zst at its end"):
        load(source="train.de", target="none")
