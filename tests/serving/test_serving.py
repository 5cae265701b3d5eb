"""The server's own API, asked by many clients at once, and by bad ones."""

import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from asking import serving, until
from tiny import letters

import nmt
from nmt.inference import programs
from nmt.inference.methods import METHODS
from nmt.inference.translator import Translator
from nmt.run import Run
from nmt.serving import starting


@pytest.fixture(scope="module")
def translator(noisy_run):
    return Translator.load(noisy_run)


@pytest.fixture
def metrics():
    return starting.Metrics()


def texts(translations):
    return [ranked[0]["text"] for ranked in translations]


def test_each_of_64_threads_gets_what_nmt_translate_writes(client, translator):
    lines = [*letters(80, longest=6, seed=5), "", "日本 a b", "a  b\u2028c", "\ta", "a b. c d."]
    expected = [each.text for each in translator.translate(lines)]
    wrong = []

    def ask(seed):
        draw = random.Random(seed)
        for _ in range(2):
            match draw.randrange(4):
                case 0:
                    client.ask("POST", "/v1/translate", draw.randbytes(20))
                case 1:
                    places = draw.sample(range(len(lines)), 10)
                    found = client.translated([lines[i] for i in places], source="fr")
                    if texts(found) != [expected[i] for i in places]:
                        wrong.append(places)
                case _:
                    place = draw.randrange(len(lines))
                    found = client.translated([lines[place]], model="noisy")
                    if texts(found) != [expected[place]]:
                        wrong.append(place)

    with ThreadPoolExecutor(64) as clients:
        list(clients.map(ask, range(64)))
    assert wrong == []


def test_paragraphs_and_empty_lines_are_kept(client):
    [*found] = client.translated("a b\r\n\n\nc d\n", model="copy")

    assert texts(found) == ["a b", "", "", "c d", ""]
    assert found[1] == [
        {
            "source": "", "text": "", "score": 0, "log_prob": 0, "source_words": [],
            "target_words": [], "source_pieces": [], "target_pieces": [], "piece_log_probs": [],
            "method": "attention", "is_cut": False,
        }
    ]  # fmt: skip


def test_a_translation_has_what_the_translator_returns(client, translator):
    [[found]] = client.translated("a c  😀 b", model="noisy", attention=True)
    expected = translator.translate("a c  😀 b")

    assert found["text"] == expected.text
    assert found["score"] == pytest.approx(expected.score, abs=1e-4)
    assert found["log_prob"] == pytest.approx(expected.log_prob, abs=1e-4)
    assert found["source_words"] == [
        {"text": "a", "start": 0, "end": 1},
        {"text": "c", "start": 2, "end": 3},
        {"text": "😀", "start": 5, "end": 6},
        {"text": "b", "start": 7, "end": 8},
    ]
    for word in found["target_words"]:
        assert found["text"][word["start"] : word["end"]] == word["text"]
    words = [(word["text"], word["log_prob"]) for word in found["target_words"]]
    for (text, value), (label, log_prob) in zip(words, expected.word_log_probs, strict=False):
        assert text == label
        assert value == pytest.approx(log_prob, abs=1e-4)
    assert found["source_pieces"] == list(expected.source_pieces)
    assert found["target_pieces"] == list(expected.target_pieces)
    np.testing.assert_allclose(found["attention"], expected.words.weights, atol=1e-4)


def test_the_n_best_are_those_of_the_translator(client, models):
    [found] = client.translated("a b c d", model="noisy", n_best=4)
    [expected] = models[1].translator.stream(["a b c d"], n_best=4)

    assert [each["text"] for each in found] == [each.text for each in expected]
    assert len(found) > 1


@pytest.mark.parametrize("method", ["attention", "shifted", "saliency"])
def test_matrices_are_those_of_each_method(client, translator, method):
    [[found]] = client.translated("a b", model="noisy", attention=True, method=method)
    given = {"source_text": "a b", "target_text": found["text"], "method": method}
    status, explained = client.post("/v1/explain", {**given, "model": "noisy"})
    expected = translator.align("a b", found["text"], method=method)

    assert status == 200
    assert explained["model"] == "noisy"
    assert explained["method"] == found["method"] == method
    np.testing.assert_allclose(explained["attention"], expected.words.weights, atol=1e-4)
    np.testing.assert_allclose(found["attention"], expected.words.weights, atol=1e-3)


