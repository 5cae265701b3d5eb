"""The page docs/configuration.md: a table for each section, and for each kind in a choice."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic.fields import FieldInfo

from nmt.config.descriptions import of_fields, of_section
from nmt.config.mistakes import ROOT
from nmt.config.place import Place
from nmt.config.schema import of_values
from nmt.config.section import INT32, Choice, ChoiceByKeys, ConfigSection, JsonSchema

HEAD = ("| key | type | default | meaning |", "|---|---|---|---|")


@dataclass
class Part:
    """A part of the page: the sections of a place, or of several places with the same sections."""

    place: Place
    description: str  # of the place's key, if it has one
    within: str  # the kind of the section around it, such as `mechanism: global`
    keys: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The title of the part on the page."""
        return ", ".join(self.keys) if self.keys[0] else "The run"


Parts = dict[tuple[type[ConfigSection], ...], Part]  # by the sections of the place


def markdown() -> str:
    """Returns the whole page."""
    preface = Path(__file__).with_name("preface.md").read_text(encoding="utf-8")
    parts: Parts = {}
    _collect(parts, ROOT)
    blocks = [preface.strip(), *(_rendered(part, parts) for part in parts.values())]
    return "\n\n".join(blocks) + "\n"


def _collect(
    parts: Parts, place: Place, key: str = "", description: str = "", within: str = ""
) -> None:
    """Adds a place, and the places in its sections, in the order of the configuration."""
    part = parts.setdefault(tuple(place.names.values()), Part(place, description, within))
    if key not in part.keys:
        part.keys.append(key)
    for name, section in place.names.items():
        descriptions = of_fields(section)
        kind = f"`{place.choice.key}: {name}`" if isinstance(place.choice, Choice) else ""
        for last, each in section.model_fields.items():
            if (under := Place.of(each)).names:
                dotted = f"{key}.{last}".lstrip(".")
                _collect(parts, under, dotted, descriptions.get(last, ""), kind)


def _rendered(part: Part, parts: Parts) -> str:
    """Returns a part as Markdown."""
    choice, sections = part.place.choice, part.place.names
    prefix = f"{part.keys[0]}." if part.keys[0] and len(part.keys) == 1 else ""
    blocks = [f"## {part.title}", _introduction(part)]
    for name, section in sections.items():
        if choice is not None:
            by_keys = f"With {name}" if name else "Otherwise"
            kind = f"`{choice.key}: {name}`" if isinstance(choice, Choice) else by_keys
            blocks += [f"### {kind}", of_section(section)]
        rows = list(_rows(section, prefix, choice, parts))
        blocks.append("\n".join([*HEAD, *rows]) if rows else "It has no keys.")
    return "\n\n".join(block for block in blocks if block)


def _introduction(part: Part) -> str:
    """Returns the description of a part, where it may stand, and what its default is."""
    choice, sentences = part.place.choice, [f"With {part.within}."] if part.within else []
    if choice is None:
        (section,) = part.place.names.values()
        return "\n\n".join([of_section(section), *sentences])
    sentences.insert(0, part.description)
    if not isinstance(choice, Choice):
        sentences.append("The keys that are given tell which of these it is.")
    elif choice.default is not None:
        sentences.append(f"The default is `{choice.default}`.")
    if part.place.optional:
        sentences.append("It may be `null`, or `none`.")
    if isinstance(choice, Choice) and choice.number is not None:
        sentences.append(f"A plain number is the `{choice.number}` of `{choice.default}`.")
    return " ".join(sentences)


def _rows(
    section: type[ConfigSection], prefix: str, choice: Choice | ChoiceByKeys | None, parts: Parts
) -> Iterator[str]:
    """Yields a table row for each key of a section, except for the key of its kind."""
    values, descriptions = of_values(section), of_fields(section)
    for key, info in section.model_fields.items():
        if isinstance(choice, Choice) and key == choice.key:
            continue
        place, meaning = Place.of(info), descriptions.get(key, "")
        if place.names:
            sections = tuple(place.names.values())
            kind = f"[section](#{_anchor(parts[sections].title)})"
            kind += " or list of them" if place.several else ""
            meaning = meaning or of_section(sections[0]).partition("\n")[0]
        else:
            kind = _type(values[key])
        yield f"| `{prefix}{key}` | {kind} | {_default(info, place)} | {meaning} |"


def _default(info: FieldInfo, place: Place) -> str:
    """Returns the default of a key: a value, or the kind of a choice; "" for a plain section."""
    if info.is_required():
        return "required"
    value = info.default
    if isinstance(value, ConfigSection):
        return f"`{place.name(value)}`" if isinstance(place.choice, Choice) else ""
    return "`" + json.dumps(value).strip('"') + "`"


def _type(value: JsonSchema) -> str:
    """Returns the type of a value in words, from its JSON schema."""
    match value:
        case {"anyOf": parts}:
            return " or ".join(_type(part) for part in parts)
        case {"enum": names}:
            return ", ".join(f"`{name}`" for name in names)
        case {"pattern": _}:
            return "`package.module:Class`"
        case {"type": "array"}:
            return f"list of {value['minItems']}" if "minItems" in value else "list"
        case {"type": "object"}:
            return "mapping"
        case {"type": "null"}:
            return "`null`"
        case {"type": kind}:
            return f"{kind}{_range(value)}"
    raise ValueError(f"no words for {value}")


def _range(value: JsonSchema) -> str:
    """Returns the bounds of a number, except for the bound of int32 that every integer has."""
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f" {sign} {value[key]:g}" for key, sign in signs.items() if key in value]
    return " and".join(bound for bound in bounds if bound != f" < {INT32:g}")


def _anchor(title: str) -> str:
    """Returns the anchor of a heading in links, as GitHub and MkDocs both form it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
