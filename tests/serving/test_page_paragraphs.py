"""Texts of several paragraphs in the page: they come one by one, and can be stopped."""

import pytest
from reading import TARGET
from selenium.webdriver.common.keys import Keys

FIRST = "#translation p:first-child"


def hold(page):
    """Has paragraphs wait, until `window.hold` is false."""
    page.run(
        "const ask = window.fetch; window.hold = true;"
        "window.fetch = (path, options) => {"
        "  if (!window.hold || !Array.isArray(JSON.parse(options.body).text))"
        "    return ask(path, options);"
        "  return new Promise((_, no) => options.signal.addEventListener("
        "    'abort', () => no(options.signal.reason))); }"
    )


@pytest.fixture
def waiting(page):
    """The page with two paragraphs that are translated, and two that wait."""
    page.paste("a b c\nc d")
    page.until(lambda: page.texts("#translation p") == ["a b c", "c d"])
    hold(page)
    page.press(Keys.ENTER, "e f", Keys.ENTER, "g h")
    page.until(lambda: page.one("#cancel").is_displayed())
    return page


@pytest.mark.parametrize("words", [60, pytest.param(2000, marks=pytest.mark.slow)])
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
    page.watch()
    page.press(" e")
    page.until(lambda: page.texts("#translation p") == ["a b", "", "c d e"])
    assert [each["text"] for each in page.asked()] == ["c d e"]


def test_a_long_work_is_cancelled(page):
    hold(page)
    page.paste("a b\nc d")
    page.until(lambda: page.one("#cancel").is_displayed())
    page.press(Keys.ESCAPE)
    page.until(lambda: page.text("#message") == "Cancelled.")
    assert not page.one("#cancel").is_displayed()
    page.run("window.hold = false")
    page.press(" e")
    page.until(lambda: page.texts("#translation p") == ["a b", "c d e"])


def test_a_paragraph_shows_its_alternatives_after_others_were_cancelled(waiting):
    page = waiting
    page.one("#cancel").click()
    page.until(lambda: page.text("#message") == "Cancelled.")
    assert page.one("#translation").get_property("ariaBusy") == "false"

    page.one("#text").send_keys(Keys.CONTROL, Keys.HOME)
    [ranked] = page.ask(text="a b c", n_best=5)
    page.until(lambda: page.texts("#alternatives bdi") == [each["text"] for each in ranked])


def test_a_beginning_is_chosen_while_other_paragraphs_wait(waiting):
    page = waiting

    page.all(TARGET)[1].click()
    page.until(page.offers)
    word = page.texts("#menu b")[1]
    page.all("#menu button")[1].click()
    [[forced]] = page.ask(text="a b c", prefix=f"a {word} ")
    page.until(lambda: page.text(FIRST) == forced["text"])
    assert page.texts(f"{FIRST} span.forced") == ["a", word]
    page.run("window.hold = false")
    page.one("#text").send_keys(Keys.CONTROL, Keys.END)
    page.press(" e")
    page.until(page.finished)
    assert page.texts("#translation p") == [forced["text"], "c d", "e f", "g h e"]
