"""A run that goes on says which of its corpora have changed since it was stopped."""

from pathlib import Path

import pytest
from tiny import tree, write_corpus

from nmt import configfile
from nmt.checkpoints import TrainingProgress
from nmt.training.contents import Contents
from nmt.training.session import train

pytestmark = pytest.mark.usefixtures("compiled_once")

NOW = Contents(training="1", validation="2")
TRAINING = (
    "run: the training corpus has changed since step 5: the rest of epoch 3 counts the batches of "
    "the new one, so that it may read some pairs twice and others not at all; to go on as if "
    "without a stop, put the old corpus back"
)
VALIDATION = (
    "run: the validation corpus has changed since step 5: scores from now on are not comparable "
    "with those before, among them that of the best checkpoint; put the old corpus back, or name "
    "another folder with run=..."
)


@pytest.mark.parametrize(
    ("training", "validation", "lines"),
    [
        ("1", "2", []),
        ("9", "2", [TRAINING]),
        ("1", "9", [VALIDATION]),
        ("9", "9", [TRAINING, VALIDATION]),
        ("", "", []),  # of an older checkpoint
    ],
)
def test_each_corpus_that_has_changed_has_a_line(training, validation, lines):
    before = TrainingProgress(epoch=2, step=5, training_text=training, validation_text=validation)

    assert NOW.changes(Path("run"), before) == lines


def test_a_changed_corpus_is_told_once_when_a_run_goes_on(tmp_path, capfd):
    corpus = write_corpus(tmp_path)
    whole = (corpus / "train.de").read_text()

    def said(steps):
        training = {"max_steps": steps, "max_epochs": None, "learning_rate": 1e-9}
        train(configfile.validate(tree(tmp_path / "run", corpus, **training)))
        return [line for line in capfd.readouterr().err.splitlines() if "has changed" in line]

    assert said(1) == said(2) == []
    (corpus / "train.de").write_text(whole.replace("a", "b"))
    [line] = said(3)
    assert "run: the training corpus has changed since step 2: the rest of epoch 1" in line
    assert said(4) == []
