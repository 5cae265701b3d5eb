"""The section `data.input`: what a source is, and the settings that are for text alone."""

import re

import pytest

from nmt import configfile
from nmt.config import InputShape
from nmt.errors import ConfigError

PICTURES = {"kind": "pictures", "height": 32, "width": 64, "cell": 8}
VECTORS = {"kind": "vectors", "size": 40}


def tree(input, **sections):
    data = {"train": "x", "validation": "y", "input": input, **sections.pop("data", {})}
    return {"run": "r", "data": data, **sections}


def test_each_kind_has_its_shape():
    def shape(given):
        return configfile.validate(tree(given)).data.input.shape

    assert shape("text") is None
    assert shape(VECTORS) == InputShape(40, "float32", None)
    assert shape(PICTURES) == InputShape(192, "uint8", (4, 8))


def test_length_limits_of_vectors_are_their_own():
    def longest(given):
        return configfile.validate(tree(given, data={"max_length": 50})).data.longest

    assert longest("text") == (50, 50)
    assert longest({**VECTORS, "max_length": 900}) == (900, 50)
    assert longest(PICTURES) == (32, 50)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"input": {**PICTURES, "cell": 6}}, "`cell` is 6, and must be a power of two, such as 8"),
        ({"input": {**PICTURES, "width": 60}}, "`width` (60) must be a multiple of `cell` (8)"),
        (
            {"input": PICTURES, "data": {"clean": True}},
            "`clean` is for sources of text, and `input` is pictures: leave it out",
        ),
        (
            {"input": VECTORS, "data": {"stream": True}, "training": {"max_steps": 5}},
            "`stream` is for sources of text, and `input` is vectors: leave it out",
        ),
        (
            {"input": VECTORS, "data": {"train": {"path": "x", "alignments": "l"}}},
            "`train.alignments` is for sources of text, and `input` is vectors: leave it out",
        ),
        (
            {"input": VECTORS, "data": {"train": {"path": "x", "source_tag": "<t>"}}},
            "`train.source_tag` is for sources of text, and `input` is vectors: leave it out",
        ),
        (
            {"input": PICTURES, "data": {"train": "embedded"}},
            "the corpus `embedded` has text, and `input` is pictures: choose `scenes`",
        ),
        (
            {"input": "text", "data": {"train": "scenes"}},
            "the corpus `scenes` has pictures: set `input: pictures`",
        ),
        (
            {"input": VECTORS, "data": {"train": "scenes"}},
            "the corpus `scenes` has pictures: set `input: pictures`",
        ),
        (
            {"input": VECTORS, "tokenizer": {"joint": False}},
            "`tokenizer` has two models, and `data.input: vectors` has no text for one of them",
        ),
        (
            {"input": PICTURES, "tokenizer": {"sampling": {}}},
            "`tokenizer.sampling` is for sources of text, and `data.input` is pictures: leave it",
        ),
        (
            {"input": PICTURES, "decoding": {"shortlist": 5}},
            "`decoding.shortlist` is for sources of text, and `data.input` is pictures: leave it",
        ),
        (
            {"input": PICTURES, "decoding": {"placeholders": ["numbers"]}},
            "`decoding.placeholders` is for sources of text, and `data.input` is pictures: leave",
        ),
    ],
    ids=[
        "cell", "width", "clean", "stream", "links", "tags", "embedded", "scenes as text",
        "scenes as vectors", "two models", "sampling", "shortlist", "placeholders",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(sections, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        configfile.validate(tree(**sections), where="x.yaml")
