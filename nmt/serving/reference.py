"""The description of the API as a page for people, made of OpenAPI; it loads nothing else."""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="stylesheet" href="api.css"><title>nmt: the API</title>'
)


def page(description: Mapping[str, Any]) -> str:
    """Returns the page."""
    about = (
        '<h1>The API of this server</h1><p>As <a href="openapi.json">OpenAPI</a>; with examples in '
        "docs/serving.md. Where the server has a key, requests have a header <code>Authorization: "
        "Bearer KEY</code>. Each error is an object with a field <code>error</code>.</p>"
    )
    paths = (
        part
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
        for part in _operation(method, path, operation)
    )
    objects = (
        part
        for name, schema in description["components"]["schemas"].items()
        for part in (
            f'<h3 id="{escape(name)}">{escape(name)}</h3>',
            _about(schema),
            *_fields(schema),
        )
    )
    return "".join([_HEAD, "<main>", about, *paths, "<h2>Objects</h2>", *objects, "</main>"])


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    yield f"<p>{_text(operation['summary'])}</p>"
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Takes {_type(content['schema'])} as <code>{escape(kind)}</code>.</p>"
    good, *bad = operation["responses"].items()
    for kind, content in good[1]["content"].items():
        yield f"<p>Returns {_type(content['schema'])} as <code>{escape(kind)}</code>.</p>"
    if bad:
        listed = ", ".join(f"{status} {escape(each['description'])}" for status, each in bad)
        yield f"<p>Errors: {listed}.</p>"


def _about(schema: Mapping[str, Any]) -> str:
    return f"<p>{_text(schema.get('description', ''))}</p>"


def _text(described: str) -> str:
    return re.sub("`(.*?)`", r"<code>\1</code>", escape(described))


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yields the table of the fields of an object."""
    required = schema.get("required", ())
    yield "<table><tr><th>field</th><th>type</th><th>default</th><th>meaning</th></tr>"
    for name, field in schema.get("properties", {}).items():
        default = escape(json.dumps(field["default"])) if "default" in field else ""
        default = "required" if name in required else default
        cells = f"<code>{escape(name)}</code>", _type(field), default
        meaning = _text(field.get("description", ""))
        yield f"<tr>{''.join(f'<td>{each}</td>' for each in cells)}<td>{meaning}</td></tr>"
    yield "</table>"


def _type(schema: Mapping[str, Any]) -> str:
    """Returns the type of a value, with links to those that are objects of the API."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f'<a href="#{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(map(_type, schema[several]))
    if "enum" in schema:
        return escape(", ".join(map(str, schema["enum"])))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("type", "anything")))
