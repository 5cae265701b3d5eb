"""Bodies that are wrong in many places: the first mistake is told, and the others cost nothing."""

import json
import time

import pytest
from starlette.exceptions import HTTPException

from nmt.serving.bodies import ExplainBody, LibreBody, TranslateBody, parsed

MANY = 340_000
FIELDS = {str(number): 1 for number in range(60_000)}
BAD = [
    (TranslateBody, {"text": [1] * MANY}, "text[0]: should be a valid string"),
    (TranslateBody, {"text": "a", "require": [1] * MANY}, "require[0]: should be a valid string"),
    (TranslateBody, {"text": "a", "forbid": [1] * MANY}, "forbid[0]: should be a valid string"),
    (TranslateBody, FIELDS, "the body: 60,000 fields; known: model, source, target, method, text"),
    (ExplainBody, FIELDS, "the body: 60,000 fields; known: model, source, target, method, source_"),
    (LibreBody, FIELDS, "q: missing, and required"),
    (LibreBody, {"q": [1] * MANY}, "q[0]: should be a valid string"),
]


@pytest.mark.parametrize(("kind", "body", "message"), BAD)
def test_a_body_of_many_mistakes_takes_no_longer_than_one_of_few(kind, body, message):
    sent = json.dumps(body).encode()
    begin = time.thread_time()
    with pytest.raises(HTTPException) as error:
        parsed(kind, sent)

    assert error.value.detail.startswith(message)
    assert time.thread_time() - begin < 0.25  # seconds of a core; noting them all takes 0.5 to 1.3


def test_a_body_of_a_few_unknown_fields_names_the_first():
    sent = json.dumps({"text": "a"} | {f"x{number}": 1 for number in range(49)}).encode()
    with pytest.raises(HTTPException, match="x0: unknown field; known: model, source, target"):
        parsed(TranslateBody, sent)
