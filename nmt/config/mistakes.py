"""Messages about mistakes, one line each: the key, what is wrong, and what would be right."""

import difflib
from collections.abc import Collection, Iterable
from typing import Any

import yaml

from nmt.config import Config
from nmt.config.place import Place
from nmt.config.section import Choice

ROOT = Place({"": Config})

# Keys of earlier versions that no longer exist, and what to write instead.
MOVED = {
    "training.weight_decay": "training.optimizer: {kind: adamw, weight_decay: ...}",
    "model.attention.hard": "model.attention.estimator: {kind: reinforce or gumbel, ...}",
    "model.attention.monotonic": "its `offset` and `noise` as keys of model.attention",
    "model.attention.max_fertility": "model.attention.coverage: "
    "{kind: linguistic, max_fertility: ...}",
    "model.attention.coverage_size": "model.attention.coverage: {kind: neural, size: ...}",
    "decoding.normalisation": "decoding.length_penalty: {kind: none, average or gnmt, ...}",
    "decoding.alpha": "decoding.length_penalty: {kind: average or gnmt, alpha: ...}",
    "decoding.max_source": "decoding.max_pieces",
}

# What pydantic's errors about types expect.
EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "an integer",
    "int_parsing": "an integer",
    "int_type": "an integer",
    "list_type": "a list, as in [a, b]",
    "string_type": "a string",
    "tuple_type": "a list, as in [a, b]",
}


def explain(mistake: Any, tree: Any, *, where: str, overridden: Collection[str] = ()) -> str:
    """Returns the message for one of pydantic's errors.

    Args:
        mistake: one of `ValidationError.errors()`.
        tree: the mapping that was validated.
        where: the name of its file, for mistakes that do not come from the command line.
        overridden: dotted keys in it that do.
    """
    keys, place, name = _located(mistake["loc"])
    key = ".".join(map(str, keys))
    value = None if mistake["type"] == "missing" else mistake["input"]
    where = "" if _overrides(key, value, overridden) else f"{where}: "
    if mistake["type"] == "extra_forbidden":
        message = _unknown(keys, place, name) + _remedy(keys, place, name, tree, overridden)
    else:
        value = place.under(keys[-1], name) if keys else place
        message = _expected(mistake, value if value.names else place)
    return where + (f"{key}: " if key else "") + message


def _overrides(key: str, value: Any, overridden: Collection[str]) -> bool:
    """Returns whether all of the value of a key comes from the command line."""
    if any(key == each or key.startswith(f"{each}.") for each in overridden):
        return True
    if not isinstance(value, dict) or not any(each.startswith(f"{key}.") for each in overridden):
        return False
    return all(_overrides(f"{key}.{name}", part, overridden) for name, part in value.items())


def _expected(mistake: Any, place: Place) -> str:
    """Returns what would be right at the place of a known key."""
    message = mistake["msg"].removeprefix("Value error, ")
    given = repr(mistake["input"])
    given = {"None": "null", "True": "true", "False": "false"}.get(given, given)  # as in YAML
    match mistake["type"]:
        case "missing":
            return "missing; this key is required"
        case "value_error":
            return message
        case "model_type":
            known = [key for section in place.names.values() for key in section.model_fields]
            return f"expected a section of the keys {', '.join(known)}, not {given}"
        case kind if kind in EXPECTED:
            return f"expected {EXPECTED[kind]}, not {given}"
        case _:
            return f"{message[0].lower()}{message[1:]}, not {given}"


def _located(location: Iterable[Any]) -> tuple[list[Any], Place, str]:
    """Returns the keys of a location, and the place and the name of the section it is in.

    After the key of a choice, pydantic's location has the name of the section, which is no key;
    after the key of a section or several, it has a sign for which of both it is.
    """
    keys: list[Any] = []
    place, name, parts = ROOT, "", list(location)
    while parts:
        keys.append(parts.pop(0))
        if parts:
            place = place.under(keys[-1], name)
            name = parts.pop(0) if place.choice is not None or place.several else ""
    return keys, place, name


def _unknown(keys: list[Any], place: Place, name: str) -> str:
    """Returns why a key is unknown, and the known keys or a similar one."""
    if moved := MOVED.get(".".join(map(str, keys))):
        return f"unknown key; write {moved}"
    *parents, unknown = keys
    known = list(place.names[name].model_fields)
    if owners := place.owners(unknown):
        if not isinstance(place.choice, Choice):
            return f"does not go with {name}; leave one of them out"
        others = ", ".join(key for key in known if key != place.choice.key) or "no other keys"
        return (
            f"unknown key for `{place.choice.key}: {name}`, which has {others}; "
            f"it belongs to {_listed(owners)}"
        )
    close = difflib.get_close_matches(str(unknown), known, n=1, cutoff=0.5)
    prefix = "".join(f"{parent}." for parent in parents)
    hint = f"did you mean {prefix}{close[0]}?" if close else f"known: {', '.join(known)}"
    return f"unknown key; {hint}"


def _remedy(
    keys: list[Any], place: Place, name: str, tree: Any, overridden: Collection[str]
) -> str:
    """Returns how to override the whole section, if an override chose another kind; else ""."""
    *parents, unknown = keys
    prefix = "".join(f"{parent}." for parent in parents)
    given = {key.removeprefix(prefix) for key in overridden if key.startswith(prefix)}
    owners = place.owners(unknown)
    if isinstance(place.choice, Choice):  # where one key alone chooses
        given &= {place.choice.key}
    if not (owners and given):
        return ""
    section = place.names[owners[0] if unknown in given else name]
    for parent in parents:
        tree = tree[parent]
    whole = {key: value for key, value in tree.items() if key in section.model_fields}
    flow = yaml.safe_dump(whole, default_flow_style=True, sort_keys=False, width=float("inf"))
    return f", or override the whole section: {prefix[:-1]}='{flow.strip()}'"


def _listed(names: list[str]) -> str:
    """Returns names as a list in a sentence: a, b and c."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
