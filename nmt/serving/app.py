"""The application: which function answers which request, and what an error looks like."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from nmt.errors import UserError
from nmt.serving import libre, native
from nmt.serving.answers import ExplainAnswer, LineAnswer, ModelsAnswer, TranslateAnswer
from nmt.serving.bodies import ExplainBody, LibreBody, LibreTranslateBody, TranslateBody
from nmt.serving.languages import Guess
from nmt.serving.model import close
from nmt.serving.names import Named
from nmt.serving.observing import GONE, Observed
from nmt.serving.openapi import JSON, Endpoint, description
from nmt.serving.reference import page
from nmt.serving.service import Gone, Service

PAGE = Path(__file__).parent / "page"


async def health(request: Request) -> Response:
    """Says that the server answers."""
    return JSONResponse({"status": "ok"})


async def metrics(request: Request) -> Response:
    """Returns numbers for Prometheus."""
    service: Service = request.app.state.service
    service.authorize(request)
    return Response(
        generate_latest(service.metrics.registry), media_type="text/plain; version=0.0.4"
    )


_LATER = (429, 503)  # when there is too much to do
_WRONG = (400, 401, 408, 413, *_LATER)
_FORM = "application/x-www-form-urlencoded"

ENDPOINTS = (
    Endpoint(
        "/v1/translate",
        native.translate,
        {JSON: TranslateAnswer, native.NDJSON: LineAnswer},
        body=TranslateBody,
        errors=(*_WRONG, 404),
    ),
    Endpoint(
        "/v1/explain",
        native.explain,
        {JSON: ExplainAnswer},
        body=ExplainBody,
        errors=(*_WRONG, 404),
    ),
    Endpoint("/v1/models", native.models, {JSON: ModelsAnswer}, errors=(401,)),
    Endpoint(
        "/translate",
        libre.translate,
        {JSON: libre.Translated},
        body=LibreTranslateBody,
        takes=(JSON, _FORM),
        errors=_WRONG,
    ),
    Endpoint(
        "/detect",
        libre.detect,
        {JSON: list[Guess]},
        body=LibreBody,
        takes=(JSON, _FORM),
        errors=(400, 401, 408, 413),
    ),
    Endpoint("/languages", libre.languages, {JSON: list[libre.Language]}),
    Endpoint("/frontend/settings", libre.settings, {JSON: dict[str, Any]}),
    Endpoint("/health", health, {JSON: dict[str, str]}),
    Endpoint("/metrics", metrics, {"text/plain": str}, errors=(401,)),
)


def application(
    service: Service, *, cors: Sequence[str] = (), names: tuple[str, ...] | None = None
) -> ASGIApp:
    """Returns the application; pages of the origins `cors` may ask it, besides its own.

    Without a key, it is asked by these names alone, if there are some.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        close(service.models, service.limits.seconds)

    described = description(ENDPOINTS)
    files = {"/": _file(PAGE / "index.html")}
    files |= {f"/{path.name}": _file(path) for path in sorted(PAGE.iterdir())}
    files |= {"/openapi.json": _constant(JSONResponse(described))}
    files |= {"/docs": _constant(HTMLResponse(page(described)))}
    routes = [each.route for each in ENDPOINTS]
    around = list[Middleware]()
    if names and service.api_key is None:
        around.append(Middleware(Named, names=names))
    if cors:
        methods, headers = ["GET", "POST"], ["Authorization"]
        around.append(
            Middleware(
                CORSMiddleware, allow_origins=cors, allow_methods=methods, allow_headers=headers
            )
        )
    app = Starlette(
        routes=[*routes, *itertools.starmap(Route, files.items())],
        middleware=around,
        exception_handlers={
            HTTPException: _refused,
            UserError: _mistaken,
            Gone: _gone,
            Exception: _failed,
        },
        lifespan=lifespan,
    )
    app.state.service = service
    return Observed(app, service.metrics, frozenset(route.path for route in routes))


def _file(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return FileResponse(path)

    return answer


def _constant(response: Response) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return response

    return answer


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _mistaken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=GONE)


async def _failed(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "the server has failed; its log says why"}, 500)
