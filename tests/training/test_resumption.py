"""A run does not go on from nothing: neither without its checkpoints nor with another tokenizer."""

import shutil

import pytest
from tiny import tree, write_corpus

from nmt import configfile
from nmt.errors import RunError
from nmt.run import Run
from nmt.training.session import train

pytestmark = pytest.mark.usefixtures("compiled_once")


def test_a_run_whose_last_checkpoint_is_gone_keeps_its_models(copy_run, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(copy_run, path, ignore=shutil.ignore_patterns("last"))
    before = {each: each.read_bytes() for each in path.rglob("*") if each.is_file()}
    last = list(Run.open(path).validations())[-1]

    message = (
        rf"run: was trained to step {last} at least, and has no checkpoint in checkpoints/last to "
        rf"go on from; .* training\.start_from={path}$"
    )
    with pytest.raises(RunError, match=message):
        train(configfile.load(path / "config.yaml"))

    assert {each: each.read_bytes() for each in path.rglob("*") if each.is_file()} == before


def test_a_training_that_was_killed_as_it_saved_first_begins_anew(tmp_path):
    path, corpus = tmp_path / "run", write_corpus(tmp_path)
    settings = configfile.validate(tree(path, corpus, max_steps=1, max_epochs=None))
    train(settings)
    shutil.rmtree(path / "checkpoints" / "last")

    assert train(settings).progress("last").step == 1


def test_a_lost_tokenizer_is_made_again_from_the_same_text_alone(tmp_path):
    path, corpus = tmp_path / "run", write_corpus(tmp_path)
    settings = configfile.validate(tree(path, corpus, max_steps=1, max_epochs=None))
    train(settings)
    shutil.rmtree(path / "tokenizer")
    whole = (corpus / "train.de").read_text()

    (corpus / "train.de").write_text(whole.replace("a", "b"))
    with pytest.raises(RunError, match="run: tokenizer/ is missing, and the training corpus gives"):
        train(settings)
    assert not (path / "tokenizer").exists()

    (corpus / "train.de").write_text(whole)
    assert train(settings).started
