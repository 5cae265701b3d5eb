"""LibreTranslate's API, asked by a client of LibreTranslate, and by hand."""

from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from asking import serving
from libretranslatepy import LibreTranslateAPI

from nmt.markup import html
from nmt.serving.languages import guesses

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
JSON = {"Content_Type": "application/json"}
PAIR = {"source": "de", "target": "en"}


@pytest.fixture(scope="module")
def libre(client):
    return LibreTranslateAPI(f"http://127.0.0.1:{client.port}")


def test_a_client_of_libretranslate_translates(libre, client):
    assert libre.translate("a b\n\nc d", "de", "en") == "a b\n\nc d"
    assert libre.translate("a & b=c", "de", "en") == "a & b=c"
    [[noisy]] = client.translated("a b c d e", model="noisy")
    assert libre.translate("a b c d e", "fr", "en") == noisy["text"]


def test_a_client_of_libretranslate_finds_languages(libre):
    assert libre.languages() == [
        {"code": "de", "name": "de", "targets": ["en"]},
        {"code": "fr", "name": "fr", "targets": ["en"]},
        {"code": "en", "name": "en", "targets": []},
    ]
    found = libre.detect("a b")  # all have one vocabulary, which tells nothing
    assert {each["language"]: each["confidence"] for each in found} == {
        "de": 33.3, "fr": 33.3, "en": 33.3,
    }  # fmt: skip


def test_a_client_of_libretranslate_shows_errors(service):
    with serving(service(api_key="k")) as client:
        address = f"http://127.0.0.1:{client.port}/"
        assert LibreTranslateAPI(address, api_key="k").translate("a", "de", "en") == "a"
        with pytest.raises(HTTPError, match="401"):
            LibreTranslateAPI(address).translate("a", "de", "en")
        with pytest.raises(HTTPError, match="400"):
            LibreTranslateAPI(address, api_key="k").translate("a", "de", "zu")
        settings = client.get("/frontend/settings")[1]
        assert settings["keyRequired"] is True


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"q": "a b"}, {"translatedText": "a b"}),
        ({"q": ["a b", "", "c\nd"]}, {"translatedText": ["a b", "", "c\nd"]}),
        ({"q": "a", "secret": "x"}, {"translatedText": "a"}),  # it has fields that we do not know
        (
            {"q": "<p>a <b>b</b> &lt; c</p><p>d", "format": "html"},
            {"translatedText": "<p>a <b>b</b> &lt; c</p><p>d"},
        ),
        (
            {"q": ["<i>a</i>", "b"], "format": "html", "alternatives": 2},
            {"translatedText": ["<i>a</i>", "b"], "alternatives": [[], []]},
        ),
        ({"q": "a", "format": None, "alternatives": None}, {"translatedText": "a"}),
        ({"q": "a", "format": "", "alternatives": "", "api_key": ""}, {"translatedText": "a"}),
        (
            {"q": "a", "source": "auto"},
            {
                "translatedText": "a",
                "detectedLanguage": {"language": "de", "confidence": 50.0},
            },
        ),
        (
            {"q": ["a", "b"], "source": "auto"},
            {
                "translatedText": ["a", "b"],
                "detectedLanguage": 2 * [{"language": "de", "confidence": 50.0}],
            },
        ),
    ],
)
def test_texts_come_back_as_they_were_sent(client, fields, answer):
    assert client.post("/translate", {**PAIR, **fields}, **JSON) == (200, answer)


def test_alternatives_are_further_translations(client, models):
    translator = models[0].translator
    lines = [next(translator.stream([line], n_best=4)) for line in ("a b c", "d e")]
    _, found = client.post("/translate", {**PAIR, "q": "a b c\nd e", "alternatives": 3}, **JSON)
    _, most = client.post("/translate", {**PAIR, "q": "a b c", "alternatives": 99}, **JSON)

    assert found["translatedText"] == "a b c\nd e"
    assert found["alternatives"][0] == f"{lines[0][1].text}\n{lines[1][1].text}"
    assert 1 <= len(most["alternatives"]) <= 4  # the beam is 5


