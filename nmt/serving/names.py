"""By which names a server may be asked that anyone on this machine may ask."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def allowed(host: str, listener: socket.socket, origins: Iterable[str]) -> frozenset[str] | None:
    """Returns the names for a socket that was bound to a host; None: any, also where others ask.

    Pages of these origins may ask, so they may do so by their own names.
    """
    address = ipaddress.ip_address(listener.getsockname()[0])
    if not address.is_loopback or "*" in origins:
        return None
    own = f"[{host}]" if ":" in host else host
    return frozenset(map(str.lower, (*LOOPBACK, own, *(urlsplit(each).netloc for each in origins))))


class Named:
    """An application that is asked by some names alone.

    A page from elsewhere can have its name lead to this machine once it is there (DNS rebinding).
    Browsers then let it read the answers, as of its own server, but say by which name they ask.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request; one without a name is of no browser."""
        name = Headers(scope=scope).get("host", "").lower() if scope["type"] == "http" else ""
        if not name or self._names & {name, re.sub(r":\d*$", "", name)}:
            await self._app(scope, receive, send)
            return
        error = (
            f"this server is not asked by the name {name}; ask localhost, or start it with "
            f"--cors https://{name} or with --api-key"
        )
        await JSONResponse({"error": error}, 403)(scope, receive, send)
