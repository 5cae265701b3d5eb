"""Sources of vectors: the same rows from every origin, and every refusal."""

import io
import re
import zipfile
from functools import partial

import numpy as np
import pytest
import vectors
from datasets import Dataset, Features, List, Value

from nmt.config import CorpusConfig, DataConfig, TrainedTokenizerConfig, VectorInputConfig
from nmt.data import corpus, tokenizer_training
from nmt.data.vectors import arrays
from nmt.errors import DataError

LINES = ["a b c", "h", "c c"]
INPUT = VectorInputConfig(size=vectors.SIZE)
ARRAYS = [vectors.spoken(line, seed=i) for i, line in enumerate(LINES)]


def load(input=INPUT, **where):
    return corpus.load(CorpusConfig(**where), source="vectors", target="txt", input=input)


@pytest.fixture(scope="module")
def tokenizers():
    settings = TrainedTokenizerConfig(vocabulary_size=10, byte_fallback=False)
    return tokenizer_training.train((), LINES * 20, settings)


@pytest.fixture
def npz(tmp_path):
    return vectors.write(tmp_path, "train", LINES)


@pytest.fixture
def parquet(tmp_path):
    features = Features({"vectors": List(List(Value("float64"))), "txt": Value("string")})
    rows = {"vectors": [array.tolist() for array in ARRAYS], "txt": LINES}
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "train.parquet")
    return {"path": str(tmp_path / "train.parquet")}


@pytest.mark.parametrize("origin", ["npz", "parquet"])
def test_the_rows_are_the_same_from_every_origin(origin, tokenizers, request):
    text = load(**request.getfixturevalue(origin))
    encoded = corpus.encode(text, tokenizers, input=INPUT)

    assert list(text["target"]) == LINES
    for (source, target), array, line in zip(
        corpus.rows(encoded, range(3)), ARRAYS, LINES, strict=True
    ):
        np.testing.assert_array_equal(source, array)
        assert source.dtype == np.float32
        assert target.tolist() == [*tokenizers.target.encode(line), tokenizers.target.eos]
    assert corpus.lengths(encoded)[:, 0].tolist() == [3, 1, 2]


def test_one_array_of_three_axes_has_a_source_in_each_row(tmp_path):
    rows = np.arange(2 * 4 * 12, dtype=np.float32).reshape(2, 4, 12)
    np.savez(tmp_path / "grid.npz", rows)
    (tmp_path / "two.txt").write_text("a\nb\n")
    text = load(source=str(tmp_path / "grid.npz"), target=str(tmp_path / "two.txt"))

    np.testing.assert_array_equal(np.array(text["source"]), rows)


def test_length_limits_are_those_of_each_side(tokenizers, npz):
    encoded = corpus.encode(load(**npz), tokenizers, input=INPUT)
    limits = DataConfig(
        train="x",
        validation="x",
        max_length=30,
        input={"kind": "vectors", "size": 12, "max_length": 2},
    )
    pairs, report = corpus.fitting(encoded, limits)

    assert corpus.lengths(pairs)[:, 0].tolist() == [1, 2]
    assert str(report).startswith("2 of 3 pairs kept; left out: 0 empty, 1 too long")


def test_a_source_without_vectors_is_empty_and_left_out(tokenizers, tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros((0, 12)), b=ARRAYS[1])
    (tmp_path / "x.txt").write_text("a\nh\n")
    text = load(source=str(tmp_path / "x.npz"), target=str(tmp_path / "x.txt"))
    limits = DataConfig(train="x", validation="x", input={"kind": "vectors", "size": 12})
    pairs, report = corpus.fitting(corpus.encode(text, tokenizers, input=INPUT), limits)

    assert len(pairs) == 1
    assert "1 empty" in str(report)


def refused(message):
    return pytest.raises(DataError, match=re.escape(message))


def test_another_number_of_lines_is_refused(tmp_path, npz):
    (tmp_path / "train.txt").write_text("a\n")
    with refused(f"{npz['source']} has 3 sources and {npz['target']} has 1 line"):
        load(**npz)