def test_a_long_prefix_is_read_before_it_is_refused(client):
    [[found]] = client.translated("a b", model="copy", prefix="c " * 2_000)

    assert "has too many pieces for a translation of 13 at most" in found["warning"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"prefix": "c"}, "c"),
        ({"require": ["h g"]}, "h g"),
        ({"forbid": ["b"]}, "a"),
    ],
)
def test_constraints_are_those_of_the_translator(client, models, fields, text):
    [[found]] = client.translated("a b", model="copy", **fields)
    translator = models[0].translator
    expected = translator.translate("a b", constraints=nmt.Constraints(**fields))

    assert found["text"] == expected.text
    assert text in found["text"]
    assert "warning" not in found


def test_impossible_constraints_are_a_warning(client):
    [[found], [other]] = client.translated("a b\nc", model="copy", require=["a"], forbid=["a"])

    for each in (found, other):
        assert each["warning"] == (
            "'a' is forbidden, and 'a' has it; it is translated without its constraints"
        )
    assert found["text"] == "a b"


def test_a_line_is_divided_into_sentences_where_wanted(client, models):
    line, parts = "ab cd. Ef gh.", ["ab cd.", "Ef gh."]
    [[whole]] = client.translated(line, model="copy")
    [[divided]] = client.translated(line, model="copy", sentences=True)

    split = models[0].translator
    assert whole["text"] == split.translate(line).text
    found = [split.translate(part) for part in parts]
    assert divided["text"] == " ".join(each.text for each in found)
    assert divided["log_prob"] == pytest.approx(sum(each.log_prob for each in found), abs=1e-3)
    assert divided["log_prob"] != pytest.approx(whole["log_prob"], abs=1e-3)


@pytest.mark.usefixtures("room")
def test_a_sentence_is_translated_as_any_line_is(copy_run, metrics):
    """Also where the settings have lines never divided."""
    translator = Translator.load(copy_run, split={"when": "never"}, copy_unseen=False)
    data = Run.open(copy_run).config.data
    model = starting.served("x", translator, data, metrics=metrics, longest=0)

    divided = model.divided(["ω ab cd. Ef ω gh."], sentences=True)
    [parts] = model.translate(divided)

    found = [part.result(timeout=60).ranked[0] for part in parts]
    expected = translator.translate(["ω ab cd.", "Ef ω gh."])
    assert [each.text for each in found] == [each.text for each in expected]
    assert [each.score for each in found] == pytest.approx([each.score for each in expected])
    model.close(timeout=60)


def test_a_model_too_many_is_named(copy_run, metrics, monkeypatch):
    monkeypatch.setattr(programs, "is_full", lambda: True)
    data = Run.open(copy_run).config.data

    message = f"^x: its programs are more than the {programs.MAX_PROGRAMS} that a process keeps"
    with pytest.warns(UserWarning, match=message):
        model = starting.served("x", Translator.load(copy_run), data, metrics=metrics, longest=0)
    model.close(timeout=60)


def test_long_texts_come_line_by_line(client):
    body = {"text": "a b\n\nc", "model": "copy", "attention": True, "method": "shifted"}
    status, headers, answer = client.ask(
        "POST", "/v1/translate", body, Accept="application/x-ndjson"
    )
    found = [json.loads(line) for line in answer.decode().splitlines()]

    assert (status, headers["content-type"]) == (200, "application/x-ndjson")
    assert [each["line"] for each in found] == [0, 1, 2]
    assert texts(each["translations"] for each in found) == ["a b", "", "c"]
    assert [each["translations"] for each in found] == client.translated(**body)


