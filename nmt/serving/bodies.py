"""What clients send: bodies of requests, checked, and mistakes in them as one clear line."""

from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from starlette.exceptions import HTTPException

from nmt.inference.methods import GUIDED, METHODS

PHRASES = 16  # of a request, each of LONGEST characters at most: more need ever larger programs
LONGEST = 1_000
PREFIX = 10_000  # characters of a prefix, which may be most of a translation
FIELDS = 50  # of an object, at most


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else "string"


# The first mistake of a list is enough: to note 300,000 of them stops all others for a second.
Text = Annotated[
    Annotated[str, Tag("string")] | Annotated[list[str], Field(fail_fast=True), Tag("list")],
    Discriminator(_kind),
]
Phrase = Annotated[str, Field(max_length=LONGEST)]
Phrases = Annotated[list[Phrase], Field(max_length=PHRASES, fail_fast=True)]
Method = Literal[*METHODS, GUIDED]  # type: ignore[valid-type]


class Body(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, fields: Any) -> Any:
        """Checks the number of fields first, since each unknown one is noted as a mistake."""
        if isinstance(fields, dict) and len(fields) > FIELDS:
            raise ValueError(f"{len(fields):,} fields; known: {', '.join(cls.model_fields)}")
        return fields


class Chosen(Body):
    """Which model is asked; without any of these fields, the first one."""

    model: str | None = None
    """The name of a model."""
    source: str | None = None
    """The code of the source language; null or "auto": the one that the vocabulary fits best."""
    target: str | None = None
    """The code of the target language."""
    method: Method | None = None
    """What the matrix shows; null: what the model's own translations have, which is the attention,
    or that of a guided head."""


class TranslateBody(Chosen):
    """A text to translate."""

    text: Text
    """A text, whose lines are translated one by one; or a list of lines."""
    n_best: Annotated[int, Field(ge=1, le=100)] = 1
    """How many translations of each line there are, best first; equal ones are shown once."""
    sentences: bool = False
    """Whether lines are divided into sentences, as `decoding.split=always` does."""
    prefix: Annotated[str, Field(max_length=PREFIX)] = ""
    """What each translation begins with; without a space at its end, its last word may go on."""
    require: Phrases = []
    """Phrases that each translation has."""
    forbid: Phrases = []
    """Phrases that no translation has."""
    attention: bool = False
    """Whether the answer has the matrix between target and source words."""

    @property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text if isinstance(self.text, list) else lines_of(self.text)


class ExplainBody(Chosen):
    """A line and its given translation."""

    source_text: str
    """A line in the source language."""
    target_text: str
    """A translation of it, by whomever."""


class LibreBody(BaseModel):
    """A request to the LibreTranslate API, which lets pass fields that it does not know."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    q: Annotated[Text, Field(min_length=1)]
    """A text, or a list of texts."""
    api_key: str | None = None
    """The key of the server, if it has one."""

    @property
    def texts(self) -> list[str]:
        """The texts."""
        return self.q if isinstance(self.q, list) else [self.q]


class LibreTranslateBody(LibreBody):
    """Texts to translate, as LibreTranslate takes them."""

    source: str
    """The code of the source language, or "auto"."""
    target: str
    """The code of the target language."""
    format: Literal["text", "html"] = "text"
    """What the texts are."""
    alternatives: Annotated[int, Field(ge=0, le=99)] = 0
    """How many further translations there are at most; none of HTML."""

    @field_validator("format", "alternatives", mode="before")
    @classmethod
    def _unset(cls, value: Any, info: ValidationInfo) -> Any:
        """Returns the default for null and "", which clients send for a field without a value."""
        assert info.field_name is not None  # a field is validated
        return cls.model_fields[info.field_name].default if value in (None, "") else value


_Body = TypeVar("_Body", bound=BaseModel)


def parsed(kind: type[_Body], body: bytes | dict[str, Any]) -> _Body:
    """Returns a body of a kind, given as JSON, or as the fields of a form.

    Raises:
        HTTPException: it is no such body (400).
    """
    try:
        if isinstance(body, dict):
            return kind.model_validate(body)
        return kind.model_validate_json(body)
    except ValidationError as error:
        mistake = cast(dict[str, Any], error.errors(include_url=False)[0])
        raise HTTPException(400, _message(mistake, kind)) from None


def lines_of(text: str) -> list[str]:
    r"""Returns the lines of a text, as `nmt translate` reads those of a file."""
    return [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]


def _message(mistake: dict[str, Any], kind: type[BaseModel]) -> str:
    first, *rest = mistake["loc"] or ("the body",)
    place = "".join([str(first), *(f"[{each}]" for each in rest if isinstance(each, int))])
    message = mistake["msg"].removeprefix("Input should be ")
    match mistake["type"]:
        case "json_invalid":
            return f"the body is not valid JSON in UTF-8: {mistake['ctx']['error']}"
        case "model_type":
            return f"the body should be a JSON object with {', '.join(kind.model_fields)}"
        case "value_error":
            return f"{place}: {mistake['ctx']['error']}"
        case "missing":
            return f"{place}: missing, and required"
        case "too_short" | "string_too_short":
            return f"{place}: is empty"
        case "extra_forbidden":
            return f"{place}: unknown field; known: {', '.join(kind.model_fields)}"
        case _:
            return (
                f"{place}: should be {message}"
                if message != mistake["msg"]
                else (f"{place}: {message[0].lower()}{message[1:]}")
            )
