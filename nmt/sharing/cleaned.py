"""SentencePiece models without the names of files that they were trained from."""

import dataclasses

from google.protobuf.message import DecodeError
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers
from nmt.errors import DataError

# Messages in a model, and their fields that hold paths. Models of nmt have none of them.
PATHS = {
    "trainer_spec": ("input", "model_prefix", "seed_sentencepieces_file"),
    "normalizer_spec": ("normalization_rule_tsv",),
    "denormalizer_spec": ("normalization_rule_tsv",),
}


def without_paths(tokenizers: Tokenizers) -> Tokenizers:
    """Returns tokenizers that do the same; those without paths are the same, byte for byte.

    Raises:
        DataError: a model is damaged.
    """
    source, target = map(_without_paths, (tokenizers.source, tokenizers.target))
    return dataclasses.replace(tokenizers, source=source, target=target)


def _without_paths(tokenizer: Tokenizer) -> Tokenizer:
    try:
        model = ModelProto.FromString(tokenizer.model)
    except DecodeError:
        raise DataError("the tokenizer model is damaged: put the original file back") from None
    found = [
        (getattr(model, message), field)
        for message, fields in PATHS.items()
        for field in fields
        if getattr(getattr(model, message), field)
    ]
    for spec, field in found:
        spec.ClearField(field)
    return Tokenizer(model.SerializeToString()) if found else tokenizer
