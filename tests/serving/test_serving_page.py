"""The page in Chromium, which asks a running server, and what a reader sees and does there."""

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from urllib.request import Request, urlopen

import numpy as np
import pytest
import uvicorn
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from nmt import Translator
from nmt.run import Run
from nmt.serving import starting

LINE, LETTERS = "a b c d", ["a", "b", "c", "d"]
NASTY = "<img src=x onerror=document.title='broken'> a <b>b</b>"
HEBREW = "כלב a b ישן"
SOURCE, TARGET = "#mirror span", "#translation span"
HEADINGS = {SOURCE: "#map th[scope=col]", TARGET: "#map th[scope=row]"}


@contextmanager
def serving(service, port=0):
    """Serves until it is left; gives the address."""
    config = uvicorn.Config(
        starting.application(service), port=port, lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def service(copy_run):
    metrics = starting.Metrics()
    data = Run.open(copy_run).config.data
    translator = Translator.load(copy_run)
    model = starting.served("copy", translator, data, metrics=metrics, longest=0)
    return starting.Service([model], metrics, starting.Limits())


@pytest.fixture(scope="module")
def address(service):
    with serving(service) as found:
        yield found


class Page:
    """The page in a browser."""

    def __init__(self, browser, address, *, heading="English"):
        self.browser, self.address = browser, address
        browser.get(address)
        permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": address}
        browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
        self.until(lambda: self.text("#target-name") == heading)

    def until(self, condition, *, seconds=30):
        return WebDriverWait(self.browser, seconds, 0.02).until(lambda _: condition())

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return self.run(script, selector)

    def text(self, selector):
        return self.texts(selector)[0]

    def paste(self, text):
        script = "navigator.clipboard.writeText(arguments[0]).then(arguments[1])"
        self.browser.execute_async_script(script, text)
        self.one("#text").send_keys(Keys.CONTROL, "v")

    def translated(self, text):
        """Types a text into the empty field, and waits for its translation."""
        self.one("#text").send_keys(text)
        self.until(lambda: self.text("#translation") and self.finished())
        return self.text("#translation")

    def finished(self):
        return self.run(
            "return document.getElementById('translation').ariaBusy === 'false'"
            " && !document.querySelector('p.old')"
        )

    def offers(self):
        return self.run("return document.getElementById('menu').ariaBusy === 'false'")

    def point(self, selector, number):
        ActionChains(self.browser).move_to_element(self.all(selector)[number]).perform()

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def lit(self, selector):
        """How strongly each element is colored, in percent."""
        colors = self.run(
            "return [...document.querySelectorAll(arguments[0])]"
            ".map((e) => getComputedStyle(e).backgroundColor)",
            selector,
        )
        assert all(color.startswith(("rgba(213, 94, 0", "rgb(213, 94, 0")) for color in colors)
        return [float([*color.strip(")").split(", "), "1"][3]) for color in colors]

    def ask(self, **question):
        """The translations of a line, from the server itself."""
        data = json.dumps({"attention": True, **question}).encode()
        with urlopen(Request(f"{self.address}/v1/translate", data)) as answer:
            return json.load(answer)["translations"]


@pytest.fixture
def page(browser, address):
    """The page; at the end nothing has gone wrong, and nobody else was asked."""
    opened = Page(browser, address)
    yield opened
    assert browser.get_log("browser") == []
    asked = opened.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert asked
    assert all(each.startswith(f"{address}/") for each in asked)


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
        assert page.texts(f"{HEADINGS[selector]}.pointed") == [LETTERS[number]]
    page.point("h1", 0)
    assert page.lit(f"{SOURCE}, {TARGET}") == [0] * 8


def test_the_heat_map_is_a_table_of_the_weights(page):
    page.translated(LINE)
    [[best]] = page.ask(text=LINE)

    assert page.texts(HEADINGS[SOURCE]) == page.texts(HEADINGS[TARGET]) == LETTERS
    shown = np.reshape(page.lit("#map tbody td"), (4, 4))
    np.testing.assert_allclose(shown, best["attention"], atol=0.01)
    read = np.reshape([float(text) for text in page.texts("#map tbody td")], (4, 4))
    np.testing.assert_allclose(read, best["attention"], atol=0.0051)
    page.point("#map tbody td", 4 * 1 + 2)
    assert page.texts(f"{SOURCE}.pointed, {TARGET}.pointed") == ["c", "b"]
    assert page.text("#reading") == f"c → b  {best['attention'][1][2]:.2f}"


def test_methods_are_switched(page):
    page.translated(LINE)
    Select(page.one("#method")).select_by_value("shifted")
    [[explained]] = page.ask(text=LINE, method="shifted")

    def is_shown():
        return np.allclose(page.lit("#map tbody td"), np.ravel(explained["attention"]), atol=0.01)

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
    np.testing.assert_allclose(
        page.lit("#map tbody td"), np.ravel(ranked[1]["attention"]), atol=0.01
    )


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


@pytest.mark.parametrize("words", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_document_comes_back_in_paragraphs(page, words):
    lines = ["a b c d e f", "h g f e", "", "b d f h a c b d e a"] * (words // 20)
    number = 3 * words // 20
    assert sum(len(line.split()) for line in lines) == words
    page.run(
        "window.seen = []; new MutationObserver(() => window.seen.push("
        "  document.getElementById('done').textContent)).observe("
        "  document.getElementById('done'), { childList: true })"
    )
    page.paste("\n".join(lines))
    page.until(lambda: page.text("#spoken") == f"{number} paragraphs are translated.", seconds=120)

    expected = [best["text"] for [best] in page.ask(text=lines, sentences=True)]
    assert page.texts("#translation p") == expected
    assert [not text for text in expected] == [not line for line in lines]
    seen = page.run("return window.seen")
    assert seen[0] == f"0 of {number} paragraphs"
    assert seen[-1] == f"{number} of {number} paragraphs"
    assert len(set(seen)) > number / 4  # one sees them come
    assert not page.one("#working").is_displayed()
    page.one("#copy").click()
    page.until(lambda: page.text("#copy") == "Copied")
    script = "navigator.clipboard.readText().then(arguments[0])"
    assert page.browser.execute_async_script(script).split("\n") == expected


def test_only_the_paragraph_that_changes_is_asked_for(page):
    page.paste("a b\n\nc d")
    page.until(lambda: page.texts("#translation p") == ["a b", "", "c d"])
    page.run(
        "const ask = window.fetch; window.asked = [];"
        "window.fetch = (path, options) => {"
        "  window.asked.push(JSON.parse(options.body).text); return ask(path, options); }"
    )
    page.press(" e")
    page.until(lambda: page.texts("#translation p") == ["a b", "", "c d e"])
    assert page.run("return window.asked") == ["c d e"]


def test_a_long_work_is_cancelled(page):
    page.run(
        "const ask = window.fetch; window.hold = true;"
        "window.fetch = (path, options) => !window.hold ? ask(path, options) :"
        "  new Promise((_, no) => options.signal.addEventListener("
        "    'abort', () => no(options.signal.reason)))"
    )
    page.paste("a b\nc d")
    page.until(lambda: page.one("#cancel").is_displayed())
    page.press(Keys.ESCAPE)
    page.until(lambda: page.text("#message") == "Cancelled.")
    assert not page.one("#cancel").is_displayed()
    page.run("window.hold = false")
    page.press(" e")
    page.until(lambda: page.texts("#translation p") == ["a b", "c d e"])


def test_all_works_by_keyboard(page):
    def focused():
        return page.browser.switch_to.active_element

    page.press(LINE)  # the text field has the focus from the beginning
    page.until(lambda: page.text("#translation") == LINE)
    [[best]] = page.ask(text=LINE)
    page.press(Keys.HOME)  # the caret is at a word
    np.testing.assert_allclose(page.lit(TARGET), np.array(best["attention"])[:, 0], atol=0.01)
    page.press(Keys.TAB)
    assert focused().get_attribute("id") == "copy"
    page.press(Keys.TAB)
    assert focused().text == "a"
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert focused().text == "b"
    np.testing.assert_allclose(page.lit(SOURCE), best["attention"][1], atol=0.01)
    partner = int(np.argmax(best["attention"][1]))
    spoken = f"{LETTERS[partner]} {100 * best['attention'][1][partner]:.0f}%"
    assert focused().get_property("ariaDescription").startswith(spoken)
    page.press(Keys.END)
    assert focused().text == "d"

    page.press(Keys.ENTER)
    page.until(page.offers)
    assert focused().get_attribute("role") == "menuitemradio"
    page.press(Keys.ESCAPE)
    assert not page.one("#menu").is_displayed()
    assert focused().text == "d"
    page.press(Keys.SPACE)
    page.until(page.offers)
    page.press(Keys.ARROW_DOWN)
    word = page.run("return document.activeElement.querySelector('b').textContent")
    page.press(Keys.ENTER)
    page.until(lambda: len(page.all("span.forced")) == 4)
    assert page.texts("span.forced") == ["a", "b", "c", word]
    assert focused().text == word
    page.press(Keys.TAB)
    assert focused().get_attribute("id") == "method"


def test_text_stays_text(page):
    assert page.translated(NASTY) != ""
    [ranked] = page.ask(text=NASTY, n_best=5)

    assert page.text("#translation") == ranked[0]["text"]
    assert page.text("#mirror") == NASTY
    assert "".join(page.texts(HEADINGS[SOURCE])) == NASTY.replace(" ", "")
    assert page.texts("#alternatives bdi") == [each["text"] for each in ranked]
    page.point(SOURCE, 0)
    page.all(TARGET)[-1].click()
    page.until(page.offers)
    assert page.all("img, #mirror b, #translation b, #alternatives b") == []
    assert page.browser.title == "nmt"


def test_right_to_left(page):
    page.translated(HEBREW)
    words = page.texts(TARGET)
    assert words == HEBREW.split()
    styles = page.run(
        "return ['#mirror div', '#translation p', '#alternatives bdi'].map((selector) => {"
        "  const element = document.querySelector(selector);"
        "  const range = document.createRange(); range.selectNodeContents(element);"
        "  const box = element.getBoundingClientRect(), text = range.getBoundingClientRect();"
        "  return box.right - text.right < 1 && text.left - box.left > 1; })"
    )
    assert styles == [True, True, True]  # at the right side
    page.point(SOURCE, 3)
    [[best]] = page.ask(text=HEBREW)
    np.testing.assert_allclose(page.lit(TARGET), np.array(best["attention"])[:, 3], atol=0.01)
    page.all(TARGET)[0].send_keys(Keys.ARROW_LEFT)  # to the next word, which is at the left
    assert page.browser.switch_to.active_element.text == "a"


def test_errors_are_shown_in_the_words_of_the_server(browser, service):
    short = replace(service, limits=replace(service.limits, characters=5))
    with serving(short) as address:
        page = Page(browser, address)
        page.one("#text").send_keys(LINE)
        page.until(lambda: page.text("#message"))
        assert page.text("#message") == "7 characters in a request; at most 5 are taken"
        page.one("#text").send_keys(*[Keys.BACKSPACE] * 4)
        page.until(lambda: page.text("#translation") == "a b")
        assert page.text("#message") == ""


def test_a_server_that_is_gone_comes_back(browser, service):
    with serving(service) as address:
        page = Page(browser, address)
        page.translated("a b")
    page.press(" c d")
    page.until(lambda: page.text("#message").startswith("The server does not answer."))
    assert page.text("#translation") == "a b"  # remains to be read
    with serving(service, port=int(address.rpartition(":")[2])):
        page.until(lambda: page.text("#translation") == LINE)
        page.until(lambda: page.text("#message") == "")


def test_a_key_is_asked_for(browser, service):
    with serving(replace(service, api_key="open sesame")) as address:
        browser.get(address)
        page = Page(browser, address, heading="Translation")
        page.until(lambda: page.one("#key").is_displayed())
        assert page.text("#message").startswith("this server needs its API key")
        page.one("#key").send_keys("open sesame", Keys.ENTER)
        page.until(lambda: page.text("#target-name") == "English")
        assert not page.one("#key").is_displayed()
        assert page.translated("a b") == "a b"


@pytest.fixture
def emulated(browser):
    """Has Chromium be like another device."""

    def emulate(width=1400, **features):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        listed = [
            {"name": name.replace("_", "-"), "value": each} for name, each in features.items()
        ]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})

    yield emulate
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_on_a_phone_all_is_in_one_column(page, emulated):
    emulated(width=360)
    page.translated(LINE)
    assert page.one("html").get_property("scrollWidth") <= 360
    boxes = [each.rect for each in page.all("section")]
    assert all(one["y"] + one["height"] <= two["y"] for one, two in pairwise(boxes))
    page.all(TARGET)[2].click()
    page.until(page.offers)
    menu = page.one("#menu").rect
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_use_it(page, emulated, scheme):
    """By the rules of axe-core: names, roles, order, contrast."""
    emulated(prefers_color_scheme=scheme)
    page.translated(f"{LINE}\n{LINE}")
    page.run((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8"))
    # This version does not know aria-description, which ARIA 1.3 has.
    options = "{ rules: { 'aria-valid-attr': { enabled: false } } }"
    check = f"axe.run({options}).then(({{ violations }}) => arguments[0](violations))"

    page.point(TARGET, 1)
    assert page.browser.execute_async_script(check) == []
    page.all(TARGET)[1].click()
    page.until(page.offers)
    assert page.browser.execute_async_script(check) == []
    paper = page.run("return getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[scheme]


def test_nothing_moves_for_those_who_want_no_motion(page, emulated):
    emulated(prefers_reduced_motion="reduce")
    page.translated(LINE)
    moving = page.run(
        "return [...document.querySelectorAll('*')].filter((each) => {"
        "  const style = getComputedStyle(each);"
        "  return style.transitionDuration !== '0s' || style.animationName !== 'none'; }).length"
    )
    assert moving == 0
