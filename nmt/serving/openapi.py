"""The description of the API, OpenAPI, made of the kinds of bodies and answers."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from inspect import getdoc
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nmt.serving.answers import ErrorAnswer
from nmt.version import __version__

_REF = "#/components/schemas/"
JSON = "application/json"


@dataclass(frozen=True)
class Endpoint:
    """What answers at a path; the kinds of its body, and of its answers by media type; errors."""

    path: str
    answer: Callable[[Request], Awaitable[Response]]
    answers: Mapping[str, Any]
    body: Any = None
    takes: Sequence[str] = (JSON,)
    errors: Sequence[int] = ()

    @property
    def method(self) -> str:
        """POST if there is a body."""
        return "GET" if self.body is None else "POST"

    @property
    def route(self) -> Route:
        """The route of this path."""
        return Route(self.path, self.answer, methods=[self.method])


def description(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Returns the description of the API in OpenAPI 3.1."""
    kinds = {ErrorAnswer: "serialization"}
    for each in endpoints:
        kinds |= dict.fromkeys(each.answers.values(), "serialization")
        kinds |= {each.body: "validation"} if each.body is not None else {}
    inputs: Any = [(kind, mode, TypeAdapter(kind)) for kind, mode in kinds.items()]
    found, shared = TypeAdapter.json_schemas(inputs, ref_template=f"{_REF}{{model}}")
    schemas = {kind: schema for (kind, _), schema in found.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "nmt", "version": __version__},
        "paths": {
            each.path: {each.method.lower(): dict(_operation(each, schemas))} for each in endpoints
        },
        "components": {
            "schemas": shared.get("$defs", {}),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(endpoint: Endpoint, schemas: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    yield "summary", getdoc(endpoint.answer)
    yield "operationId", endpoint.path.strip("/").replace("/", "_")
    if endpoint.body is not None:
        content = {kind: {"schema": schemas[endpoint.body]} for kind in endpoint.takes}
        yield "requestBody", {"required": True, "content": content}
    good = {kind: {"schema": schemas[answer]} for kind, answer in endpoint.answers.items()}
    bad = {JSON: {"schema": schemas[ErrorAnswer]}}
    yield (
        "responses",
        {"200": {"description": "The answer.", "content": good}}
        | {
            str(status): {"description": HTTPStatus(status).phrase, "content": bad}
            for status in endpoint.errors
        },
    )
