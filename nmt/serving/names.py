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
_END = re.compile(r"\.?(?::\d*)?$")  # a final dot changes nothing, and any port may lead here


def name_of(host: str) -> str:
    """Returns a host as an address has it: version 6 of the protocol in brackets."""
    return f"[{host}]" if ":" in host else host


def allowed(host: str, listener: socket.socket, origins: Iterable[str]) -> tuple[str, ...] | None:
    """Returns the names for a socket that was bound to a host; None: any, also where others ask.

    The first one is its address. Pages of the origins may ask, so they may do so by their names.
    """
    own = listener.getsockname()[0]
    address = ipaddress.ip_address(own)
    reached = getattr(address, "ipv4_mapped", None) or address
    if not reached.is_loopback or "*" in origins:
        return None
    names = name_of(own), name_of(host), *LOOPBACK, *(urlsplit(each).netloc for each in origins)
    return tuple(map(str.lower, names))


class Named:
    """An application that is asked by some names alone, and by those of this machine.

    A page from elsewhere can have its name lead to this machine once it is there (DNS rebinding).
    Browsers then let it read the answers, as of its own server, but say by which name they ask.
    """

    def __init__(self, app: ASGIApp, names: tuple[str, ...]) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request; one without a name is of no browser."""
        given = Headers(scope=scope).get("host", "").lower() if scope["type"] == "http" else ""
        name = _END.sub("", given)
        if not name or {given, name} & {*self._names} or name.endswith(".localhost"):
            await self._app(scope, receive, send)
            return
        error = (
            f"this server is not asked by the name {given}; ask {self._names[0]}, or start it with "
            f"--cors https://{given} or with --api-key"
        )
        await JSONResponse({"error": error}, 403)(scope, receive, send)
