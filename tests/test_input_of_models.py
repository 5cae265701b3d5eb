"""The model and `data.input`: what a model cannot do with a source is refused."""

import re

import pytest

from nmt import configfile
from nmt.config import InputShape
from nmt.errors import ConfigError

VECTORS = {"kind": "vectors", "size": 512}
PICTURES = {"kind": "pictures"}


def _tree(given, **model):
    return {
        "data": {"input": given, "train": "t", "validation": "v"},
        "tokenizer": {"joint": True},
        "model": model,
    }


@pytest.mark.parametrize(
    ("given", "model", "shape"),
    [
        ("text", {}, None),
        (VECTORS, {"encoder": {"kind": "identity", "annotation_size": 512}}, InputShape(512)),
        (VECTORS, {"encoder": {"kind": "alternating"}}, InputShape(512)),
        (PICTURES, {"encoder": "conv"}, InputShape(192, "uint8", (8, 8))),
        (PICTURES, {"encoder": {"kind": "bidirectional"}}, InputShape(192, "uint8", (8, 8))),
        (
            {**PICTURES, "cell": 4, "width": 32},
            {"encoder": {"kind": "conv", "channels": [8, 9]}},
            InputShape(48, "uint8", (16, 8)),
        ),
    ],
)
def test_vectors_and_pictures_have_a_shape_that_encoders_read(given, model, shape):
    assert configfile.validate(_tree(given, **model)).data.input.shape == shape


@pytest.mark.parametrize(
    ("given", "model", "message"),
    [
        (
            "text",
            {"encoder": "conv"},
            "`model.encoder.kind: conv` reads no text: choose `encoder: bidirectional`, or a "
            "`data.input` of pictures or vectors",
        ),
        (
            "text",
            {"encoder": {"kind": "identity", "annotation_size": 4}},
            "`model.encoder.kind: identity` reads no text: choose `encoder: bidirectional`, or a "
            "`data.input` of pictures or vectors",
        ),
        (
            VECTORS,
            {"encoder": {"kind": "identity", "annotation_size": 4}},
            "`model.encoder.annotation_size` (4) must be the size of the vectors of `data.input` "
            "(512), which `kind: identity` leaves as they are",
        ),
        (
            VECTORS,
            {"encoder": "conv"},
            "`model.encoder.kind: conv` reads pictures: set `data.input: pictures`, or choose "
            "`encoder: identity` or `bidirectional`",
        ),
        (
            PICTURES,
            {"encoder": {"kind": "conv", "channels": [8, 9]}},
            "`model.encoder.channels` is of 2 layers, which halve each side, and "
            "`data.input.cell` of 8 pixels needs 3",
        ),
        (
            PICTURES,
            {"lexical_model": True},
            "`model.lexical_model: true` reads the embeddings of source words, and "
            "`data.input: pictures` has none: leave it out",
        ),
        (
            VECTORS,
            {"tied_embeddings": "all"},
            "`model.tied_embeddings: all` shares those of source words, and "
            "`data.input: vectors` has none: tie only the `target`",
        ),
        (
            PICTURES,
            {"dropout": {"source_words": 0.1}},
            "`model.dropout.source_words` drops embeddings of source words, and "
            "`data.input: pictures` has none: leave it out",
        ),
    ],
)
def test_what_the_model_cannot_do_with_a_source_is_one_line(given, model, message):
    with pytest.raises(ConfigError, match=f"^config: {re.escape(message)}$"):
        configfile.validate(_tree(given, **model))