BAD = [
    ({}, "q: missing, and required"),
    ({"q": "a", "target": "en"}, "source: missing, and required"),
    ({"q": "a", "source": "de"}, "target: missing, and required"),
    ({"q": "", **PAIR}, "q: is empty"),
    ({"q": "a", "source": "zu", "target": "en"}, "no model translates from zu to en; there are: "),
    ({"q": "a", "source": "", "target": "en"}, "no model translates from '' to en; there are: "),
    ({"q": "a", "source": "de", "target": "zu"}, "no model translates from de to zu; there are: "),
    ({"q": "a", **PAIR, "format": "pdf"}, "format: should be 'text' or 'html'"),
    ({"q": "a", **PAIR, "alternatives": "many"}, "alternatives: should be a valid integer"),
    ({"q": "a", **PAIR, "alternatives": -1}, "alternatives: should be greater than or equal to 0"),
    ({"q": "<meta charset=latin1>", **PAIR, "format": "html"}, "the document: its <meta> declares"),
]


@pytest.mark.parametrize(("fields", "message"), BAD)
@pytest.mark.parametrize("form", [True, False])
def test_a_mistake_is_one_clear_line_of_either_kind(client, fields, message, form):
    body, kind = (urlencode(fields).encode(), FORM) if form else (fields, JSON)
    status, answer = client.post("/translate", body, **kind)

    assert status == 400
    assert answer["error"].startswith(message)


@pytest.mark.parametrize(
    ("path", "body", "kind", "message"),
    [
        ("/translate", b"{", JSON, "the body is not valid JSON in UTF-8"),
        ("/translate", b'["a"]', JSON, "the body should be a JSON object with q, api_key, "),
        ("/translate", {"q": {"a": 1}, **PAIR}, JSON, "q: should be a valid string"),
        ("/translate", {"q": [], **PAIR}, JSON, "q: is empty"),
        ("/translate", b"q=%ff", FORM, "the form is not UTF-8 (invalid start byte)"),
        ("/translate", b"q=\xff", FORM, "the form is not UTF-8 (invalid start byte)"),
        ("/translate", b"a=b&" * 30, FORM, "a form with more than 20 fields"),
        ("/detect", b"", FORM, "q: missing, and required"),
        (
            "/translate",
            b'--x\r\nContent-Disposition: form-data; name="q"\r\n\r\na b\r\n--x--\r\n',
            {"Content_Type": "Multipart/form-data; boundary=x"},
            "a form of the kind multipart/form-data, as curl -F sends it; forms are taken as ",
        ),
    ],
)
def test_other_mistakes_are_clear_too(client, path, body, kind, message):
    status, answer = client.post(path, body, **kind)

    assert status == 400
    assert answer["error"].startswith(message)


def test_the_language_is_that_whose_vocabulary_needs_the_fewest_pieces(models, embedded_tokenizers):
    vocabularies = {
        "letters": models[0].translator.tokenizers.source,
        "german": embedded_tokenizers.source,
    }

    german, letters = guesses("Der Hund schläft, weil die Katze rennt.", vocabularies)
    assert (german.language, letters.language) == ("german", "letters")
    assert german.confidence > 99
    assert german.confidence + letters.confidence == pytest.approx(100, abs=0.1)
    assert guesses("a b c d e f g h", vocabularies)[0].language == "letters"


def test_the_language_of_a_page_is_that_of_its_words(models, embedded_tokenizers):
    vocabularies = {
        "letters": models[0].translator.tokenizers.source,
        "german": embedded_tokenizers.source,
    }
    german = "Der Hund schläft, weil die Katze rennt."
    style = "<style>\n" + "a b c d e f g h " * 50 + "</style>"
    page = f"<!-- a b c -->{style}<p title='a b c'>Der Hund schl&auml;ft,\nweil die Katze rennt."

    assert guesses(html.words(page), vocabularies) == guesses(german, vocabularies)
    assert html.words("a &lt;b&gt; <script>x") == "a <b>"
    assert html.words("<" * 100_000) == ""


def test_a_request_may_have_its_fields_in_its_address(client):
    address = f"/translate?{urlencode({'q': 'a b', **PAIR})}"

    assert client.post(address, b"") == (200, {"translatedText": "a b"})
    assert client.post(address, b"q=c", **FORM) == (200, {"translatedText": "c"})


def test_a_form_is_one_whatever_the_case_of_its_type(client):
    form = {"Content_Type": "APPLICATION/X-WWW-Form-UrlEncoded; charset=UTF-8"}
    body = urlencode({"q": "a b", **PAIR}).encode()
    assert client.post("/translate", body, **form) == (200, {"translatedText": "a b"})


def test_a_page_that_is_too_long_is_not_read(service):
    page = {**PAIR, "q": "<a" * 50_000, "format": "html"}  # takes a minute to read
    with serving(service(characters=1_000)) as client:
        status, answer = client.post("/translate", page, **JSON)
    assert status == 413
    assert answer["error"] == "100,000 characters in a request; at most 1,000 are taken"
