"""The process: a port is taken, models are warmed, requests are answered until a signal ends it."""

import contextlib
import logging
import signal
import socket
import sys
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from nmt.errors import UserError
from nmt.serving.names import name_of
from nmt.serving.observing import LOGGER, JsonLines

KEPT = 75  # seconds that a connection may wait for its next request: longer than proxies wait
DRAINING = 5  # seconds more than a request may take, at the end


def bound(host: str, port: int) -> socket.socket:
    """Returns a socket that listens at an address; port 0 stands for any free one.

    It listens before anybody is answered, since two servers can be bound to a port, but only one
    can listen there; who asks too early waits.

    Raises:
        UserError: there is no such address, or another program listens there.
    """
    with contextlib.ExitStack() as on_error:
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            found = on_error.enter_context(socket.socket(family, kind))
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen()
        except (OSError, UnicodeError) as error:  # the latter: a label of the name is too long
            reason = getattr(error, "strerror", "no name of a host")
            raise UserError(
                f"--host {host} --port {port}: {reason}; choose another, such as --port 0 "
                "for any that is free"
            ) from None
        on_error.pop_all()
    return found


def url(listener: socket.socket) -> str:
    """Returns the address at which a socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://{name_of(host)}:{port}"


def run(app: ASGIApp, listener: socket.socket, *, ready: str, seconds: float) -> None:
    """Answers requests until SIGTERM or SIGINT, and then those that are in flight.

    `ready` is printed when requests are answered. So many seconds are the most that an answer
    takes, or each line of one that comes line by line, which may therefore be cut off at the end.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEPT,
        timeout_graceful_shutdown=round(seconds) + DRAINING,
    )
    server = _Server(config, ready)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, server.end)
    server.run(sockets=[listener])


def log() -> None:
    """Has the log written to standard error, as lines of JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for logger, level in ((LOGGER, logging.INFO), (logging.getLogger("uvicorn"), logging.WARNING)):
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._ready, flush=True)

    def end(self, *_: Any) -> None:
        """Ends the process if a signal comes before uvicorn heeds it.

        When uvicorn has ended, it raises the signal again, which is ignored: the exit code is 0.
        """
        if not self.started:
            sys.exit()
