"""The contract of sources that are not text, which every kind of `data.input` has to keep."""

import io

import numpy as np
import PIL.Image
import pytest
from datasets import Dataset, Features, Value

from nmt.config import InputConfig, TrainedTokenizerConfig
from nmt.config.section import members
from nmt.data import batching, corpus, tokenizer_training
from nmt.data.given import Given
from nmt.data.pictures import PICTURE

SECTIONS = {
    "vectors": {"size": 5},
    "pictures": {"height": 8, "width": 12, "cell": 4},
}
KINDS = {
    section.model_fields["kind"].default: section
    for section in members(InputConfig.__origin__)
    if section.model_fields["kind"].default != "text"
}


def sources(kind):
    """Returns three sources; of vectors they have different lengths."""
    rng = np.random.default_rng(3)
    if kind == "pictures":
        return [rng.integers(0, 256, (8, 12, 3), np.uint8) for _ in range(3)]
    return [rng.normal(size=(length, 5)).astype(np.float32) for length in (2, 4, 1)]


@pytest.fixture(params=KINDS)
def config(request):
    return KINDS[request.param](**SECTIONS[request.param])


def test_an_array_has_the_shape_that_the_model_is_told(config):
    reader, shape = config.build(), config.shape

    assert isinstance(reader, Given)
    for array in reader.arrays(sources(config.kind), before=0):
        assert array.shape == (len(array), shape.size)
        assert array.dtype == shape.dtype
        assert 0 < len(array) <= config.max_length
        if shape.grid is not None:
            assert len(array) == shape.grid[0] * shape.grid[1]


def test_what_has_been_read_is_read_as_it_is(config):
    reader = config.build()
    for array in reader.arrays(sources(config.kind), before=0):
        np.testing.assert_array_equal(reader.read(array, where=""), array)


def raw(config):
    """Returns the sources as rows of a data set, with their feature."""
    given = sources(config.kind)
    if config.kind == "vectors":
        return [array.tolist() for array in given], config.build().feature
    files = [io.BytesIO() for _ in given]
    for pixels, file in zip(given, files, strict=True):
        PIL.Image.fromarray(pixels).save(file, "PNG")
    return [{"bytes": file.getvalue(), "path": None} for file in files], PICTURE


def test_a_corpus_gives_back_the_arrays_and_batches_pad_them_with_zeros(config):
    arrays = config.build().arrays(sources(config.kind), before=0)
    rows, feature = raw(config)
    features = Features({"source": feature, "target": Value("string")})
    text = Dataset.from_dict({"source": rows, "target": ["a", "b a", "c"]}, features=features)
    settings = TrainedTokenizerConfig(vocabulary_size=8, byte_fallback=False)
    tokenizers = tokenizer_training.train((), ["a b c"] * 9, settings)
    found = corpus.rows(corpus.encode(text, tokenizers, input=config), [2, 0])
    bucket = batching.Bucket(rows=3, source=7, target=9)
    batch = batching.pad(found, bucket, shape=config.shape)

    assert batch.source.shape == (3, 7, config.shape.size)
    assert batch.source.dtype == config.shape.dtype
    assert batch.source_lengths.tolist() == [len(arrays[2]), len(arrays[0]), 0]
    for row, number in enumerate([2, 0]):
        length = len(arrays[number])
        np.testing.assert_array_equal(batch.source[row, :length], arrays[number])
        assert not batch.source[row, length:].any()
