"""The page in Chromium, which asks a running server: what one does there, and what it shows."""

import time

import numpy as np
import pytest
from asking import serving
from reading import CELLS, COLUMNS, ROWS, SOURCE, TARGET, Page
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

LINE, LETTERS = "a b c d", ["a", "b", "c", "d"]


def test_what_one_types_is_translated(page):
    assert page.translated("a b") == "a b"
    page.press(" c d")
    page.until(lambda: page.text("#translation") == LINE)
    assert page.texts("#spoken") == [LINE]
    page.one("#text").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    page.until(lambda: page.texts(TARGET) == [] and not page.one("#details").is_displayed())


def test_an_older_answer_does_not_overwrite_a_newer_one(page):
    page.run(
        "const ask = window.fetch; window.asked = 0; window.late = 0;"
        "window.fetch = async (path, options) => {"
        "  if (window.asked++) return ask(path, options);"
        "  const answer = await ask(path, { ...options, signal: null });"
        "  await new Promise((resolve) => setTimeout(resolve, 900));"
        "  window.late += 1; return answer; }"
    )
    page.one("#text").send_keys("a b")
    page.until(lambda: page.run("return window.asked") == 1)
    page.press(" c d")
    page.until(lambda: page.text("#translation") == LINE)
    page.until(lambda: page.run("return window.late") == 1)
    assert page.text("#translation") == LINE


def test_an_older_beginning_does_not_take_the_place_of_a_newer_one(page):
    page.translated(LINE)
    page.run(
        "const ask = window.fetch; window.asked = 0;"
        "const held = new Promise((resolve) => (window.release = resolve));"
        "window.fetch = async (path, options) => {"
        "  const answer = await ask(path, { ...options, signal: null });"
        "  window.asked += 1; await held; return answer; }"
    )
    page.one("#prefix").send_keys("e ")
    page.until(lambda: page.run("return window.asked"))
    page.run(
        "const field = document.getElementById('prefix'); field.value = 'f ';"
        "field.dispatchEvent(new Event('input')); window.release()"
    )
    page.until(lambda: page.texts("span.forced") == ["f"])


@pytest.mark.parametrize(("selector", "other"), [(SOURCE, TARGET), (TARGET, SOURCE)])
def test_pointing_at_a_word_lights_up_its_partners(page, selector, other):
    page.translated(LINE)
    [[best]] = page.ask(text=LINE)
    weights = np.array(best["attention"])

    for number in (1, 2):
        page.point(selector, number)
        expected = weights[number] if selector == TARGET else weights[:, number]
        np.testing.assert_allclose(page.lit(other), expected, atol=0.01)
        assert page.lit(selector) == [0] * 4
        assert page.texts("th.pointed") == [LETTERS[number]]
        assert page.texts(f"{COLUMNS if selector == SOURCE else ROWS}.pointed") == [LETTERS[number]]
    page.point("h1", 0)
    assert page.lit(f"{SOURCE}, {TARGET}") == [0] * 8


def test_the_heat_map_is_a_table_of_the_weights(page):
    page.translated(LINE)
    [[best]] = page.ask(text=LINE)

    assert page.texts(COLUMNS) == page.texts(ROWS) == LETTERS
    shown = np.reshape(page.lit(CELLS), (4, 4))
    np.testing.assert_allclose(shown, best["attention"], atol=0.01)
    read = np.reshape([float(text) for text in page.texts(CELLS)], (4, 4))
    np.testing.assert_allclose(read, best["attention"], atol=0.0051)
    page.point(CELLS, 4 * 1 + 2)
    assert page.texts(f"{SOURCE}.pointed, {TARGET}.pointed") == ["c", "b"]
    assert page.text("#reading") == f"c → b  {best['attention'][1][2]:.2f}"


def test_methods_are_switched(page):
    page.translated(LINE)
    Select(page.one("#method")).select_by_value("shifted")
    [[explained]] = page.ask(text=LINE, method="shifted")

    def is_shown():
        return np.allclose(page.lit(CELLS), np.ravel(explained["attention"]), atol=0.01)

    page.until(is_shown)
    page.point(TARGET, 1)
    np.testing.assert_allclose(page.lit(SOURCE), explained["attention"][1], atol=0.01)
    assert page.text("#reading").startswith("How much it looked at each source word one step")


def test_alternatives_are_chosen(page):
    page.translated(LINE)
    [ranked] = page.ask(text=LINE, n_best=5)

    assert page.texts("#alternatives bdi") == [each["text"] for each in ranked]
    scores = [float(text.replace("−", "-")) for text in page.texts("#alternatives data")]
    np.testing.assert_allclose(scores, [each["score"] for each in ranked], atol=0.0051)
    page.all("#alternatives button")[1].click()
    assert page.text("#translation") == ranked[1]["text"]
    pressed = [each.get_attribute("aria-pressed") for each in page.all("#alternatives button")]
    assert pressed.index("true") == 1
    np.testing.assert_allclose(page.lit(CELLS), np.ravel(ranked[1]["attention"]), atol=0.01)


