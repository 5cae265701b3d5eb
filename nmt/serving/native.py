"""The server's own API: translations with scores, words, attention and constraints."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from nmt.data.constraints import Constraints
from nmt.errors import UserError
from nmt.inference import limits
from nmt.inference.explanations import methods_of
from nmt.serving.answers import (
    ErrorAnswer,
    ExplainAnswer,
    LimitsAnswer,
    LineAnswer,
    ModelAnswer,
    ModelsAnswer,
    TranslateAnswer,
    TranslationAnswer,
    of_line,
)
from nmt.serving.bodies import ExplainBody, TranslateBody, parsed
from nmt.serving.languages import chosen
from nmt.serving.model import Found
from nmt.serving.service import Service, gathered

NDJSON = "application/x-ndjson"

_Line = Callable[["asyncio.Future[Found]"], Coroutine[Any, Any, list[TranslationAnswer]]]


async def models(request: Request) -> Response:
    """Returns the models, and the limits of a request."""
    service: Service = request.app.state.service
    service.authorize(request)
    listed = [
        ModelAnswer(
            name=each.name,
            source=each.source,
            target=each.target,
            beam=each.translator.config.beam,
            n_best=limits.most(each.translator.config),
            methods=methods_of(each.translator.loaded),
            default=each is service.models[0],
        )
        for each in service.models
    ]
    most = LimitsAnswer(characters=service.limits.characters, lines=service.limits.lines)
    return JSONResponse(ModelsAnswer(models=listed, limits=most).model_dump())


async def translate(request: Request) -> Response:
    """Translates a text line by line; with `Accept: application/x-ndjson`, a line at a time."""
    service: Service = request.app.state.service
    service.authorize(request)
    body = parsed(TranslateBody, await service.body(request))
    lines = body.lines
    if any("\n" in line for line in lines):
        raise HTTPException(400, "text: a string of the list has several lines; give each its own")
    if body.method is not None and not body.attention:
        raise HTTPException(400, "method: says what the matrix shows; give attention: true")
    constraints = Constraints(body.prefix, body.require, body.forbid)
    model = chosen(
        service.models,
        "\n".join(lines),
        source=body.source,
        target=body.target,
        name=body.model,
    )
    limits.check_number(body.n_best, model.translator.config)
    service.admit(request, model, lines)
    given = [(line, constraints) for line in lines] if constraints else lines
    found = model.translate(given, n_best=body.n_best, sentences=body.sentences)
    futures = service.awaited(request, found)

    async def line(future: "asyncio.Future[Found]") -> list[TranslationAnswer]:
        found = await future
        if body.attention and body.method not in (None, model.translator.method):
            [future] = service.awaited(request, [model.explain(found, method=body.method)])
            found = await future
        return of_line(found, attention=body.attention)

    if NDJSON in request.headers.get("accept", ""):
        return StreamingResponse(_streamed(service, futures, line), media_type=NDJSON)
    translations = await service.answered(request, gathered(futures, map(line, futures)))
    answer = TranslateAnswer(
        model=model.name, source=model.source, target=model.target, translations=translations
    )
    return Response(answer.json_text, media_type="application/json")


async def explain(request: Request) -> Response:
    """Force-decodes a translation: its probability, and what its words depend on."""
    service: Service = request.app.state.service
    service.authorize(request)
    body = parsed(ExplainBody, await service.body(request))
    pair = body.source_text, body.target_text
    for name, text in zip(("source_text", "target_text"), pair, strict=True):
        if "\n" in text:
            raise HTTPException(400, f"{name}: has several lines; explain each by itself")
    model = chosen(service.models, pair[0], source=body.source, target=body.target, name=body.model)
    service.admit(request, model, pair)
    [future] = service.awaited(request, [model.align(*pair, method=body.method)])
    found = await service.answered(request, future)
    [answer] = of_line(found, attention=True)
    explained = ExplainAnswer(model=model.name, **dict(answer))
    return Response(explained.json_text, media_type="application/json")


async def _streamed(
    service: Service, futures: "list[asyncio.Future[Found]]", line: _Line
) -> AsyncIterator[str]:
    """Yields the answer for each line as JSON, in order; the last one may be an error."""
    try:
        for number, future in enumerate(futures):
            async with asyncio.timeout(service.limits.seconds):
                answer = LineAnswer(line=number, translations=await line(future))
            yield f"{answer.json_text}\n"
    except TimeoutError:
        yield f"{ErrorAnswer(error=service.late().detail).json_text}\n"
    except UserError as error:
        yield f"{ErrorAnswer(error=str(error)).json_text}\n"
    finally:
        for future in futures:
            future.cancel()
