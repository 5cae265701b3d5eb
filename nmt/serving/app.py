"""The application: which function answers which request, and what an error looks like."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from nmt.errors import UserError
from nmt.serving import native
from nmt.serving.observing import GONE, Observed
from nmt.serving.service import Gone, Service

PAGE = Path(__file__).parent / "page"


def application(service: Service, *, cors: Sequence[str] = ()) -> ASGIApp:
    """Returns the application; pages of the origins `cors` may ask it, besides its own."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for model in service.models:
            model.close(service.limits.seconds)

    routes = [
        Route("/v1/models", native.models),
        Route("/v1/translate", native.translate, methods=["POST"]),
        Route("/v1/explain", native.explain, methods=["POST"]),
        Route("/health", health),
        Route("/metrics", metrics),
    ]
    files = [Route(f"/{path.name}", _file(path)) for path in sorted(PAGE.iterdir())]
    shared = Middleware(
        CORSMiddleware,
        allow_origins=cors,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization"],
    )
    app = Starlette(
        routes=[*routes, Route("/", _file(PAGE / "index.html")), *files],
        middleware=[shared] if cors else [],
        exception_handlers={
            HTTPException: _refused,
            UserError: _mistaken,
            Gone: _gone,
            Exception: _failed,
        },
        lifespan=lifespan,
        max_body_size=service.limits.bytes,
    )
    app.state.service = service
    return Observed(app, service.metrics, frozenset(route.path for route in routes))


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


def _file(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return FileResponse(path)

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
