"""The API of LibreTranslate, so that its clients work: https://docs.libretranslate.com."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from nmt.inference import limits
from nmt.markup import Document, html
from nmt.serving.answers import Answer
from nmt.serving.bodies import LibreBody, LibreTranslateBody, lines_of, parsed
from nmt.serving.languages import Guess, chosen, guesses, vocabularies
from nmt.serving.model import Served
from nmt.serving.service import Service, aside, gathered
from nmt.serving.tasks import Result

_Body = TypeVar("_Body", bound=LibreBody)

FIELDS = 20  # of a form, at most


class Language(Answer):
    """A language."""

    code: str
    name: str
    """The code again: the models know no names."""
    targets: list[str]
    """The codes of the languages that it is translated to."""


class Translated(Answer):
    """The translation of a text, or those of a list."""

    translatedText: str | list[str]  # noqa: N815, the names are those of LibreTranslate
    detectedLanguage: Guess | list[Guess] | None = None  # noqa: N815
    """If the source language was "auto"."""
    alternatives: list[str] | list[list[str]] | None = None
    """Further translations of each text, if they were asked for."""


async def languages(request: Request) -> Response:
    """Returns the languages, each with those that it is translated to."""
    models = request.app.state.service.models
    targets: dict[str, dict[str, None]] = {each.source: {} for each in models}
    for each in models:
        targets[each.source][each.target] = None
        targets.setdefault(each.target, {})
    found = [Language(code=code, name=code, targets=list(each)) for code, each in targets.items()]
    return JSONResponse([each.model_dump() for each in found])


async def detect(request: Request) -> Response:
    """Returns the languages that a text may be in: those of the models, by their vocabularies."""
    service: Service = request.app.state.service
    body = await _body(request, LibreBody)
    found = guesses("\n".join(body.texts), vocabularies(service.models, targets=True))
    return JSONResponse([each.model_dump() for each in found])


async def settings(request: Request) -> Response:
    """Returns what a page of LibreTranslate asks for when it starts."""
    service: Service = request.app.state.service
    first = service.models[0]
    return JSONResponse(
        {
            "charLimit": service.limits.characters,
            "frontendTimeout": 500,  # milliseconds without a key before the page translates
            "apiKeys": service.api_key is not None,
            "keyRequired": service.api_key is not None,
            "suggestions": False,
            "filesTranslation": False,
            "supportedFilesFormat": [],
            "language": {
                "source": {"code": first.source, "name": first.source},
                "target": {"code": first.target, "name": first.target},
            },
        }
    )


async def translate(request: Request) -> Response:
    """Translates a text, or several, line by line, or as HTML."""
    service: Service = request.app.state.service
    body = await _body(request, LibreTranslateBody)
    everything = "\n".join(body.texts)
    if body.source == "auto" and body.format == "html":
        everything = html.words(everything)  # tags are of no language
    guessed = guesses(everything, vocabularies(service.models)) if body.source == "auto" else []
    asked = {"source": body.source, "target": body.target}
    model = chosen(service.models, everything, **asked, guessed=guessed)
    work = _of_html if body.format == "html" else _of_text
    found = await work(request, model, body)
    answer: dict[str, Any] = {"translatedText": [each[0] for each in found]}
    if guessed:
        of_model = next(each for each in guessed if each.language == model.source)
        answer["detectedLanguage"] = [of_model] * len(found)
    if body.alternatives:
        answer["alternatives"] = [each[1:] for each in found]
    if isinstance(body.q, str):
        answer = {key: value for key, (value,) in answer.items()}
    return Response(Translated(**answer).json_text, media_type="application/json")


async def _of_text(request: Request, model: Served, body: LibreTranslateBody) -> list[list[str]]:
    """Returns the translations of each text, best first."""
    service: Service = request.app.state.service
    most = limits.most(model.translator.config) or 1 + body.alternatives
    number = min(1 + body.alternatives, most)
    texts = [lines_of(text) for text in body.texts]
    lines = [line for each in texts for line in each]
    service.admit(request, model, lines)
    divide = partial(model.divided, lines, n_best=number)
    divided = await aside(divide, sum(map(len, lines)))
    futures = service.translated(request, model, divided)
    found = iter(await service.answered(request, gathered(futures, futures)))
    return [_joined(list(islice(found, len(each))), number) for each in texts]


def _joined(found: Sequence[Result], number: int) -> list[str]:
    """Returns the translations of a text, given those of its lines; a line may have fewer."""
    ranked = [[each.text for each in line.ranked] for line in found]
    texts = ("\n".join(line[min(i, len(line) - 1)] for line in ranked) for i in range(number))
    return list(dict.fromkeys(texts))


async def _of_html(request: Request, model: Served, body: LibreTranslateBody) -> list[list[str]]:
    """Returns the translation of each text, with all of its markup."""
    service: Service = request.app.state.service
    service.admit(request, model, body.texts)  # reading a page takes time, so not one of any length
    return await service.answered(request, _rewritten(request, model, body.texts))


async def _rewritten(request: Request, model: Served, pages: Sequence[str]) -> list[list[str]]:
    """Returns the translation of each page."""
    service: Service = request.app.state.service
    alphabet = model.translator.tokenizers.source.alphabet

    def read() -> list[Document]:
        return [Document(text, kind="html", alphabet=alphabet) for text in pages]

    documents = await asyncio.to_thread(read)
    lines = [line for each in documents for line in each.lines]
    service.admit(request, model, lines)
    divided = await asyncio.to_thread(model.divided_segments, lines)
    futures = service.translated(request, model, divided)
    found = await gathered(futures, futures)
    best = (line.ranked[0] for line in found)

    def written() -> list[list[str]]:
        return [["".join(each.restored(best))] for each in documents]

    return await asyncio.to_thread(written)


async def _body(request: Request, kind: type[_Body]) -> _Body:
    """Returns the body of a request, of one who has the key.

    Raises:
        HTTPException: see `Service.body`, `parsed` and `Service.authorize`.
    """
    service: Service = request.app.state.service
    raw = await service.body(request)
    kind_of_body = request.headers.get("content-type", "").lower()
    if kind_of_body.startswith("multipart/form-data"):
        raise HTTPException(
            400,
            "a form of the kind multipart/form-data, as curl -F sends it; forms are taken as "
            "application/x-www-form-urlencoded (curl -d), or send JSON",
        )
    form = kind_of_body.startswith("application/x-www-form-urlencoded")
    fields = dict(request.query_params) | (_fields(raw) if form else {})
    body = parsed(kind, fields if form or not raw else raw)
    service.authorize(request, body.api_key)
    return body


def _fields(form: bytes) -> dict[str, str]:
    """Returns the fields of a form.

    Raises:
        HTTPException: it is not UTF-8, or has too many fields (400).
    """
    try:
        pairs = parse_qsl(
            form.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS
        )
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"the form is not UTF-8 ({error.reason})") from None
    except ValueError:
        raise HTTPException(400, f"a form with more than {FIELDS} fields") from None
    return dict(pairs)
