"""What the documents say of the configuration and of the commands is so."""

import pydoc
import re
from pathlib import Path

import pytest
import yaml

import nmt
from nmt import configfile
from nmt.cli import renames as cli_renames
from nmt.config import SCORES
from nmt.config import renames as config_renames
from nmt.config.descriptions import of_fields, of_section
from nmt.config.markdown import markdown
from nmt.config.mistakes import ROOT
from nmt.config.place import Place
from nmt.config.schema import schema

FOLDER = Path(__file__).parents[1]
CONFIGS = sorted((FOLDER / "configs").glob("*.yaml"))
TRANSLATING = [path for path in CONFIGS if "\naligner:" not in path.read_text(encoding="utf-8")]
PAGE = markdown()
GENERATED = "configuration.md"
PAGES = [
    *(FOLDER / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")),
    *(path for path in sorted((FOLDER / "docs").glob("*.md")) if path.name != GENERATED),
]


def sections(place=ROOT, prefix=""):
    """Every section of the configuration: its dotted key, its class, the key that tells it."""
    for section in place.names.values():
        yield prefix, section, getattr(place.choice, "key", None)
        for key, field in section.model_fields.items():
            yield from sections(Place.of(field), f"{prefix}.{key}".lstrip("."))


def test_the_generated_documents_are_those_that_the_commands_print():
    assert (FOLDER / "docs/configuration.md").read_text(encoding="utf-8") == PAGE
    assert (FOLDER / "configs/schema.json").read_text(encoding="utf-8") == schema()


@pytest.mark.parametrize(("prefix", "section", "told_by"), list(sections()))
def test_every_key_is_on_the_page_with_its_default_and_its_meaning(prefix, section, told_by):
    descriptions = of_fields(section)
    for key, field in section.model_fields.items():
        if key == told_by:
            continue
        row = rf"^\| `(?:{re.escape(prefix)}\.)?{key}` \| (?:.*) \| (.*) \| (.*) \|$"
        rows = re.findall(row, PAGE, re.M)
        if Place.of(field).names:
            assert all(meaning for _, meaning in rows)
            assert field.is_required() == ("required" in dict(rows))
        elif field.is_required():
            assert ("required", descriptions[key]) in rows
        else:
            default = [] if field.default == () else field.default  # YAML has no tuples
            assert default in [yaml.safe_load(shown.strip("`")) for shown, _ in rows]
            assert descriptions[key] in [meaning for _, meaning in rows]


def test_the_page_has_the_docstring_of_every_section_and_the_scores():
    for _, section, _ in sections():
        assert of_section(section) in PAGE
    for score in SCORES:
        assert f"`{score}`" in PAGE


def test_every_link_within_the_page_has_its_heading():
    headings = re.findall(r"^#+ (.*)$", PAGE, re.M)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}

    assert set(re.findall(r"\]\(#(.*?)\)", PAGE)) <= anchors


def test_the_reference_has_every_public_name():
    page = (FOLDER / "docs/api.md").read_text()

    assert [name for name in nmt.__all__ if f"\n::: nmt.{name}\n" not in page] == []


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_is_valid_and_starts_with_its_command(path):
    configfile.load(path)

    head = path.read_text().split("data:")[0]
    assert "#   nmt demo" in head or f"#   nmt train configs/{path.name}" in head


@pytest.mark.parametrize("path", TRANSLATING, ids=lambda path: path.name)
@pytest.mark.parametrize("kind", ["bahdanau", "luong", "conditional"])
def test_the_decoder_of_every_configuration_can_be_exchanged(path, kind):
    size = configfile.load(path).model.decoder.hidden_size
    other = configfile.load(path, [f"model.decoder={{kind: {kind}, hidden_size: {size}}}"])
    assert other.model.decoder.kind == kind


def test_the_glossary_has_every_renamed_key_and_option():
    page = (FOLDER / "docs/glossary.md").read_text(encoding="utf-8")
    _, table = page.split("## Renamed keys and options")
    rows = re.findall(r"^\| `(.*)` \| `(.*)` \|$", table, re.M)

    keys = list(config_renames.KEYS.items())
    values = [
        (f"{key}: {old}", f"{key}: {new}") for (key, old), new in config_renames.VALUES.items()
    ]
    commands = [(f"nmt {old}", f"nmt {new}") for old, new in cli_renames.COMMANDS.items()]
    options = [
        (f"nmt {command} {old}", f"nmt {command} {new}")
        for command, names in cli_renames.OPTIONS.items()
        for old, new in names.items()
    ]
    assert rows == [*keys, *values, *commands, *options]


def test_no_document_uses_an_old_name():
    old = [*config_renames.KEYS, *(f"nmt {command}" for command in cli_renames.COMMANDS)]
    pages = [path for path in PAGES if path.name != "CHANGELOG.md"]
    for path in pages:
        text, *_ = path.read_text(encoding="utf-8").split("## Renamed keys and options")
        found = [name for name in old if re.search(rf"{re.escape(name)}(?![\w.])", text)]
        assert found == [], path


def test_every_test_that_the_reliability_page_names_exists():
    page = (FOLDER / "docs/reliability.md").read_text(encoding="utf-8")
    module = ""
    for path, name in re.findall(r"`(tests/[\w/]+\.py)?(?:::)?(test_\w+)?`", page):
        module = path or module
        if path or name:
            assert f"def {name}" in (FOLDER / module).read_text(encoding="utf-8"), (module, name)


def test_every_name_of_the_reference_exists():
    page = (FOLDER / "docs/api.md").read_text(encoding="utf-8")

    assert [
        name for name in re.findall(r"^::: (\S+)$", page, re.M) if pydoc.locate(name) is None
    ] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_lines_of_the_documents_fit_100_columns_but_for_tables_and_code(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)

    assert [
        line
        for line in text.splitlines()
        if len(line) > 100 and not line.startswith(("|", "    ", "!["))
    ] == []