UNKNOWN = "; there are: copy, noisy"
BAD = [
    (b"", "the body is not valid JSON in UTF-8: EOF while parsing a value at line 1 column 0"),
    (b'{"text": "a"', "the body is not valid JSON in UTF-8: EOF while parsing an object at "),
    (b'{"text": "\xff"}', "the body is not valid JSON in UTF-8: invalid unicode code point"),
    (b'{"text": "\\ud800"}', "the body is not valid JSON in UTF-8: unexpected end of hex escape"),
    (b"[" * 1000, "the body is not valid JSON in UTF-8: recursion limit exceeded"),
    (b'"a"', "the body should be a JSON object with model, source, target, method, text, "),
    (b"null", "the body should be a JSON object with "),
    ({}, "text: missing, and required"),
    ({"text": None}, "text: should be a valid string"),
    ({"text": 5}, "text: should be a valid string"),
    ({"text": ["a", 5]}, "text[1]: should be a valid string"),
    ({"text": ["a\nb"]}, "text: a string of the list has several lines; give each its own"),
    ({"text": "a", "txt": "b"}, "txt: unknown field; known: model, source, target, method, text"),
    ({"text": "a", "n_best": 0}, "n_best: should be greater than or equal to 1"),
    ({"text": "a", "n_best": "2"}, "n_best: should be a valid integer"),
    ({"text": "a", "n_best": True}, "n_best: should be a valid integer"),
    ({"text": "a", "n_best": 9}, "n_best: should be 5 at most for the model copy"),
    ({"text": "a", "attention": 1}, "attention: should be a valid boolean"),
    ({"text": "a", "method": "magic"}, "method: should be 'attention', 'shifted', 'saliency', "),
    ({"text": "a", "method": "saliency"}, "method: says what the matrix shows; give attention: "),
    ({"text": "a", "prefix": 1}, "prefix: should be a valid string"),
    ({"text": "a", "prefix": "a" * 10_001}, "prefix: string should have at most 10000 characters"),
    ({"text": "a", "require": "b"}, "require: should be a valid array"),
    ({"text": "a", "require": [""]}, "require: a phrase is empty"),
    ({"text": "a", "forbid": ["a"] * 17}, "forbid: list should have at most 16 items"),
    ({"text": "a", "source": "xx"}, "no model translates from xx to any language; there are: "),
    ({"text": "a", "target": "xx"}, "no model translates from any language to xx; there are: de"),
    ({"text": "a", "source": "fr", "model": "copy"}, "no model translates from fr to any language"),
]


@pytest.mark.parametrize(("body", "message"), BAD)
def test_a_mistake_is_one_clear_line(client, body, message):
    status, answer = client.post("/v1/translate", body)

    assert (status, list(answer)) == (400, ["error"])
    assert answer["error"].startswith(message)
    assert "\n" not in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/v1/translate", {"text": "a", "model": "x"}, 404, "model: no model 'x'"),
        ("POST", "/v1/explain", {"source_text": "a"}, 400, "target_text: missing, and required"),
        ("POST", "/v1/explain", {"source_text": "a\nb", "target_text": "a"}, 400, "source_text: "),
        ("POST", "/v1/explain", {"source_text": "a", "target_text": "\n"}, 400, "target_text: has"),
        ("GET", "/v1/translate", None, 405, "Method Not Allowed"),
        ("DELETE", "/v1/models", None, 405, "Method Not Allowed"),
        ("GET", "/v1/nothing", None, 404, "Not Found"),
        ("GET", "/../nmt/version.py", None, 404, "Not Found"),
    ],
)
def test_other_mistakes_are_json_too(client, method, path, body, status, message):
    found, _, answer = client.ask(method, path, body)

    assert found == status
    assert json.loads(answer)["error"].startswith(message)


def test_models_and_limits_are_listed(client):
    status, answer = client.get("/v1/models")

    assert status == 200
    common = {"target": "en", "beam": 5, "n_best": 5, "methods": list(METHODS)}
    assert answer == {
        "models": [
            {"name": "copy", "source": "de", **common, "default": True},
            {"name": "noisy", "source": "fr", **common, "default": False},
        ],
        "limits": {"characters": 50_000, "lines": 1_000},
    }


@pytest.mark.parametrize("limits", [{"lines": 7}, {"client": 7}, {"queue": 7}])
def test_the_limit_of_lines_is_what_a_request_may_have(service, limits):
    with serving(service(**limits)) as client:
        listed = client.get("/v1/models")[1]["limits"]
        assert listed == {"characters": 50_000, "lines": 7}
        assert len(client.translated(["a"] * 7)) == 7
        assert client.post("/v1/translate", {"text": ["a"] * 8})[0] == 413


