"""Places in the tree of a configuration: a section, a choice of sections, or a plain value."""

from dataclasses import dataclass, replace
from typing import Any

from pydantic.fields import FieldInfo

from nmt.config.section import (
    Choice,
    ChoiceByKeys,
    OneOrSeveral,
    Sections,
    is_optional,
    members,
)


@dataclass(frozen=True)
class Place:
    """The sections that may stand at a place, and how one of them is chosen.

    A place of one section alone has it under the name "", and a place of a value has no sections.
    """

    names: Sections
    choice: Choice | ChoiceByKeys | None = None
    optional: bool = False
    several: bool = False  # or a list of its section

    @classmethod
    def of(cls, field: FieldInfo) -> "Place":
        """Returns the place of a field in a section."""
        union, optional = field.annotation, is_optional(field.annotation)
        for note in field.metadata:
            if isinstance(note, Choice | ChoiceByKeys):
                return cls(note.names(union), note, optional)
        sections = members(union)
        several = any(isinstance(note, OneOrSeveral) for note in field.metadata)
        return cls({"": sections[0]} if sections else {}, None, optional, several)

    def spelled_out(self, value: Any) -> Any:
        """Returns the mapping for which a short form stands; any other value as it is."""
        if self.choice is not None:
            return self.choice.spelled_out(value, optional=self.optional)
        for section in self.names.values():
            return section.spelled_out(value)
        return value

    def name(self, value: Any) -> str:
        """Returns the name of the section that a spelled-out mapping describes; "" if none."""
        try:
            return "" if self.choice is None else self.choice.chosen(value, self.names)
        except ValueError:
            return ""

    def under(self, key: Any, name: str) -> "Place":
        """Returns the place of a key in the named section; an unknown key is a plain value.

        In a list of sections, a key is the number of one of them.
        """
        if self.several and isinstance(key, int):
            return replace(self, several=False)
        section = self.names.get(name)
        field = None if section is None else section.model_fields.get(key)
        return Place({}) if field is None else Place.of(field)

    def owners(self, key: Any) -> list[str]:
        """Returns the names of the sections that have a key."""
        return [name for name, section in self.names.items() if key in section.model_fields]
