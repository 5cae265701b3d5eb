import json
import re

import pytest

from nmt import configfile, curves
from nmt.errors import RunError

TRAINING = [
    {"step": 50, "train/loss": 5.0, "train/perplexity": 150.0, "train/learning_rate": 1e-3,
     "train/gradient_norm": 1.5},
    {"step": 100, "train/loss": 4.0, "train/perplexity": 50.0, "train/learning_rate": 2e-3,
     "train/gradient_norm": 1.25},
]  # fmt: skip
VALIDATION = [{"step": 100, "validation/perplexity": 60.0, "validation/bleu": 7.5}]


@pytest.fixture
def run(tmp_path):
    """Makes a run folder of which nothing but the configuration and the log are there."""

    def make(name, *records, end=""):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        config = configfile.validate({"data": {"train": "a", "validation": "b"}})
        (folder / "config.yaml").write_text(configfile.dump(config), encoding="utf-8")
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (folder / "metrics.jsonl").write_text(lines + end, encoding="utf-8")
        return folder

    return make


def drawn(figure):
    return {
        axes.get_ylabel(): {
            line.get_label(): [list(axis) for axis in line.get_data()] for line in axes.lines
        }
        for axes in figure.axes
    }


def test_one_run_shows_training_and_validation(run):
    figure = curves.draw([run("a", *TRAINING, *VALIDATION)])

    assert drawn(figure) == {
        "loss of a target piece": {"training": [[50, 100], [5, 4]]},
        "perplexity": {"training": [[50, 100], [150, 50]], "validation": [[100], [60]]},
        "BLEU": {"validation": [[100], [7.5]]},
        "learning rate": {"training": [[50, 100], [1e-3, 2e-3]]},
        "gradient norm": {"training": [[50, 100], [1.5, 1.25]]},
    }


def test_runs_are_told_apart_by_their_folders_names_or_paths(run):
    one, two, other = run("x/same", *TRAINING), run("y/same", *TRAINING), run("z", *VALIDATION)

    found = drawn(curves.draw([one, two, other]))

    assert list(found["learning rate"]) == [f"{one}, training", f"{two}, training"]
    assert list(found["BLEU"]) == ["z, validation"]


def test_a_line_that_is_being_written_is_left_for_later(run):
    figure = curves.draw([run("a", *TRAINING, end='{"step": 150, "train/lo')])

    assert drawn(figure)["gradient norm"]["training"] == [[50, 100], [1.5, 1.25]]


@pytest.mark.parametrize("line", ["nonsense", "3", '{"train/loss": 2}', "[]"])
def test_a_damaged_line_is_named(run, line):
    folder = run("a", *TRAINING, end=f"{line}\n")

    message = f"{folder / 'metrics.jsonl'}, line 3: no record of a step; remove it"
    with pytest.raises(RunError, match=re.escape(message)):
        curves.draw([folder])


def test_a_run_that_has_logged_nothing_is_named(run):
    empty, missing = run("empty"), run("missing", *TRAINING)
    (missing / "metrics.jsonl").unlink()

    for folder in (empty, missing):
        with pytest.raises(RunError, match=f"{folder}: nothing to draw yet"):
            curves.draw([folder])