def test_pages_load_nothing_from_elsewhere(client):
    for path, kind in {"/": "text/html", "/docs": "text/html", "/api.css": "text/css"}.items():
        status, headers, body = client.ask("GET", path)
        assert status == 200
        assert headers["content-type"].startswith(kind)
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert b"//" not in body.replace(b"http://www.w3.org/2000/svg", b"")


def test_the_description_has_each_path_and_is_valid(client):
    _, description = client.get("/openapi.json")
    paths = {"/v1/translate", "/v1/explain", "/v1/models", "/translate", "/detect", "/languages"}

    assert set(description["paths"]) == paths | {"/frontend/settings", "/health", "/metrics"}
    text = json.dumps(description)
    for name in description["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text
    page = client.ask("GET", "/docs")[2].decode()
    for path in description["paths"]:
        assert path in page


@pytest.mark.parametrize(
    ("limits", "body", "status", "message"),
    [
        ({"characters": 5}, {"text": "a b c d"}, 413, "7 characters in a request; at most 5"),
        ({"lines": 2}, {"text": "a\nb\nc"}, 413, "3 lines in a request; at most 2 are taken"),
        ({"client": 2}, {"text": "a\nb\nc"}, 413, "3 lines in a request; at most 2 are taken"),
        ({"queue": 2}, {"text": "a\nb\nc"}, 413, "3 lines in a request; at most 2 are taken"),
        ({"characters": 5}, {"text": "a" * 200_000}, 413, "a body of more than 100,060 bytes, the"),
    ],
)
def test_what_is_too_much_is_refused_with_a_reason(service, limits, body, status, message):
    with serving(service(**limits)) as client:
        found, headers, answer = client.ask("POST", "/v1/translate", body)

        assert found == status
        assert json.loads(answer)["error"].startswith(message)
        assert "retry-after" not in headers  # it would never be taken
        assert client.translated("a b") == client.translated("a b")  # it goes on


def test_a_client_that_sends_all_of_a_large_body_first_gets_the_answer(service):
    with serving(service(characters=5)) as client:
        status, answer = client.post("/v1/translate", b"a" * (1 << 25), connection="close")

    assert status == 413
    assert answer["error"].startswith("a body of more than 100,060 bytes")


def test_no_answer_in_time_is_an_error_and_frees_its_lines(service, busy):
    given = service(seconds=0.2)
    with serving(given) as client:
        status, headers, answer = client.ask("POST", "/v1/translate", {"text": "a\nb"})

        assert status == 503
        assert json.loads(answer)["error"] == "no answer in 0.2 seconds; send less, or try later"
        assert "retry-after" not in headers  # it might never be answered in time
        assert given.in_flight.total() == 0
        body = {"text": "a\nb"}
        answer = client.ask("POST", "/v1/translate", body, Accept="application/x-ndjson")[2]
        assert json.loads(answer)["error"].startswith("no answer in 0.2 seconds")


@pytest.mark.parametrize("accept", ["*/*", "application/x-ndjson"])
def test_a_client_that_goes_away_frees_its_lines(service, models, busy, accept):
    given = service()
    with serving(given) as client:
        body = json.dumps({"text": "a\nb\nc"}).encode()
        head = f"POST /v1/translate HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n"
        with socket.create_connection(("127.0.0.1", client.port)) as gone:
            gone.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            until(lambda: given.in_flight.total() == 3)
        until(lambda: given.in_flight.total() == 0)
        busy.set()
        assert texts(client.translated("a b")) == ["a b"]
        counts = client.ask("GET", "/metrics")[2].decode()
        assert 'path="/v1/translate",status="200"' in counts


@pytest.mark.parametrize(("limit", "status"), [("client", 429), ("queue", 503)])
def test_lines_without_an_answer_count_until_they_have_one(service, busy, limit, status):
    given = service(**{limit: 2})
    with serving(given) as client, ThreadPoolExecutor(1) as other:
        first = other.submit(client.translated, "a\nb")
        until(lambda: given.in_flight.total() == 2)
        found, headers, _ = client.ask("POST", "/v1/translate", {"text": "c"})
        assert (found, headers["retry-after"]) == (status, "1")
        busy.set()
        assert texts(first.result(60)) == ["a", "b"]
        assert texts(client.translated("c\nd")) == ["c", "d"]


@pytest.mark.usefixtures("room")
def test_a_request_that_a_model_cannot_do_takes_no_other_with_it(copy_run):
    translator = Translator.load(copy_run, strategy="sample")
    metrics = starting.Metrics()
    data = Run.open(copy_run).config.data
    model = starting.served("draws", translator, data, metrics=metrics, longest=0)
    bodies = [{"text": "a"}, {"text": "a", "require": ["b"]}] * 4
    service = starting.Service([model], metrics, starting.Limits())
    with serving(service) as client, ThreadPoolExecutor(8) as clients:
        found = list(clients.map(lambda body: client.post("/v1/translate", body), bodies))
    model.close(60)

    message = "required phrases are not for decoding.strategy=sample; choose beam"
    assert [status for status, _ in found] == [200, 400] * 4
    assert all(answer == {"error": message} for _, answer in found[1::2])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic schlüssel"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "bearer s3cret"}, 200),
    ],
)
def test_a_key_opens_the_api(service, headers, status):
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    with serving(service(api_key="s3cret")) as client:
        assert client.ask("GET", "/v1/models", **encoded)[0] == status
        assert client.ask("GET", "/metrics", **encoded)[0] == status
        assert client.post("/v1/translate", {"text": "a"}, **encoded)[0] == status
        assert client.get("/health") == (200, {"status": "ok"})
        assert client.ask("GET", "/")[0] == 200


