"""What the documents say of the configuration and of the commands is so."""

import json
import re
from pathlib import Path

import pytest

from nmt import configfile
from nmt.config import CorpusConfig, Section
from nmt.config.mistakes import ROOT
from nmt.config.place import Place
from nmt.config.section import Choice

FOLDER = Path(__file__).parents[1]
PAGE = (FOLDER / "docs/configuration.md").read_text()
CORPUS = "A corpus: `data.train`, `data.validation`, `data.test`"
SECTIONS = {"": "The run", **{f"data.{part}": CORPUS for part in ("train", "validation", "test")}}


def parts(place=ROOT, prefix=""):
    """Every section of the configuration: its dotted key, its title on the page, its class."""
    for name, section in place.names.items():
        title = SECTIONS.get(prefix, prefix)
        if isinstance(place.choice, Choice):
            title += f" / `{place.choice.key}: {name}`"
        elif place.choice is not None:
            title += f" / with {name}" if name else " / otherwise"
        yield prefix, title, section, place.choice
        for key, field in section.model_fields.items():
            yield from parts(Place.of(field), f"{prefix}.{key}".lstrip("."))


def pages():
    """The text under each title, in which those of a choice stand behind that of the section."""
    found, above = {}, ""
    for level, title, text in re.findall(r"^(##+) (.*)\n((?:(?!##).*\n)*)", PAGE, re.M):
        above = title if level == "##" else above
        found[title if level == "##" else f"{above} / {title}"] = text.strip()
    return found


def shown(default):
    """A default as the page has it."""
    if isinstance(default, Section):
        return next(iter(default.model_dump().values()))
    return json.dumps(default) if default is None or isinstance(default, bool) else str(default)


@pytest.mark.parametrize(("prefix", "title", "section", "choice"), list(parts()))
def test_every_section_is_documented_with_its_keys_and_defaults(prefix, title, section, choice):
    text = pages()[title]
    rows = dict(re.findall(r"^\| `([\w.]+)` \| `(.*?)` \|", text, re.M))
    within = "" if section is CorpusConfig or not prefix else f"{prefix}."
    told_by = choice.key if isinstance(choice, Choice) else None
    fields = {within + key: field for key, field in section.model_fields.items() if key != told_by}

    values = {key for key, field in fields.items() if not Place.of(field).names}
    assert values <= rows.keys() <= fields.keys()
    for key, default in rows.items():
        field = fields[key]
        assert default == ("required" if field.is_required() else shown(field.default)), key
    assert " ".join(text.split()).startswith(section.__doc__.partition("\n")[0])


def test_nothing_is_documented_that_there_is_not():
    above = {title.partition(" / ")[0] for _, title, *_ in parts()}

    assert pages().keys() == {title for _, title, *_ in parts()} | above


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "configs").glob("*.yaml")), ids=lambda path: path.name
)
def test_every_configuration_is_valid_and_starts_with_its_command(path):
    configfile.load(path)

    head = path.read_text().split("data:")[0]
    assert "#   nmt demo" in head or f"#   nmt train configs/{path.name}" in head


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "configs").glob("*.yaml")), ids=lambda path: path.name
)
@pytest.mark.parametrize("kind", ["bahdanau", "luong"])
def test_the_decoder_of_every_configuration_can_be_exchanged(path, kind):
    assert configfile.load(path, [f"model.decoder.kind={kind}"]).model.decoder.kind == kind
