"""The settings of a network that aligns: what it asks for, and what is refused."""

import re

import pytest

from nmt import configfile
from nmt.config import AlignerConfig
from nmt.errors import ConfigError


def validated(*, training=None, **sections):
    data = {"source": "de", "target": "en", "train": "x", "validation": "z"}
    tree = {
        "data": data | sections.pop("data", {}),
        "aligner": sections.pop("aligner", {}),
        "training": {"metric": "perplexity"} | (training or {}),
        **sections,
    }
    return configfile.validate(tree, where="small.yaml")


VECTORS = {"source": "speech", "input": {"kind": "vectors", "size": 4}}
REFUSED = {
    "a model": (
        {"model": {"embedding_size": 7}},
        "`model` translates, and `aligner` is trained instead: leave one of them out",
    ),
    "vectors": (
        {"data": VECTORS},
        "`aligner` reads text, and `data.input` is vectors: leave it out",
    ),
    "links": (
        {"data": {"train": {"path": "x", "alignments": "y"}}},
        "`aligner` learns from text alone: leave out `data.train.alignments`",
    ),
    "from right to left": (
        {"data": {"reverse_target": True}},
        "`data.reverse_target` is for translation, and `aligner` reads both directions",
    ),
    "BLEU": (
        {"training": {"metric": "bleu"}},
        "`training.metric: bleu` scores translations, and `aligner` makes none: set "
        "`training.metric: perplexity`",
    ),
    "r_drop": (
        {"training": {"r_drop": {}}},
        "`training.r_drop` is for a network that translates: leave it out",
    ),
    "doubly_stochastic": (
        {"training": {"doubly_stochastic": {}}},
        "`training.doubly_stochastic` is for a network that translates: leave it out",
    ),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_would_do_nothing_is_refused(changes, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        validated(**changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("empty", 0),
        ("empty", 1),
        ("dropout", 1.5),
        ("agreement", -0.1),
        ("longest_jump", 0),
        ("hidden_size", 0),
        ("layers", 2),
    ],
)
def test_impossible_settings_are_named(name, value):
    with pytest.raises(ConfigError, match=f"aligner.{name}"):
        validated(aligner={name: value})


def test_a_configuration_without_one_translates_and_one_with_it_is_read_again():
    settings = validated(aligner={"hidden_size": 6, "cell": "lstm"})

    assert settings.aligner == AlignerConfig(hidden_size=6, cell={"kind": "lstm"})
    assert configfile.validate(settings.model_dump(mode="json")) == settings
    assert validated(aligner=None).aligner is None
