"""The JSON schema of a configuration, with which editors complete and check YAML.

It accepts what the loader accepts, short forms included. Only the loader checks rules between keys:
a single origin of a corpus, sizes that must fit each other, settings that would do nothing.
"""

import json
import re

from nmt.config import Config
from nmt.config.descriptions import of_fields, of_section
from nmt.config.place import Place
from nmt.config.section import Choice, ConfigSection, JsonSchema

DIALECT = "http://json-schema.org/draft-07/schema#"  # all editors support it
LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")  # relative to docs/, so useless in an editor


def schema() -> str:
    """Returns the JSON schema of the whole configuration, as text."""
    tree = {"$schema": DIALECT, "title": "nmt configuration", **_of_section(Config)}
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


def of_values(section: type[ConfigSection]) -> dict[str, JsonSchema]:
    """Returns the schema of each field of a section; use it for fields with plain values only."""
    unwanted = ("title", "additionalProperties")
    properties = section.model_json_schema()["properties"]
    return {
        key: {name: part for name, part in each.items() if name not in unwanted}
        for key, each in properties.items()
    }


def _of_section(section: type[ConfigSection], *required: str) -> JsonSchema:
    """Returns the schema of a section; `required` are keys that it requires besides its own."""
    values, descriptions = of_values(section), of_fields(section)
    properties: dict[str, JsonSchema] = {}
    for key, field in section.model_fields.items():
        place = Place.of(field)
        properties[key] = _of_place(place) if place.names else values[key]
        if key in descriptions:
            properties[key] = {"description": _plain(descriptions[key]), **properties[key]}
    needed = [key for key, field in section.model_fields.items() if field.is_required()]
    return {
        "description": _plain(of_section(section)),
        "type": "object",
        "properties": properties,
        "required": [*required, *needed],
        "additionalProperties": False,
    }


def _of_place(place: Place) -> JsonSchema:
    """Returns the schema of a place of sections: any short form, or any of the sections."""
    choice, forms = place.choice, list[JsonSchema]()
    if isinstance(choice, Choice):
        forms.append({"enum": [*place.names, *(["none"] if place.optional else [])]})
        if choice.number is not None and choice.default is not None:
            forms.append(of_values(place.names[choice.default])[choice.number])
    for name, section in place.names.items():
        told = [choice.key] if isinstance(choice, Choice) and name != choice.default else []
        forms += [*section.short_forms, _of_section(section, *told)]
    if place.several:
        elements = [form for form in forms if form != {"type": "string"}]
        forms.append({"type": "array", "items": {"anyOf": elements}, "minItems": 1})
    if place.optional:
        forms.append({"type": "null"})
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _plain(text: str) -> str:
    """Returns a description without its links."""
    return LINK.sub(lambda found: found[1], text)
