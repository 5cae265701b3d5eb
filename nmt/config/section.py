"""The parts of a configuration: closed sections, choices between sections, types of numbers.

A choice is a union of sections. Each has only its own fields, so a field of another one is an
unknown key. `Choice` and `ChoiceByKeys` say which section of the union a mapping describes.
"""

import difflib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from nmt.errors import ConfigError

INT32 = 2**31  # integers are smaller, as arrays are of int32

Size = Annotated[int, Field(ge=1, lt=INT32)]
Count = Annotated[int, Field(ge=0, lt=INT32)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]

JsonSchema = dict[str, Any]


class ConfigSection(BaseModel):
    """A part of the configuration: immutable, and closed against unknown keys.

    The string under a field describes it: `nmt.config.descriptions` reads it from the source.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    short_forms: ClassVar[tuple[JsonSchema, ...]] = ()  # what `spelled_out` accepts

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """Returns the mapping for which a short form stands; any other value as it is."""
        return value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Returns a copy with other values, which must be valid: only their keys are checked.

        Raises:
            ConfigError: there is no such key; that of a section inside is none of this one.
        """
        for key in update or {}:
            if key not in type(self).model_fields:
                known = ", ".join(type(self).model_fields)
                raise ConfigError(f"{key}: unknown key; known: {known}")
        return super().model_copy(update=update, deep=deep)

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, value: Any) -> Any:
        if value is False and {"const": True} in cls.short_forms:
            raise ValueError("`false` is not accepted: leave it out, or set it to null")
        return cls.spelled_out(value)

    def _conflicts(self) -> Iterator[str]:
        """Yields a line for each rule between keys that is broken; the first one is reported."""
        return iter(())

    @model_validator(mode="after")
    def _check_conflicts(self) -> "ConfigSection":
        for conflict in self._conflicts():
            raise ValueError(conflict)
        return self


class Buildable(ConfigSection):
    """A section that names the class it configures, which is imported when it is built.

    So the configuration imports no implementation, and a new one needs a new section only.
    """

    implementation: ClassVar[str]  # "package.module:Class"

    def build(self, *sizes: Any, **arguments: Any) -> Any:
        """Returns `Class(self, *sizes, **arguments)`."""
        return imported(self.implementation)(self, *sizes, **arguments)


class ObjectiveConfig(Buildable):
    """A section that adds an objective to the cross-entropy."""

    passes: ClassVar[int] = 1  # of each batch through the model, with other random keys each time


class ProcessorConfig(Buildable):
    """A section of `decoding` that changes the scores of the next piece."""


def imported(path: str) -> Any:
    """Imports the object at a path "package.module:name".

    Raises:
        ImportError: there is no such module.
        AttributeError: the module has no such name.
    """
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


Sections = dict[str, type[ConfigSection]]  # by the names that a choice gives them


