"""What an operator sees: numbers for Prometheus, and a line of JSON for each request."""

import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGER = logging.getLogger("nmt.serving")
GONE = 499  # as other servers log clients that did not wait for their answer
FACTS = "nmt.facts"  # in the scope of a request: what is logged of it

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_HEADERS = {
    b"content-security-policy": b"default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-cache",
}


class Metrics:
    """The numbers of a server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "nmt_requests", "Requests.", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "nmt_request_seconds",
            "Time until a request is answered.",
            ["path"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "nmt_lines_in_flight", "Lines that have no answer yet.", registry=self.registry
        )
        self.windows = Histogram(
            "nmt_window_lines",
            "Lines that are translated together.",
            ["model"],
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )
        self.searches = Histogram(
            "nmt_window_seconds",
            "Time that they take.",
            ["model"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def of_model(self, name: str) -> Callable[[int, float], None]:
        """Returns what is called for each window of a model: with its lines, and its seconds."""
        windows, searches = self.windows.labels(name), self.searches.labels(name)

        def observe(lines: int, seconds: float) -> None:
            windows.observe(lines)
            searches.observe(seconds)

        return observe


class Observed:
    """An application whose answers are counted and logged, and have the headers of security."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        """Takes the paths that are counted apart."""
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        facts: dict[str, Any] = {}
        scope[FACTS] = facts
        status, begin = GONE, perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}
                added = [pair for pair in _HEADERS.items() if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            self._record(scope, status, perf_counter() - begin, facts)

    def _record(self, scope: Scope, status: int, seconds: float, facts: dict[str, Any]) -> None:
        path = scope["path"] if scope["path"] in self._paths else "other"
        self._metrics.requests.labels(path, status).inc()
        self._metrics.seconds.labels(path).observe(seconds)
        client = scope.get("client")
        about = {"method": scope["method"], "path": scope["path"], "status": status}
        about |= {"ms": round(1000 * seconds, 1), "client": client[0] if client else None}
        level = logging.DEBUG if path in ("/health", "/metrics") else logging.INFO
        LOGGER.log(level, "request", extra={"facts": about | facts})


class JsonLines(logging.Formatter):
    """Formats a record as a JSON object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "message": record.getMessage()}
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False)
