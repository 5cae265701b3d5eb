"""The settings of a guided head: what it asks for, and what is refused."""

import re

import pytest

from nmt import configfile
from nmt.config import GuidedAlignmentConfig
from nmt.errors import ConfigError

LINKED = {"path": "x", "alignments": "y"}


def validated(train=LINKED, *, training=None, **model):
    data = {"source": "de", "target": "en", "train": train, "validation": "z"}
    tree = {"data": data, "model": {"guided_head": {}, **model}, "training": training or {}}
    return configfile.validate(tree, where="small.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"train": "x"},
            "`model.guided_head` learns from word links alone: give `data.train.alignments`, or "
            "leave it out",
        ),
        (
            {"training": {"guided_alignment": {"weight": 1}}},
            "`model.guided_head` aligns at the step that has read a piece: set "
            "`training.guided_alignment.step: shifted`, or leave out `guided_head`",
        ),
    ],
    ids=["no links", "another step"],
)
def test_what_would_do_nothing_is_refused(changes, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        validated(**changes)


@pytest.mark.parametrize(
    "model",
    [
        {"decoder": "bahdanau"},
        {"attention": {"mechanism": "none"}},
        {"attention": {"normalizer": "sparsemax"}},
        {"attention": "hard"},
    ],
    ids=["Bahdanau's decoder", "no attention", "sparsemax", "reinforce"],
)
def test_it_is_guided_whatever_the_network_attends_by(model):
    settings = validated(**model)

    assert settings.training.guided_alignment == GuidedAlignmentConfig(step="shifted")
    assert configfile.validate(settings.model_dump(mode="json")) == settings
