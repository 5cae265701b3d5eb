"""Where training ends, and that moving the end does not move the learning rate silently."""

import shutil

import pytest
from tiny import tree, write_corpus

from nmt import configfile
from nmt.errors import ConfigError
from nmt.run import Run
from nmt.training.ending import total_steps
from nmt.training.session import train

pytestmark = pytest.mark.usefixtures("compiled_once")

COSINE = {"kind": "cosine"}
HALVED_AT_THE_END = {"kind": "luong", "every_steps": 100}  # from two thirds of all steps on


def config(run, corpus, **training):
    settings = {"max_epochs": None, "learning_rate": 0.01, "validate_every": 100, **training}
    return configfile.validate(tree(run, corpus, **settings))


@pytest.mark.parametrize(
    ("training", "steps"),
    [
        ({"max_steps": 50, "max_epochs": None}, 50),
        ({"max_epochs": 3}, 30),
        ({"max_steps": 50, "max_epochs": 3}, 30),
        ({"max_steps": 20, "max_epochs": 3}, 20),
        ({"max_epochs": 3, "gradient_accumulation": 4}, 7),
        ({"max_steps": 5, "max_epochs": 3, "gradient_accumulation": 4}, 5),
        ({"max_epochs": 1, "gradient_accumulation": 20}, 1),
    ],
)
def test_the_steps_are_those_of_the_first_limit(tmp_path, training, steps):
    settings = config(tmp_path, tmp_path, **training)

    assert total_steps(settings, batches_per_epoch=10) == steps


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, corpus):
    """A cosine run of four steps, whose rate has come down to zero."""
    run = tmp_path_factory.mktemp("finished") / "run"
    return train(config(run, corpus, max_steps=4, schedule=COSINE))


@pytest.mark.parametrize(
    ("limits", "numbers"),
    [
        # Step 5 of 8 has half a cosine of 5/8: (1 + cos(5/8 pi)) / 2 = 0.3087.
        (
            {"max_steps": 8},
            r"from 4 to 8: the .* rate, 0 at update 4, would be 0\.00309 at the next",
        ),
        # An epoch has eight batches: (1 + cos(5/16 pi)) / 2 = 0.7778.
        ({"max_epochs": 2}, r"from 4 to 16: the .* rate, 0 at update 4, would be 0\.00778 at the"),
    ],
)
def test_the_end_of_a_cosine_run_does_not_move_silently(finished, corpus, limits, numbers):
    before = (finished.path / "config.yaml").read_bytes()

    with pytest.raises(ConfigError, match=f"run: the cosine schedule .* {numbers}") as refused:
        train(config(finished.path, corpus, schedule=COSINE, **limits))

    assert "give training.extend=true if that is what you want" in str(refused.value)
    assert (finished.path / "config.yaml").read_bytes() == before
    assert Run.open(finished.path).progress("last").step == 4


def test_the_same_end_in_other_words_is_no_other_end(finished, corpus, capsys):
    settings = {"max_epochs": 3, "max_steps": 4}

    train(config(finished.path, corpus, schedule=COSINE, **settings))

    assert "run: training.max_epochs: None -> 3\n" in capsys.readouterr().err


def test_an_end_that_has_passed_moves_no_learning_rate(finished, corpus, tmp_path, capsys):
    shutil.copytree(finished.path, tmp_path / "run")

    train(config(tmp_path / "run", corpus, max_steps=2, schedule=COSINE))

    assert "run: already trained to step 4 of 2; raise training" in capsys.readouterr().err


def test_a_corpus_that_has_grown_does_not_move_the_end_silently(tmp_path):
    corpus = write_corpus(tmp_path)
    settings = config(tmp_path / "run", corpus, max_epochs=1, schedule=COSINE)
    train(settings)
    for file in ("train.de", "train.en"):
        (corpus / file).write_text((corpus / file).read_text() * 2)

    # Step 9 of 15 has half a cosine of 9/15: (1 + cos(9/15 pi)) / 2 = 0.3455.
    message = r"from 8 to 15 with the corpus as it is now: .* at update 8, would be 0\.00345 at the"
    with pytest.raises(ConfigError, match=message):
        train(settings)


@pytest.mark.slow
def test_an_end_that_is_moved_on_purpose_moves(tmp_path, corpus):
    first = config(tmp_path / "run", corpus, max_steps=1, schedule=HALVED_AT_THE_END)
    train(first)
    longer = config(tmp_path / "run", corpus, max_steps=4, schedule=HALVED_AT_THE_END)

    # Halved after two thirds of all steps: of one step before the first, of four after two.
    with pytest.raises(
        ConfigError, match=r"luong .* 0\.005 at update 1, would be 0\.01 at the next"
    ):
        train(longer)

    extended = longer.training.model_copy(update={"extend": True})
    run = train(longer.model_copy(update={"training": extended}))
    assert run.progress("last").step == 4