@dataclass(frozen=True)
class Choice:
    """Makes a union of sections a choice by a key that each has, as in `{kind: cosine}`.

        ScheduleConfig = Annotated[ConstantConfig | CosineConfig, Choice(default="constant")]

    In each section the key is a field with one value, `kind: Literal["cosine"] = "cosine"`.
    There are short forms: a string is the section of that kind with its defaults, a mapping without
    the key is of the default kind, and a number is its field `number`. If the choice is optional,
    the string `none` stands for null.
    """

    key: str = "kind"
    default: str | None = None
    number: str | None = None

    def names(self, union: Any) -> Sections:
        """Returns the sections of a union by their kinds."""
        return {member.model_fields[self.key].default: member for member in members(union)}

    def spelled_out(self, value: Any, *, optional: bool) -> Any:
        """Returns the mapping, with its kind, for which a short form stands."""
        if isinstance(value, str):
            return None if optional and value == "none" else {self.key: value}
        if self.number and isinstance(value, int | float) and not isinstance(value, bool):
            value = {self.number: value}
        if isinstance(value, Mapping) and self.key not in value and self.default is not None:
            return {self.key: self.default, **value}
        return value

    def chosen(self, value: Any, names: Sections) -> str:
        """Returns the kind of a spelled-out mapping, or of a section itself.

        Raises:
            ValueError: there is no such kind, or none is given.
        """
        known = ", ".join(names)
        if not isinstance(value, Mapping | ConfigSection):
            raise ValueError(f"expected one of {known}, or a mapping, not {value!r}")
        kind = value.get(self.key) if isinstance(value, Mapping) else getattr(value, self.key)
        if kind is None:
            raise ValueError(f"`{self.key}` is missing; choose one of {known}")
        if kind not in list(names):
            close = difflib.get_close_matches(str(kind), names, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ValueError(f"unknown {self.key} {kind!r}; {hint}known: {known}")
        return str(kind)

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _tagged(self, union, handler)


@dataclass(frozen=True)
class ChoiceByKeys:
    """Makes a union of sections a choice by the keys that are given.

    The first section with a required key among them is chosen, or else the one that requires none.
    """

    def names(self, union: Any) -> Sections:
        """Returns the sections of a union by the keys that they require, for messages."""
        return {
            " and ".join(f"`{key}`" for key in _required(each)): each for each in members(union)
        }

    def spelled_out(self, value: Any, *, optional: bool) -> Any:
        """Returns the value, for there are no short forms."""
        return value

    def chosen(self, value: Any, names: Sections) -> str:
        """Returns the name of the section that a mapping describes, or of a section itself.

        Raises:
            ValueError: the value is neither.
        """
        if not isinstance(value, Mapping | ConfigSection):
            known = dict.fromkeys(key for each in names.values() for key in each.model_fields)
            raise ValueError(f"expected a section of the keys {', '.join(known)}, not {value!r}")
        for name, member in names.items():
            if isinstance(value, member) or (
                isinstance(value, Mapping) and any(key in value for key in _required(member))
            ):
                return name
        return ""

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _tagged(self, union, handler)


@dataclass(frozen=True)
class OneOrSeveral:
    """Makes `Section | tuple[Section, ...]` a section, or a list of such sections.

    A list that is short for one section stays that. Elements of a list are no plain strings: who
    reads two of them could not tell which of both they are.
    """

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        section = get_args(union)[0]
        one = handler.generate_schema(section)

        def spelled_out(value: Any) -> Any:
            value = section.spelled_out(value)
            if value == []:
                raise ValueError("an empty list; name one at least")
            if isinstance(value, list) and (names := [e for e in value if isinstance(e, str)]):
                raise ValueError(
                    f"in a list, write `{{path: {names[0]}}}` instead of the plain string; two "
                    "plain strings alone are a pair of text files"
                )
            return value

        schema = core_schema.tagged_union_schema(
            {"": one, "[]": core_schema.tuple_variable_schema(one)},
            discriminator=lambda value: "[]" if isinstance(value, list | tuple) else "",
        )
        return core_schema.no_info_before_validator_function(spelled_out, schema)


def members(union: Any) -> list[type[ConfigSection]]:
    """Returns the sections of a union; of an annotation that is one section, a list of it."""
    kinds = get_args(union) or (union,)
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, ConfigSection)]


def is_optional(union: Any) -> bool:
    """Returns whether an annotation allows null."""
    return NoneType in get_args(union)


def _required(member: type[ConfigSection]) -> list[str]:
    return [key for key, field in member.model_fields.items() if field.is_required()]


def _tagged(choice: Choice | ChoiceByKeys, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Returns pydantic's validation schema of a choice."""
    names, optional = choice.names(union), is_optional(union)

    def spelled_out(value: Any) -> Any:
        value = choice.spelled_out(value, optional=optional)
        if value is not None or not optional:
            choice.chosen(value, names)  # its message is better than pydantic's
        return value

    schema: CoreSchema = core_schema.tagged_union_schema(
        {name: handler.generate_schema(member) for name, member in names.items()},
        discriminator=lambda value: choice.chosen(value, names),
    )
    if optional:
        schema = core_schema.nullable_schema(schema)
    return core_schema.no_info_before_validator_function(spelled_out, schema)
