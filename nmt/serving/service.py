"""What all requests share: the models, the limits, and how answers are waited for."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from nmt.counting import counted
from nmt.inference.joining import parts_of, with_parts
from nmt.inference.splitting import DividedLine
from nmt.inference.translation import Translation
from nmt.serving.in_flight import InFlight, Limits
from nmt.serving.model import Divided, Served
from nmt.serving.observing import FACTS, Metrics
from nmt.serving.tasks import Result

_Result = TypeVar("_Result")

RETRY = {"Retry-After": "1"}
SHORT = 300  # characters of a text: less work than the change to another thread and back
SLICE = 64  # translations that are explained at once: enough to find some of similar length


class Gone(Exception):  # noqa: N818, it is no error
    """The client did not wait for the answer."""


@dataclass(frozen=True)
class Service:
    """Models that answer requests, the limits, and what is in flight."""

    models: Sequence[Served]
    metrics: Metrics
    limits: Limits
    api_key: str | None = None
    log_text: bool = False
    in_flight: InFlight = field(default_factory=InFlight)

    def __post_init__(self) -> None:
        self.metrics.waiting.set_function(self.in_flight.total)

    def authorize(self, request: Request, key: str | None = None) -> None:
        """Checks the key of a request, which is given, or in a header.

        Raises:
            HTTPException: it is not that of this server (401).
        """
        if self.api_key is None:
            return
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = key or (token if scheme.lower() == "bearer" else "")
        if not hmac.compare_digest(given.encode(), self.api_key.encode()):
            raise HTTPException(
                401,
                "this server needs its API key: a header `Authorization: Bearer KEY`, or the field "
                "api_key of LibreTranslate",
                {"WWW-Authenticate": "Bearer"},
            )

    async def body(self, request: Request) -> bytes:
        """Returns the body of a request.

        What is too much is read, and not kept: many clients look for an answer only when all of
        their body is sent, and would find the connection closed.

        Raises:
            HTTPException: it is too large (413), or does not come (408).
            Gone: the client has gone before its end.
        """
        read, size, most = bytearray(), 0, self.limits.bytes
        try:
            async with asyncio.timeout(self.limits.seconds):
                async for part in request.stream():
                    size += len(part)
                    if size <= most:
                        read += part
        except TimeoutError:
            raise HTTPException(408, f"no body in {self.limits.seconds:g} seconds") from None
        except ClientDisconnect:
            raise Gone from None
        if size > most:
            raise HTTPException(413, f"a body of more than {most:,} bytes, the most that is taken")
        return bytes(read)

    def admit(self, request: Request, model: Served, lines: Sequence[str]) -> None:
        """Lets lines in, and says so in the log.

        Raises:
            HTTPException: they are too many (413), or too many have no answer yet (429, 503).
        """
        limits, number, characters = self.limits, len(lines), sum(map(len, lines))
        facts = {"model": model.name, "lines": number, "characters": characters}
        request.scope[FACTS] |= facts | ({"text": "\n".join(lines)} if self.log_text else {})
        for what, given, most in (
            ("characters", characters, limits.characters),
            ("lines", number, limits.lines_at_once),
        ):
            if given > most:
                raise HTTPException(
                    413, f"{given:,} {what} in a request; at most {most:,} are taken"
                )
        self._check_room(request, number)

    def translated(
        self, request: Request, model: Served, divided: Divided
    ) -> "list[asyncio.Future[Result]]":
        """Returns futures of the translations of lines that have been admitted.

        A part of a divided line is in flight as a line is.

        Raises:
            HTTPException: they are divided into too many parts (413, 429, 503).
        """
        number, most = len(divided.parts), self.limits.together
        if number > most:
            raise HTTPException(
                413,
                f"lines that are divided into {number:,} sentences; at most {most:,} are taken "
                "at once",
            )
        self._check_room(request, number)
        waiting = zip(divided.lines, model.translate(divided), strict=True)
        return [_line(divided, line, self.awaited(request, parts)) for line, parts in waiting]

    def _check_room(self, request: Request, number: int) -> None:
        """Checks that so many lines, or parts of lines, may wait besides those in flight.

        Raises:
            HTTPException: too many have no answer yet (429, 503).
        """
        for status, whose, waiting, most in self._bounds(request):
            if waiting + number > most:
                raise HTTPException(
                    status,
                    f"{counted(waiting, 'line')} {whose}without an answer yet, and {number:,} "
                    f"more would be over {most:,}; try again later",
                    RETRY,
                )

    def _bounds(self, request: Request) -> tuple[tuple[int, str, int, int], ...]:
        """Returns status and words of each refusal, with what is in flight, and how much may be."""
        name, limits = client(request), self.limits
        return (
            (429, "of yours ", self.in_flight.of(name), limits.client),
            (503, "", self.in_flight.total(), limits.queue),
        )

    def awaited(
        self, request: Request, futures: "Sequence[Future[_Result]]"
    ) -> "list[asyncio.Future[_Result]]":
        """Returns futures that can be awaited, and are in flight until engines have done them."""
        self.in_flight.add(client(request), futures)  # first: an answer comes after its line
        return [asyncio.wrap_future(each) for each in futures]

    async def explained(
        self, request: Request, model: Served, lines: Sequence[Result], *, method: str
    ) -> list[Result]:
        """Returns lines with the matrices of another method.

        A request may have many more translations than the lines for which it was admitted, so only
        as many are in flight as there is room for; one at least, since it is not refused any more.
        """
        ranked = [each for line in lines for each in line.ranked]
        parts, explained = parts_of(ranked), list[Translation]()
        while rest := parts[len(explained) :]:
            room = min(most - waiting for _, _, waiting, most in self._bounds(request))
            some = rest[: max(1, min(room, SLICE))]
            futures = self.awaited(request, model.explain(some, method=method))
            explained += await gathered(futures, futures)
        done = iter(await asyncio.to_thread(with_parts, ranked, explained))
        return [line._replace(ranked=list(islice(done, len(line.ranked)))) for line in lines]

    async def answered(self, request: Request, work: Awaitable[_Result]) -> _Result:
        """Returns the result of work, which is stopped if time is up, or nobody is left to answer.

        Raises:
            HTTPException: it takes too long (503).
            Gone: the client has gone.
        """
        task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
        try:
            async with asyncio.timeout(self.limits.seconds):
                await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Gone
            return task.result()
        except TimeoutError:
            raise self.late() from None
        finally:
            task.cancel()
            gone.cancel()
            await asyncio.gather(task, gone, return_exceptions=True)

    def late(self) -> HTTPException:
        """Returns the error of a request that cannot be answered in time.

        It has no time to try again: a line that takes longer than this would be asked for for ever.
        """
        return HTTPException(
            503, f"no answer in {self.limits.seconds:g} seconds; send less, or try later"
        )


async def gathered(
    futures: "Sequence[asyncio.Future[Any]]", work: Iterable[Awaitable[_Result]]
) -> list[_Result]:
    """Returns the results of work on futures; if one of them fails, the others are not wanted."""
    try:
        return await asyncio.gather(*work)
    finally:
        for each in futures:
            each.cancel()


async def aside(work: Callable[[], _Result], characters: int) -> _Result:
    """Returns the result of work on a text, which has a thread of its own unless it is short."""
    return work() if characters <= SHORT else await asyncio.to_thread(work)


def _line(
    divided: Divided, line: DividedLine, parts: "list[asyncio.Future[Result]]"
) -> "asyncio.Future[Result]":
    """Returns the future of the translations of a line, which has those of its parts cancelled."""

    async def whole() -> Result:
        found = await gathered(parts, parts)
        joined = partial(divided.task.joined, line, found, most=divided.most)
        return await aside(joined, len(line.text))

    return parts[0] if len(parts) == 1 else asyncio.ensure_future(whole())


def client(request: Request) -> str:
    """Returns the address of a client."""
    return request.client.host if request.client else ""


async def _gone(request: Request) -> None:
    """Waits until a client, whose body has been read, has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
