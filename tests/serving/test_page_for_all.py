"""The page for all: by keyboard, by rules of accessibility, on a phone, in other scripts."""

from copy import copy
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
from asking import serving
from reading import CELLS, COLUMNS, ROWS, SOURCE, TARGET, Page
from selenium.webdriver.common.keys import Keys

from nmt.serving import starting

LINE, LETTERS = "a b c d", ["a", "b", "c", "d"]
NASTY = "<img src=x onerror=document.title='broken'> a <b>b</b>"
HEBREW = "כלב a b ישן"


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
    assert "".join(page.texts(COLUMNS)) == NASTY.replace(" ", "")
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


def test_words_are_in_their_languages(browser, models):
    model = copy(models[0])
    model.source, model.target = "de", "es"
    service = starting.Service([model], starting.Metrics(), starting.Limits())
    with serving(service) as client:
        page = Page(browser, client, heading="Spanish")
        page.translated(LINE)

        def languages(selector):
            script = "return [...document.querySelectorAll(arguments[0])].map((each) =>"
            return set(page.run(f"{script} each.closest('[lang]').lang)", selector))

        page.point(CELLS, 1)
        assert page.texts("#reading bdi") == ["b", "a"]
        assert languages("#reading bdi:first-of-type") == {"de"}
        assert languages("#reading bdi:last-of-type") == {"es"}
        page.all(TARGET)[1].click()
        page.until(page.offers)
        for selector in ("#text", SOURCE, f"{COLUMNS} bdi"):
            assert languages(selector) == {"de"}, selector
        for selector in (
            TARGET, "#spoken", f"{ROWS} bdi", "#alternatives bdi", "#menu bdi", "#prefix",
        ):  # fmt: skip
            assert languages(selector) == {"es"}, selector
        for selector in ("#message", "#reading", "#menu", "data", CELLS, "[aria-label]"):
            assert languages(selector) == {"en"}, selector

        page.press(Keys.ESCAPE)
        page.one("#text").send_keys(Keys.ENTER, "b")
        page.until(lambda: page.text("#spoken") == "2 paragraphs are translated.")
        assert languages("#spoken") == {"en"}


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