def test_vectors_of_another_size_are_refused(npz):
    message = f"{npz['source']}, array 1: an array of 3 x 12, and data.input.size asks for "
    with refused(f"{message}positions x 7"):
        load(VectorInputConfig(size=7), **npz)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 damaged"])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    (tmp_path / "x.txt").write_text("a\n")
    with refused(f"{tmp_path / 'x.npz'}: cannot be read as .npz"):
        load(source=str(tmp_path / "x.npz"), target=str(tmp_path / "x.txt"))


def test_an_empty_npz_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz")
    (tmp_path / "x.txt").write_text("")
    with refused(f"{tmp_path / 'x.npz'}: the corpus is empty"):
        load(source=str(tmp_path / "x.npz"), target=str(tmp_path / "x.txt"))


def test_text_is_no_file_of_vectors(tmp_path):
    for name in ("x.vectors", "x.txt"):
        (tmp_path / name).write_text("a\n")
    with refused(f"{tmp_path / 'x.vectors'}: vectors are in an .npz"):
        load(path=str(tmp_path / "x"))


def test_a_column_of_text_has_no_vectors(tmp_path):
    Dataset.from_dict({"vectors": ["a"], "txt": ["b"]}).to_parquet(tmp_path / "x.parquet")
    with refused("x.parquet: the source column holds Value('string'), and not a list of vectors"):
        load(path=str(tmp_path / "x.parquet"))


def damaged(path, *, method):
    """Writes an .npz in which bytes of the compressed array are replaced."""
    with zipfile.ZipFile(path, "w", method) as archive, archive.open("arr_0.npy", "w") as file:
        np.save(file, np.random.default_rng(0).normal(size=(50, 4)))
    content = bytearray(path.read_bytes())
    content[200:220] = b"\xff" * 20
    path.write_bytes(content)


def of_text(path):
    """Writes an .npz that has a file which is no array."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")


def of_one_array(path):
    """Writes an .npy under the name of an .npz."""
    with path.open("wb") as file:
        np.save(file, np.ones((1, 2, 4)))


def too_large(path):
    """Writes an .npz whose array says that it has more numbers than a memory holds."""
    header = io.BytesIO()
    described = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 4)}
    np.lib.format.write_array_header_1_0(header, described)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("arr_0.npy", header.getvalue())


@pytest.mark.parametrize(
    "write",
    [
        partial(damaged, method=zipfile.ZIP_DEFLATED),
        partial(damaged, method=zipfile.ZIP_LZMA),
        of_text,
        of_one_array,
        too_large,
    ],
    ids=["deflated", "lzma", "text", "npy", "large"],
)
def test_an_archive_that_cannot_be_read_is_named(tmp_path, write):
    path = tmp_path / "a.npz"
    write(path)

    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: cannot be read as .npz"):
        list(arrays(path))


@pytest.mark.parametrize("kind", ["<U4", "datetime64[s]"])
def test_text_and_times_in_an_npz_are_no_numbers(tmp_path, kind):
    np.savez(tmp_path / "x.npz", np.ones((1, 12), int).astype(kind))
    (tmp_path / "x.txt").write_text("a\n")
    with refused(f"{tmp_path / 'x.npz'}, array 1: vectors of several sizes, or no numbers"):
        load(source=str(tmp_path / "x.npz"), target=str(tmp_path / "x.txt"))


@pytest.mark.parametrize("positions", [0, 1])
def test_complex_numbers_are_refused(tmp_path, positions):
    np.savez(tmp_path / "x.npz", a=np.full((positions, 12), 1 + 2j))
    (tmp_path / "x.txt").write_text("a\n")
    with refused(f"{tmp_path / 'x.npz'}, array 1: complex numbers, and a component is one real "):
        load(source=str(tmp_path / "x.npz"), target=str(tmp_path / "x.txt"))
