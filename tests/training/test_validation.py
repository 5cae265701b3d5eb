"""Validation: the perplexity that forced decoding finds too, BLEU of what is written, images."""

import dataclasses
import math
import warnings

import numpy as np
import pytest
from datasets import Dataset
from flax import nnx

from nmt import configfile
from nmt.config import BeamConfig, TrainedTokenizerConfig
from nmt.data import corpus, tokenizer_training
from nmt.data.images import png
from nmt.data.pictures import PAIRS
from nmt.evaluation.metrics import bleu
from nmt.inference.predictor import LoadedModel
from nmt.inference.translator import Translator
from nmt.model.build import build_model
from nmt.training.validation import Report, Validator

pytestmark = pytest.mark.usefixtures("compiled_once")

SOURCE = ["", "ein Hund", "die Katze schläft im Garten", "kein Vogel singt", "im Garten singt"]
TARGET = ["", "a dog", "the cat sleeps in the garden", "no bird sings", "who sings there"]


@pytest.fixture(scope="module")
def tokenizers():
    return tokenizer_training.train(
        SOURCE[1:], TARGET[1:], TrainedTokenizerConfig(vocabulary_size=33, byte_fallback=False)
    )


@pytest.fixture(scope="module")
def config():
    model = {"embedding_size": 4, "encoder": {"hidden_size": 3}, "decoder": {"hidden_size": 5}}
    return configfile.validate(
        {
            "data": {"train": "unused", "validation": "unused"},
            "model": model,
            "training": {"attention_images": 3},
            "decoding": {"batch": 3, "beam": 2, "strategy": "sample"},  # validation draws nothing
        }
    )


@pytest.fixture(scope="module")
def network(config, tokenizers):
    return nnx.split(build_model(config, tokenizers), nnx.Param)


def validator(config, tokenizers, graph, lines=slice(1, None)):
    columns = {"source": SOURCE[lines], "target": TARGET[lines]}
    text = Dataset.from_dict(columns, features=corpus.TEXT)
    return Validator(text, graph, tokenizers=tokenizers, config=config)


# The network has learned nothing, and writes until it is stopped.
@pytest.mark.filterwarnings("ignore:.*cut at its longest length")
@pytest.mark.parametrize("reverse_target", [False, True])
def test_a_report_is_that_of_forced_decoding_and_of_greedy_search(
    config, tokenizers, network, reverse_target
):
    graph, params = network
    tokenizers = dataclasses.replace(tokenizers, reverse_target=reverse_target)
    greedy = Translator(
        LoadedModel(params, graph),
        tokenizers=tokenizers,
        config=config.decoding.model_copy(update={"strategy": BeamConfig(), "beam": 1}),
    )
    forced = greedy.align(SOURCE[1:], TARGET[1:])
    pieces = sum(len(each.target_pieces) for each in forced)

    report = validator(config, tokenizers, graph).measure(params)

    expected = math.exp(-sum(each.log_prob for each in forced) / pieces)
    assert report.perplexity == pytest.approx(expected, rel=1e-4)
    found = greedy.translate(SOURCE[1:])
    assert report.bleu == bleu([each.text for each in found], TARGET[1:])
    assert report.cut == sum(each.target_pieces[-1] != "</s>" for each in found) > 0


def test_validation_counts_what_is_cut_and_does_not_warn(config, tokenizers, network):
    graph, params = network

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = validator(config, tokenizers, graph).measure(params)

    assert report.cut > 0


def test_images_are_of_the_first_sentences_that_have_words(config, tokenizers, network):
    graph, params = network

    images = validator(config, tokenizers, graph, slice(None)).attention_images(params)

    assert len(images) == 2
    for image in images:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3


LONG = " ".join(["der Hund"] * 300)


def long_validator(config, tokenizers, graph, *, source=SOURCE[1:], target=TARGET[1:]):
    text = Dataset.from_dict({"source": source, "target": target}, features=corpus.TEXT)
    return Validator(text, graph, tokenizers=tokenizers, config=config)


def test_long_lines_are_named_before_training_and_bounds_hold(config, tokenizers, network):
    graph, params = network
    sides = {"source": SOURCE[1:] * 8, "target": TARGET[1:] * 8}
    sides["source"][6] = sides["target"][9] = LONG

    with pytest.warns() as told:
        validator = long_validator(config, tokenizers, graph, **sides)

    assert len(told) == 2
    for warning, (line, side) in zip(told, {7: "source", 10: "target"}.items(), strict=True):
        message = f"line {line}: the {side} of validation has more than 511 pieces, and is cut; "
        assert f"{message}decoding.max_pi" in str(warning.message)
    for batch in validator.batches:
        sizes = [np.prod(np.asarray(ids).shape) for ids in (batch.source, batch.target)]
        # 128 tokens for each of the three sentences of `decoding.batch`, or a row on each device.
        assert max(sizes) <= max(3 * 128 * 2, 512 * 2)
    for side in sides:
        lengths = [np.asarray(getattr(batch, f"{side}_lengths")) for batch in validator.batches]
        assert max(map(np.max, lengths)) == 512
        assert sum(np.count_nonzero(each) for each in lengths) == 32
    assert math.isfinite(validator.measure(params).perplexity)
    assert len(validator.attention_images(params)) == 3


def test_no_picture_is_drawn_of_long_sentences(config, tokenizers, network):
    graph, params = network
    sentences = ["Hund " * 60, "ein Hund", "Hund " * 50]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = long_validator(
            config, tokenizers, graph, source=sentences, target=["a dog"] * 3
        ).attention_images(params)

    assert len(images) == 1
    assert max(images[0].shape[:2]) < 1000


def test_more_is_better_whatever_the_metric():
    worse = Report(perplexity=9.0, bleu=bleu(["a b c d e"], ["f g h i j"]))
    better = Report(perplexity=3.0, bleu=bleu(["a b c d e"], ["a b c d e"]))

    for metric in ("bleu", "perplexity"):
        assert better.value(metric) > worse.value(metric)


def test_images_of_captions_are_drawn_over_their_pictures(tokenizers):
    side = 12 * 4  # pixels, with more cells than pieces of a sentence that is drawn
    shape = {"kind": "pictures", "height": side, "width": side, "cell": 4}
    config = configfile.validate(
        {
            "data": {"train": "unused", "validation": "unused", "input": shape},
            "model": {
                "embedding_size": 4,
                "encoder": {"hidden_size": 3},
                "decoder": {"hidden_size": 5},
            },
            "training": {"attention_images": 2},
        }
    )
    graph, params = nnx.split(build_model(config, tokenizers), nnx.Param)
    red = np.full((side, side, 3), (255, 0, 0), np.uint8)
    rows = [{"bytes": png(red), "path": None}] * 2
    text = Dataset.from_dict({"source": rows, "target": TARGET[1:3]}, features=PAIRS)

    images = Validator(text, graph, tokenizers=tokenizers, config=config).attention_images(params)

    assert len(images) == 2
    for image in images:
        assert (image == (255, 0, 0)).all(axis=2).mean() > 0.05  # the picture beside its words
