"""YAML 1.2, as configurations are written in it: parsed with one message for a mistake, dumped."""

import math
import re
from typing import Any

import yaml

from nmt.errors import ConfigError

# What no text and no path has; the halves of pairs that are left out here are bytes of a path.
_NO_TEXT = re.compile(r"[\0\ud800-\udc7f\udd00-\udfff]")


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


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    if _NO_TEXT.search(text):
        raise yaml.constructor.ConstructorError(
            problem="NUL, or half of a surrogate pair, is no character of a text",
            problem_mark=node.start_mark,
        )
    return text


_Loader.add_constructor("tag:yaml.org,2002:str", _text)


def parse(text: str, *, where: str) -> Any:
    """Returns what a text in YAML stands for.

    Raises:
        ConfigError: it is not valid YAML; the message begins with `where`.
    """
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


def dump(tree: Any) -> str:
    """Returns the YAML of a tree, in the order of its keys."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def inline(value: Any) -> str:
    """Returns a string, a number, or a list or mapping of them as YAML in one line."""
    line = yaml.dump(
        [value],
        Dumper=_Dumper,
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=math.inf,
    )
    return line.rstrip("\n")[1:-1]
