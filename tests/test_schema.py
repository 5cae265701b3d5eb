"""The JSON schema accepts what the loader accepts, and refuses wrong keys, kinds and values."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from nmt import configfile
from nmt.config.schema import schema
from nmt.errors import ConfigError

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
SCHEMA = json.loads(schema())


def accepted(tree):
    return Draft7Validator(SCHEMA).is_valid(tree)


def loaded(tree):
    try:
        return bool(configfile.validate(tree))
    except ConfigError:
        return False


def tree(**sections):
    data = {"train": "a", "validation": "b", **sections.pop("data", {})}
    return {"data": data, **sections}


def test_the_schema_is_one():
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_is_accepted_and_names_the_schema(path):
    assert accepted(configfile.read(path))
    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_what_is_dumped_is_accepted(path):
    assert accepted(yaml.safe_load(configfile.dump(configfile.load(path))))


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"training": {"optimizer": "adam"}},
        {"training": {"schedule": {"warmup_steps": 3}}},
        {"training": {"schedule": {"kind": "luong", "factor": 0.1}}},
        {"training": {"max_steps": None, "patience": None}},
        {"model": {"attention": "global"}},
        {"model": {"attention": "none"}},
        {"model": {"attention": {"mechanism": "hard", "estimator": "gumbel"}}},
        {"model": {"attention": {"coverage": "none"}}},
        {"model": {"attention": {"coverage": None}}},
        {"model": {"attention": {"coverage": {"kind": "neural", "size": 3}}}},
        {"model": {"attention": {"score": "my.module:Score", "score_options": {"a": [1]}}}},
        {"decoding": {"length_penalty": 0.6}},
        {"decoding": {"length_penalty": "gnmt"}},
        {"decoding": {"length_penalty": {"alpha": 2}}},
        {"tokenizer": {"model": "a.model", "sampling": {"alpha": 0.2}}},
        {"tokenizer": {"source_model": "a.model", "target_model": "b.model"}},
        {"data": {"batch": {"tokens": 900}}},
        {"data": {"train": ["a.de", "a.en"], "test": {"hub": "x", "columns": ["a", "b"]}}},
        {"data": {"train": [{"path": "a"}, ["b.de", "b.en"]], "temperature": 5}},
        {"data": {"train": [{"path": "a", "weight": 2}], "clean": True}},
        {"data": {"clean": {"held_out": None, "max_ratio": 3}}},
    ],
)
def test_what_the_loader_accepts_is_accepted(sections):
    assert loaded(tree(**sections))
    assert accepted(tree(**sections))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"data": {"train": "a"}},
        tree(seed=-1),
        tree(seed="one"),
        tree(modle={}),
        tree(model={"dropout": 1}),
        tree(model={"attention": "globl"}),
        tree(model={"attention": {"window": 3}}),
        tree(model={"attention": {"score": "addictive"}}),
        tree(model={"attention": {"coverage": {"size": 3}}}),
        tree(model={"decoder": {"kind": "bahdanau", "input_feeding": True}}),
        tree(training={"optimizer": {"kind": "adam", "weight_decay": 0.1}}),
        tree(training={"optimizer": "none"}),
        tree(training={"schedule": {"kind": "inverse_sqrt", "warmup_steps": 0}}),
        tree(training={"metric": "blue"}),
        tree(decoding={"length_penalty": 6}),
        tree(decoding={"beam": 2.5}),
        tree(tokenizer={"model": "a", "vocabulary_size": 90}),
        tree(tokenizer={"source_model": "a"}),
        tree(data={"batch": {"tokens": 9, "sentences": 9}}),
        tree(data={"train": ["a", "b", "c"]}),
        tree(data={"train": []}),
        tree(data={"train": [{"path": "a"}, "b"]}),
        tree(data={"train": [{"path": "a"}, {"pth": "b"}]}),
        tree(data={"clean": False}),
        tree(data={"temperature": 0.5}),
        tree(data={"test": {"pth": "x"}}),
    ],
)
def test_what_is_wrong_is_refused_as_by_the_loader(wrong):
    assert not loaded(wrong)
    assert not accepted(wrong)


def test_every_key_has_a_description_without_links_that_lead_nowhere():
    def described(part, key=""):
        if "const" not in part:
            assert part.get("description"), key
            assert "](" not in part["description"]
        for form in [part, *part.get("anyOf", [])]:
            for name, each in form.get("properties", {}).items():
                described(each, f"{key}.{name}")

    described(SCHEMA)
