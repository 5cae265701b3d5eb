"""Configurations in YAML: read with one message for each mistake, written with every value.

`load` reads a file and dotted overrides (`model.dropout=0.2`); `dump` writes the defaults too, so
that a run folder is complete.
"""

import warnings
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nmt import yamltext
from nmt.arguments import checked
from nmt.config import Config, DecodingConfig
from nmt.config.mistakes import ROOT, explain
from nmt.config.renames import renamed
from nmt.errors import ConfigError


def load(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Reads a YAML configuration and applies overrides of the form `section.key=value`.

    The config.yaml of a run folder is about this folder, wherever it was when it was trained.

    Raises:
        ConfigError: one line for each mistake, naming the key and what would be right.
    """
    path = Path(path)
    tree = {"run": f"runs/{path.stem}", **_named(read(path), where=f"{path}: ")}
    if path.name == "config.yaml" and (path.parent / "tokenizer").is_dir():
        tree["run"] = str(path.parent)
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
    tree = yamltext.parse(text, where=str(path))
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
    return yamltext.dump(tree)


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
    for override in checked(overrides, str, "overrides are a list of strings section.key=value"):
        key, equals, value = override.partition("=")
        if not equals or not all(key.split(".")):
            raise ConfigError(f"{override}: an override has the form section.key=value")
        for before in found:
            if before.startswith(f"{key}."):
                raise ConfigError(f"{override}: undoes {before} before it; leave one of them out")
        found[key] = yamltext.parse(value, where=override)
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
