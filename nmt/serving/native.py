"""The server's own API: translations with scores, words, attention and constraints."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from nmt.data.constraints import Constraints
from nmt.errors import UserError
from nmt.inference import limits
from nmt.inference.explanations import methods_of
from nmt.serving.answers import (
    PIECES,
    WEIGHTS,
    Answer,
    ErrorAnswer,
    ExplainAnswer,
    LimitsAnswer,
    LineAnswer,
    ModelAnswer,
    ModelsAnswer,
    TranslateAnswer,
    TranslationAnswer,
    fitting,
    of_line,
    weights,
)
from nmt.serving.bodies import ExplainBody, TranslateBody, parsed
from nmt.serving.languages import chosen
from nmt.serving.model import Served
from nmt.serving.service import Service, aside, gathered
from nmt.serving.tasks import Result

NDJSON = "application/x-ndjson"

_Lines = list[list[TranslationAnswer]]  # the translations of each line


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
    most = LimitsAnswer(characters=service.limits.characters, lines=service.limits.lines_at_once)
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
    most = limits.most(model.translator.config)
    if most is not None and body.n_best > most:
        raise HTTPException(400, f"n_best: should be {most} at most for the model {model.name}")
    service.admit(request, model, lines)
    given = [(line, constraints) for line in lines] if constraints else lines
    divide = partial(
        model.divided,
        given,
        n_best=body.n_best,
        sentences=body.sentences,
        most=PIECES if body.attention else 0,
    )
    divided = await aside(divide, sum(map(len, lines)))
    futures = service.translated(request, model, divided)
    writing = _Writing(request, model, body)
    if NDJSON in request.headers.get("accept", ""):
        return StreamingResponse(_streamed(writing, futures), media_type=NDJSON)

    async def answer() -> str:
        languages = {"source": model.source, "target": model.target}
        found = await gathered(futures, futures)
        return await writing.text(
            found,
            lambda lines: TranslateAnswer(model=model.name, translations=lines, **languages),
        )

    text = await service.answered(request, answer())
    return Response(text, media_type="application/json")


@dataclass(frozen=True)
class _Writing:
    """How the answer to a request is written."""

    request: Request
    model: Served
    body: TranslateBody

    @property
    def service(self) -> Service:
        """What all requests share."""
        return self.request.app.state.service

    async def text(self, lines: Sequence[Result], answer: Callable[[_Lines], Answer]) -> str:
        """Returns an answer of lines, with matrices as far as there is room, as JSON."""
        attention, method = self.body.attention, self.body.method
        size = sum(len(each.source) for line in lines for each in line.ranked)
        fits = await aside(lambda: fitting(lines), size) if attention else [False] * len(lines)
        if attention and method not in (None, self.model.translator.method):
            shown = list(compress(lines, fits))
            explained = iter(
                await self.service.explained(self.request, self.model, shown, method=method)
            )
            lines = [
                next(explained) if fit else line for line, fit in zip(lines, fits, strict=True)
            ]

        def written() -> str:
            pairs = zip(lines, fits, strict=True)
            translations = [of_line(line, attention=attention, fits=fit) for line, fit in pairs]
            return answer(translations).json_text

        return await aside(written, size)


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
    if (number := weights(*pair, model.translator.word_boundaries)) > WEIGHTS:
        raise HTTPException(
            413,
            f"a matrix of {number:,} weights; at most {WEIGHTS:,} are given: explain sentence by "
            "sentence",
        )
    [future] = service.awaited(request, [model.align(*pair, method=body.method)])
    found = await service.answered(request, future)

    def written() -> str:
        [answer] = of_line(found, attention=True)
        return ExplainAnswer(model=model.name, **dict(answer)).json_text

    text = await aside(written, sum(map(len, pair)))
    return Response(text, media_type="application/json")


async def _streamed(
    writing: _Writing, futures: "list[asyncio.Future[Result]]"
) -> AsyncIterator[str]:
    """Yields the answer for each line as JSON, in order; the last one may be an error."""
    service = writing.service
    try:
        for number, future in enumerate(futures):
            async with asyncio.timeout(service.limits.seconds):
                line = await writing.text([await future], partial(_line_answer, number))
            yield f"{line}\n"
    except TimeoutError:
        yield f"{ErrorAnswer(error=service.late().detail).json_text}\n"
    except UserError as error:
        yield f"{ErrorAnswer(error=str(error)).json_text}\n"
    finally:
        for future in futures:
            future.cancel()


def _line_answer(number: int, lines: _Lines) -> LineAnswer:
    [translations] = lines
    return LineAnswer(line=number, translations=translations)
