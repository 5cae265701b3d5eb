"""`nmt config` shows a configuration with every default, and documents all of them."""

import json

import pytest
import yaml

from nmt import configfile


@pytest.fixture
def small(text):
    return text("small.yaml", "data: {train: a, validation: [b.de, b.en]}")


def test_a_configuration_is_printed_with_overrides_and_defaults_and_reads_back(nmt, small, text):
    code, out, err = nmt("config", small, "training.optimizer=adamw", "decoding.beam=3")

    assert (code, err) == (0, "")
    assert yaml.safe_load(out)["training"]["optimizer"] == {"kind": "adamw", "weight_decay": 0.01}
    shown = configfile.load(text("shown.yaml", out))
    assert shown == configfile.load(small, ["training.optimizer=adamw", "decoding.beam=3"])


def test_a_mistake_in_it_is_one_line(nmt, small):
    code, out, err = nmt("config", small, "model.dropuot=0.1")

    assert (code, out) == (2, "")
    assert err == "nmt: model.dropuot: unknown key; did you mean model.dropout?\n"


def test_the_page_and_the_schema_are_printed_without_a_file(nmt):
    assert nmt("config", "--markdown")[1].startswith("# Configuration\n")
    assert json.loads(nmt("config", "--schema")[1])["required"] == ["data"]


@pytest.mark.parametrize(
    "arguments", [[], ["--markdown", "--schema"], ["a.yaml", "--markdown"], ["seed=3", "--schema"]]
)
def test_one_thing_at_a_time_is_shown(nmt, arguments):
    code, out, err = nmt("config", *arguments)

    assert (code, out) == (2, "")
    assert err == "nmt: give one of a CONFIG file, --markdown and --schema\n"
