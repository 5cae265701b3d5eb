"""Configurations in YAML: read with one line for each mistake, written back with every value.

`load` reads a file and dotted overrides (`model.dropout=0.2`); `dump` writes the defaults too, so
that a run folder explains itself.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from nmt.config import Config, DecodingConfig, Section
from nmt.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: `1e-3` is a number, `no` is Norwegian, and a date is a string."""


class _Dumper(yaml.SafeDumper):
    """Quotes the strings that YAML 1.1 or `_Loader` would take for something else."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if not tag.endswith((":bool", ":float", ":timestamp"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
for _kind in (_Loader, _Dumper):
    _kind.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(?:(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.inf|\.nan)$"),
        list("-+0123456789."),
    )


def load(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Reads a YAML configuration and applies overrides of the form `section.key=value`.

    Raises:
        ConfigError: one line for each mistake, naming the key and what would be right.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    tree = _parse(text, where=str(path))
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping of sections such as `data:` and `model:`")
    for override in overrides:
        _set(tree, *parse_override(override))
    tree.setdefault("run", f"runs/{path.stem}")
    return validate(tree, where=str(path))


def validate(tree: Mapping[str, Any], *, where: str = "config") -> Config:
    """Returns the configuration that a mapping describes; `where` names it in messages."""
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        lines = [_explain(mistake) for mistake in error.errors(include_url=False)]
        raise ConfigError("\n".join(f"{where}: {line}" for line in lines)) from None


def dump(config: Config) -> str:
    """Returns the YAML of every value, defaults included."""
    tree = config.model_dump(mode="json")
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def differences(old: Config, new: Config) -> list[str]:
    """Returns a line `key: old -> new` for each value in which two configurations differ."""
    before, after = _flatten(old.model_dump(mode="json")), _flatten(new.model_dump(mode="json"))
    return [
        f"{key}: {before.get(key)} -> {after.get(key)}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _flatten(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flatten(value, f"{prefix}.{key}" if prefix else key)
    return flat


def _parse(text: str, *, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # _Loader is a SafeLoader: no objects are built
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", error)
        raise ConfigError(f"{where}{line}: not valid YAML ({problem})") from None
    except RecursionError:
        raise ConfigError(f"{where}: not valid YAML (nested too deeply)") from None
    except (ValueError, KeyError, AttributeError):  # of PyYAML's constructors
        raise ConfigError(
            f"{where}: not valid YAML (a value that is not what its tag says, or a number of too "
            "many digits)"
        ) from None


def decoding(config: Config, changes: Mapping[str, Any]) -> DecodingConfig:
    """Returns the decoding settings of a configuration with changes, such as {"beam": 8}.

    A key may be dotted, as in {"length_penalty.alpha": 0.6}.

    Raises:
        ConfigError: one line for each mistake, naming the key and what would be right.
    """
    tree = config.model_dump(mode="json")
    for key, value in changes.items():
        _set(tree, f"decoding.{key}", value)
    return validate(tree, where="decoding").decoding


def parse_override(override: str) -> tuple[str, Any]:
    """Returns the dotted key and the value of an override `section.key=value`.

    Raises:
        ConfigError: it has another form, or the value is not valid YAML.
    """
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"{override}: an override has the form section.key=value")
    return key, _parse(value, where=override)


def _set(tree: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        child = tree.get(parent)
        if not isinstance(child, dict):
            child = tree[parent] = {}
        tree = child
    tree[last] = value


def _explain(mistake: Any) -> str:
    """Returns one line for one pydantic error: dotted key, what is wrong, what would be right."""
    key = ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        *parents, unknown = mistake["loc"]
        names = list(_section(parents).model_fields)
        close = difflib.get_close_matches(str(unknown), names, n=1, cutoff=0.5)
        prefix = "".join(f"{parent}." for parent in parents)
        hint = f"did you mean {prefix}{close[0]}?" if close else f"known: {', '.join(names)}"
        return f"{key}: unknown key; {hint}"
    message = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "missing":
        return f"{key}: missing; this key is required"
    if mistake["type"] == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key}: {message[0].lower()}{message[1:]}, not {mistake['input']!r}"


def _section(location: Iterable[Any]) -> type[Section]:
    section: type[Section] = Config
    for name in location:
        annotation = section.model_fields[str(name)].annotation
        kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        section = next(kind for kind in kinds if issubclass(kind, Section))
    return section