def test_other_origins_may_ask_only_if_they_are_named(service):
    origin = {"Origin": "https://example.org"}
    with serving(service()) as client:
        assert "access-control-allow-origin" not in client.ask("GET", "/health", **origin)[1]
    with serving(service(), cors=["https://example.org"]) as client:
        headers = client.ask("GET", "/health", **origin)[1]
        assert headers["access-control-allow-origin"] == "https://example.org"
        other = client.ask("GET", "/health", Origin="https://elsewhere.org")[1]
        assert "access-control-allow-origin" not in other


def test_a_request_is_a_line_of_the_log_without_its_text(service, caplog):
    caplog.set_level("INFO", "nmt.serving")
    with serving(service()) as client:
        client.translated("a secret\nb", model="copy")
        client.post("/v1/translate", {})
    with serving(service(log_text=True)) as client:
        client.translated("a secret", model="copy")

    found = [record.facts for record in caplog.records]
    about = {"method": "POST", "path": "/v1/translate", "client": "127.0.0.1"}
    assert [each.pop("ms") > 0 for each in found] == [True] * 3
    assert found == [
        {**about, "status": 200, "model": "copy", "lines": 2, "characters": 9},
        {**about, "status": 400},
        {**about, "status": 200, "model": "copy", "lines": 1, "characters": 8, "text": "a secret"},
    ]


@pytest.mark.parametrize("path", ["/v1/translate", "/translate", "/detect"])
def test_a_client_that_goes_away_within_its_body_is_no_failure(service, caplog, path):
    caplog.set_level("INFO", "nmt.serving")
    with serving(service()) as client:
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\n".encode())
            connection.sendall(b'Content-Length: 99\r\n\r\n{"text": ')
        end = time.monotonic() + 10
        while not caplog.records and time.monotonic() < end:
            time.sleep(0.01)

    assert [record.facts["status"] for record in caplog.records] == [499]


def test_numbers_for_prometheus(service):
    with serving(service()) as client:
        client.translated("a")
        client.ask("GET", "/wp-login.php")
        _, headers, body = client.ask("GET", "/metrics")

    assert headers["content-type"].startswith("text/plain")
    lines = body.decode().splitlines()
    assert 'nmt_requests_total{path="/v1/translate",status="200"} 1.0' in lines
    assert 'nmt_requests_total{path="other",status="404"} 1.0' in lines
    assert "nmt_lines_in_flight 0.0" in lines
