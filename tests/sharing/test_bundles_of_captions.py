"""Bundles of models that read vectors or pictures: their captions, their cards, their pictures."""

import json
import shutil

import drawn
import numpy as np
import pytest
import vectors
from flax import nnx
from huggingface_hub import ModelCard
from PIL import Image
from tiny import changed_run, letters

from nmt import configfile
from nmt.bundle import Bundle
from nmt.checkpoints import TrainingProgress
from nmt.config import CorpusConfig
from nmt.data import corpora, tokenizer_training
from nmt.inference.captioner import Captioner
from nmt.model.build import build_model
from nmt.run import Run
from nmt.sharing.card import Given
from nmt.sharing.export import export, write

LINES = ["a b c", "h", "g f e d"]
ARRAYS = [vectors.spoken(line, seed=50 + i) for i, line in enumerate(LINES)]


@pytest.fixture(scope="module")
def picture_run(tmp_path_factory):
    """A run of a model of pictures that was initialized, and not trained."""
    folder = tmp_path_factory.mktemp("pictures")
    lines = letters(20, longest=4, seed=2)
    tree = drawn.tree(folder / "run", folder, lines=lines, validation=lines[:3], input={"shift": 2})
    tree["data"]["test"] = tree["data"]["validation"]
    run = Run.start(configfile.validate(tree))
    target = corpora.training(run.config.data).text["target"]
    tokenizers = tokenizer_training.train((), target, run.config.tokenizer)
    run.create(tokenizers)
    _, params = nnx.split(build_model(run.config, tokenizers))
    run.save("best", {"params": params}, TrainingProgress(tokenizer=tokenizers.fingerprint))
    return run


@pytest.fixture(scope="module")
def spoken(spoken_run, tmp_path_factory):
    """The run that reads vectors, with a test set, and its bundle."""
    folder = tmp_path_factory.mktemp("exported")
    test = CorpusConfig(**vectors.write(folder, "test", LINES))
    run = Run.open(changed_run(spoken_run, folder / "run", test=test))
    export(run, folder / "bundle", Given("hf:user/spoken", "cc0-1.0", test=True))
    return run, folder / "bundle"


def written(run, folder, dtype="float32"):
    write(run, folder, run.checkpoints.find("best"), dtype)
    return folder


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert (one.text, one.score) == (other.text, other.score)
        np.testing.assert_array_equal(one.attention, other.attention)


def test_a_bundle_of_vectors_writes_as_its_run_does(spoken):
    run, bundle = spoken
    captions = Captioner.load(bundle).translate(ARRAYS)

    assert [each.text for each in captions] == LINES
    assert_same(captions, Captioner.load(run.path).translate(ARRAYS))


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_fewer_bits_write_the_same_texts(spoken, tmp_path, dtype):
    bundle = written(spoken[0], tmp_path / "bundle", dtype)

    assert [each.text for each in Captioner.load(bundle).translate(ARRAYS)] == LINES


@pytest.mark.filterwarnings("ignore:.*cut at its longest|no picture of attention")
def test_a_bundle_of_pictures_writes_as_its_run_does(picture_run, tmp_path):
    bundle = shutil.move(written(picture_run, tmp_path / "made"), tmp_path / "elsewhere")
    pictures = [drawn.drawn(line) for line in LINES]
    settings = {"max_extra": 2, "max_output_ratio": 0.5}

    found = Captioner.load(bundle, **settings).translate(pictures)
    assert_same(found, Captioner.load(picture_run.path, **settings).translate(pictures))


def test_the_settings_of_training_alone_are_left_out(picture_run, tmp_path):
    bundle = written(picture_run, tmp_path / "bundle")
    stored = json.loads((bundle / "config.json").read_text())["data"]["input"]

    assert picture_run.config.data.input.shift == 2
    assert Bundle.open(bundle).config.data.input.shift == 0
    assert stored.items() >= drawn.INPUT.items()
    both = Captioner.load([bundle, picture_run.path])
    assert len(both.loaded.members) == 2


def test_a_bundle_of_text_has_no_key_of_inputs(copy_bundle):
    assert "input" not in json.loads((copy_bundle / "config.json").read_text())["data"]


def test_the_card_of_vectors_says_how_to_use_them(spoken):
    _, bundle = spoken
    card = ModelCard.load(bundle / "README.md")
    lines = card.text.splitlines()

    for line in (
        "captioner = nmt.Captioner.load('hf:user/spoken')",
        f"vectors = ...  # a float32 array of shape (positions, {vectors.SIZE})",
        "print(captioner.translate([vectors])[0].text)",
        "or, in a shell, `nmt translate hf:user/spoken FILE.npz`.",
    ):
        assert line in lines
    assert card.data.pipeline_tag == "other"
    assert card.data.language == ["en"]
    bleu = next(each for each in card.data.eval_results if each.metric_type == "bleu")
    assert (bleu.dataset_split, bleu.metric_value) == ("test", 100)
    with Image.open(bundle / "attention.png") as picture:
        assert min(picture.size) > 100


@pytest.mark.filterwarnings("ignore:.*cut at its longest|no picture of attention")
def test_the_card_of_pictures_says_what_they_become(picture_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"max_extra": 3, "min_output_ratio": 0.2}
    decoding = picture_run.config.decoding.model_copy(update=settings)
    run = Run(picture_run.path, picture_run.config.model_copy(update={"decoding": decoding}))
    export(run, tmp_path / "drawn", Given("drawn"))
    card = ModelCard.load(tmp_path / "drawn" / "README.md")

    assert "resized to 12 x 12 pixels and divided into 3 x 3 cells" in card.text
    assert 'print(captioner.translate(["x.png"])[0].text)' in card.text.splitlines()
    assert "captions of up to 100 pieces" in card.text
    assert (card.data.pipeline_tag, card.data.tags[0]) == ("image-to-text", "image-captioning")
