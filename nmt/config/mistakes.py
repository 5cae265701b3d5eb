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


def explain(mistake: Any, tree: Any, *, overridden: Collection[str] = ()) -> str:
    """Returns the message for one of pydantic's errors.

    Args:
        mistake: one of `ValidationError.errors()`.
        tree: the mapping that was validated.
        overridden: dotted keys in it that come from the command line, not from the file.
    """
    keys, place, name = _located(mistake["loc"])
    key = ".".join(map(str, keys))
    message = mistake["msg"].removeprefix("Value error, ")
    match mistake["type"]:
        case "extra_forbidden" if key in MOVED:
            return f"{key}: unknown key; write {MOVED[key]}"
        case "extra_forbidden":
            remedy = _remedy(keys, place, name, tree, overridden)
            return f"{key}: {_unknown(keys, place, name)}{remedy}"
        case "missing":
            return f"{key}: missing; this key is required"
        case "value_error":
            return f"{key}: {message}" if key else message
        case "tuple_type":
            return f"{key}: expected a list, as in [a, b], not {mistake['input']!r}"
        case _:
            return f"{key}: {message[0].lower()}{message[1:]}, not {mistake['input']!r}"


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
