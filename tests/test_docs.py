"""What the documents say of the configuration and of the commands is so."""

import json
import re
from pathlib import Path

import pytest

from nmt import configfile
from nmt.config import Config, CorpusConfig, SamplingConfig, Section

ROOT = Path(__file__).parents[1]


def keys(section=Config, prefix=""):
    for name, field in section.model_fields.items():
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        parts = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)]
        if parts and parts[0] not in (CorpusConfig, SamplingConfig):
            yield from keys(parts[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


@pytest.mark.parametrize("section", [Config, CorpusConfig, SamplingConfig])
def test_every_key_is_documented_with_its_default(section):
    rows = dict(
        re.findall(
            r"^\| `([\w.]+)` \| `(.*?)` \|", (ROOT / "docs/configuration.md").read_text(), re.M
        )
    )

    for key, field in keys(section):
        default = "required" if field.is_required() else field.default
        if default is None or isinstance(default, bool):
            default = json.dumps(default)
        assert rows[key] == str(default), key


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name
)
def test_every_configuration_is_valid_and_starts_with_its_command(path):
    configfile.load(path)

    head = path.read_text().split("data:")[0]
    assert "#   nmt demo" in head or f"#   nmt train configs/{path.name}" in head