def test_another_word_is_forced(page):
    page.translated(LINE)
    page.all(TARGET)[2].click()
    page.until(page.offers)
    words = page.texts("#menu b")
    assert words[0] == "c"
    assert len(words) == len(set(words)) > 1
    assert page.one("#menu button").get_attribute("aria-checked") == "true"

    page.all("#menu button")[1].click()
    page.until(lambda: page.one("#prefix").get_property("value") == f"a b {words[1]} ")
    page.until(page.finished)
    [[forced]] = page.ask(text=LINE, prefix=f"a b {words[1]} ")
    assert page.text("#translation") == forced["text"]
    assert page.texts("span.forced") == ["a", "b", words[1]]
    page.one("#prefix").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    page.until(lambda: page.text("#translation") == LINE)


def test_a_beginning_is_typed(page):
    page.translated(LINE)
    page.one("#prefix").send_keys("e ")
    page.until(lambda: page.texts("span.forced") == ["e"])
    [[forced]] = page.ask(text=LINE, prefix="e ")
    assert page.text("#translation") == forced["text"]

    impossible = "e " * 50
    page.one("#prefix").send_keys(impossible)
    page.until(lambda: page.text("#message"))
    [[free]] = page.ask(text=LINE, prefix=f"e {impossible}")
    assert page.text("#message") == free["warning"]
    assert page.text("#translation") == free["text"] == LINE


def test_errors_are_shown_in_the_words_of_the_server(browser, service):
    with serving(service(characters=5)) as client:
        page = Page(browser, client)
        page.one("#text").send_keys(LINE)
        page.until(lambda: page.text("#message"))
        assert page.text("#message") == "7 characters in a request; at most 5 are taken"
        page.one("#text").send_keys(*[Keys.BACKSPACE] * 4)
        page.until(lambda: page.text("#translation") == "a b")
        assert page.text("#message") == ""


@pytest.mark.parametrize("words", [4, 500_000], ids=["characters", "bytes"])
def test_what_is_too_large_is_asked_for_once(browser, service, words):
    with serving(service(characters=5)) as client:
        page = Page(browser, client)
        page.watch()
        page.paste("a " * words)
        page.until(lambda: page.text("#message").endswith(("are taken", "is taken")))
        time.sleep(1.5)  # more than the pause before a server is asked again
        assert page.text("#message").endswith(("are taken", "is taken"))
        assert len(page.asked()) == 1


@pytest.mark.usefixtures("busy")
def test_what_takes_too_long_is_asked_for_once(browser, service):
    with serving(service(seconds=0.2)) as client:
        page = Page(browser, client)
        page.watch()
        page.paste(LINE)
        message = "no answer in 0.2 seconds; send less, or try later"
        page.until(lambda: page.text("#message") == message)
        time.sleep(1.5)  # more than the pause before a server is asked again
        assert page.text("#message") == message
        assert len(page.asked()) == 1


def test_models_are_chosen(page):
    assert page.texts("#model option") == ["German → English", "French → English"]
    page.translated("a b")
    page.watch()
    Select(page.one("#model")).select_by_value("noisy")
    page.until(lambda: [each["model"] for each in page.asked()] == ["noisy"] and page.finished())
    [[best]] = page.client.translated("a b", model="noisy")
    assert page.text("#translation") == best["text"]
    assert page.text("#source-name") == "French"
    assert page.one("#text").get_attribute("lang") == "fr"


def test_a_server_that_is_gone_comes_back(browser, service):
    with serving(service()) as client:
        page = Page(browser, client)
        page.translated("a b")
    page.press(" c d")
    page.until(lambda: page.text("#message").startswith("The server does not answer."))
    assert page.text("#translation") == "a b"  # remains to be read
    with serving(service(), port=client.port):
        page.until(lambda: page.text("#translation") == LINE)
        page.until(lambda: page.text("#message") == "")


def test_a_key_is_asked_for(browser, service):
    with serving(service(api_key="open-sesame")) as client:
        page = Page(browser, client, heading="Translation")
        page.until(lambda: page.one("#key").is_displayed())
        assert page.text("#message").startswith("this server needs its API key")
        page.one("#key").send_keys("open-sesame", Keys.ENTER)
        page.until(lambda: page.text("#target-name") == "English")
        assert not page.one("#key").is_displayed()
        assert page.translated("a b") == "a b"


@pytest.mark.parametrize("wrong", ["ключ", "clé", "open sesame"])
def test_what_no_header_can_have_is_no_key(browser, service, wrong):
    with serving(service(api_key="open-sesame")) as client:
        page = Page(browser, client, heading="Translation")
        page.until(lambda: page.one("#key").is_displayed())
        page.one("#key").send_keys(wrong, Keys.ENTER)
        page.until(lambda: page.text("#message").startswith("This is no key of a server: "))
        assert page.one("#key").is_displayed()
        page.one("#key").send_keys(Keys.CONTROL, "a")
        page.one("#key").send_keys(" open-sesame ", Keys.ENTER)
        page.until(lambda: page.text("#target-name") == "English")
