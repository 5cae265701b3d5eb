"""Configurations in YAML: read with one message for each mistake, written with every value.

`load` reads a file and dotted overrides (`model.dropout=0.2`); `dump` writes the defaults too, so
that a run folder is complete.
"""

import math
import re
import warnings
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from nmt.config import Config, DecodingConfig
from nmt.config.mistakes import ROOT, explain
from nmt.config.renames import renamed
from nmt.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: `1e-3` is a number, `010` is ten, `no` is Norwegian, a date is a string.

    A key that stands twice in one mapping is an error; PyYAML would silently take the last one.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                raise yaml.composer.ComposerError(
                    problem=f"`{key.value}` stands in line {lines[key.value]} and again in line "
                    f"{line}; put both into one",
                    problem_mark=key.start_mark,
                )
            lines[key.value] = line
        return node


class _Dumper(yaml.SafeDumper):
    """Quotes strings that YAML 1.1 or `_Loader` would read as a number, a boolean or a date."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if not tag.endswith((":bool", ":int", ":float", ":timestamp", ":value"))
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
    _kind.add_implicit_resolver(
        "tag:yaml.org,2002:int",
        re.compile(r"^(?:[-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+)$"),
        list("-+0123456789"),
    )


def _integer(_: _Loader, node: yaml.ScalarNode) -> int:
    return int(node.value, 0 if node.value[:2] in ("0o", "0x") else 10)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def load(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Reads a YAML configuration and applies overrides of the form `section.key=value`.

    Raises:
        ConfigError: one line for each mistake, naming the key and what would be right.
    """
    path = Path(path)
    tree = {"run": f"runs/{path.stem}", **_named(read(path), where=f"{path}: ")}
    return with_overrides(tree, overrides, where=str(path))


def with_overrides(tree: dict[str, Any], overrides: Iterable[str], *, where: str) -> Config:
    """Returns the configuration that a mapping describes together with overrides.

    Raises:
        ConfigError: one line for each mistake; `where` is the name of the mapping in it.
    """
    given = _named(parse_overrides(overrides))
    for key, value in given.items():
        _set(tree, key, value)
    return validate(tree, where=where, overridden=given)


def read(path: Path) -> dict[str, Any]:
    """Returns the content of a YAML file as nested mappings, not validated yet.

    Raises:
        ConfigError: there is no such file, or it holds no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such configuration file; `nmt init` writes one for your text, as in "
            "`nmt init es-en --train DIR/train --validation DIR/val`"
        ) from None
    except IsADirectoryError:
        raise ConfigError(
            f"{path}: a folder, not a configuration file; a run goes on with {path}/config.yaml, "
            f"and training.start_from={path} starts from a trained model"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    tree = _parse(text, where=str(path))
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping of sections such as `data:` and `model:`")
    return tree


def validate(
    tree: Mapping[str, Any], *, where: str = "config", overridden: Collection[str] = ()
) -> Config:
    """Returns the configuration that a mapping describes.

    Args:
        tree: the mapping.
        where: the name of its file in messages, for what `overridden` does not have.
        overridden: dotted keys in it that come from the command line, not from the file.

    Raises:
        ConfigError: one line for each mistake.
    """
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        lines = [explain(each, tree, where=where, overridden=overridden) for each in mistakes]
        raise ConfigError("\n".join(lines)) from None


def dump(config: Config) -> str:
    """Returns the YAML of every value, defaults included."""
    tree = config.model_dump(mode="json")
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def inline(value: Any) -> str:
    """Returns a string, a number or a list of them as YAML in one line."""
    line = yaml.dump(
        [value], Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=math.inf
    )
    return line.rstrip("\n")[1:-1]


def differences(old: Config, new: Config) -> list[str]:
    """Returns a line `key: old -> new` for each value in which two configurations differ."""
    before, after = _flatten(old.model_dump(mode="json")), _flatten(new.model_dump(mode="json"))
    return [
        f"{key}: {before.get(key)} -> {after.get(key)}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _flatten(tree: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(tree, list) and any(isinstance(each, dict) for each in tree):
        tree = dict(enumerate(tree))
    if not isinstance(tree, dict):
        return {prefix: tree}
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flatten(value, f"{prefix}.{key}" if prefix else key)
    return flat


def _parse(text: str, *, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # a SafeLoader: it builds no objects
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", error)
        raise ConfigError(f"{where}{line}: not valid YAML ({problem})") from None
    except RecursionError:
        raise ConfigError(f"{where}: not valid YAML (nested too deeply)") from None
    except (ValueError, KeyError, AttributeError):  # from PyYAML's constructors
        raise ConfigError(
            f"{where}: not valid YAML (a value that is not what its tag says, or a number of too "
            "many digits)"
        ) from None


def decoding(config: Config, changes: Mapping[str, Any], *, where: str) -> DecodingConfig:
    """Returns the decoding settings of a configuration with changes, such as {"beam": 8}.

    A key may be dotted, as in {"length_penalty.alpha": 0.6}; `where` names the run in messages.

    Raises:
        ConfigError: one line for each mistake, naming the key and what would be right.
    """
    tree = config.model_dump(mode="json")
    overridden = _named({f"decoding.{key}": value for key, value in changes.items()})
    for key, value in overridden.items():
        _set(tree, key, value)
    return validate(tree, where=where, overridden=overridden).decoding


def parse_overrides(overrides: Iterable[str]) -> dict[str, Any]:
    """Returns the dotted keys and the values of overrides `section.key=value`, in their order.

    If a key is given several times, the last value counts.

    Raises:
        ConfigError: an override has another form, its value is not valid YAML, or it sets a whole
            section of which an earlier override sets a key.
    """
    found: dict[str, Any] = {}
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or not key:
            raise ConfigError(f"{override}: an override has the form section.key=value")
        for before in found:
            if before.startswith(f"{key}."):
                raise ConfigError(f"{override}: undoes {before} before it; leave one of them out")
        found[key] = _parse(value, where=override)
    return found


def _named(tree: dict[str, Any], *, where: str = "") -> dict[str, Any]:
    """Returns a tree in which old names are replaced, with a warning for each."""
    tree, notices = renamed(tree)
    for notice in notices:
        warnings.warn(f"{where}{notice}", stacklevel=3)
    return tree


def _set(tree: dict[str, Any], dotted: str, value: Any) -> None:
    """Sets the value of a dotted key in a tree.

    A short form on the way, such as the path of a corpus, becomes a mapping first, so that its
    setting is kept beside the new one.
    """
    *parents, last = dotted.split(".")
    place, name = ROOT, ""
    for depth, parent in enumerate(parents, start=1):
        place = place.under(parent, name)
        child = place.spelled_out(tree.get(parent))
        child = place.spelled_out({}) if child is None else child
        if not isinstance(child, dict):
            key = ".".join(parents[:depth])
            raise ConfigError(
                f"{dotted}: {key} is {child!r} and has no keys; override it as a whole"
            )
        name = place.name(child)
        tree[parent] = child
        tree = child
    tree[last] = value
