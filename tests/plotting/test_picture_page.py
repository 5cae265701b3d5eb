"""The page of pictures is one file; Chromium shows what a reader sees of it."""

import json
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from elements import Elements
from matplotlib.image import imread
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from nmt import plotting
from nmt.plotting.overlays import OPACITY, magnified

NASTY = "</script><b>&\u2028\"'"
PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
WORDS, GRID = ["A", NASTY, "house"], (2, 3)
SOFT = np.random.default_rng(1).dirichlet(np.ones(6), 3).astype(np.float32)
HARD = np.eye(6, dtype=np.float32)[[1, 5]]
BOXES = [[], [(30, 10, 45, 20), (-5, 30, 15, 60)], []]


def caption():
    return {
        "soft": plotting.Overlay(PICTURE, SOFT, WORDS, GRID, boxes=BOXES),
        "hard": plotting.Overlay(PICTURE, HARD, ["Another", "one"], GRID),
    }


def test_a_page_of_pictures_asks_for_no_other_file():
    elements = Elements(plotting.picture_page([caption()], title="A & B <i>"))

    assert "b" not in [tag for tag, _ in elements.found]  # nothing broke out of the data
    for tag, attributes in elements.found:
        assert tag not in ("link", "img", "iframe", "base", "object")
        assert not {"src", "href", "srcset"} & set(attributes)
    (policy,) = [
        each["content"] for tag, each in elements.found if "content-security" in str(each).lower()
    ]
    assert policy.startswith("default-src 'none';")
    assert policy.endswith("img-src data:")


def test_a_page_holds_pictures_words_weights_and_boxes():
    elements = Elements(plotting.picture_page([caption()]))

    (data,) = json.loads(elements.scripts[0])
    start, _, png = data["picture"].partition(",")
    assert start == "data:image/png;base64"
    shown = imread(BytesIO(b64decode(png)), format="png")[..., :3]
    np.testing.assert_array_equal(np.round(shown * 255), PICTURE)
    soft, hard = data["methods"]["soft"], data["methods"]["hard"]
    assert (soft["words"], hard["words"]) == (WORDS, ["Another", "one"])
    np.testing.assert_allclose(soft["weights"], SOFT, atol=1e-6)
    assert soft["boxes"] == [[], [[30, 10, 45, 20], [0, 30, 15, 40]], []]  # inside the picture


def test_captions_of_different_methods_are_refused():
    one = {"soft": caption()["soft"]}

    with pytest.raises(ValueError, match="the same methods for each"):
        plotting.picture_page([caption(), one])
    for nothing in ([], [{}]):
        with pytest.raises(ValueError, match=r"a page needs sentences, and .* one at least"):
            plotting.picture_page(nothing)


def strengths(browser, number):
    """How strongly each point of a picture is colored, or None if nothing is laid over it."""
    script = """const canvas = document.querySelectorAll("canvas")[arguments[0]];
    if (canvas.hidden) return null;
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    return [height, width, [...data].filter((_, n) => n % 4 === 3)];"""
    if (found := browser.execute_script(script, number)) is None:
        return None
    height, width, values = found
    return np.array(values).reshape(height, width)


def outlines(browser):
    """Where the outlines of boxes are, in pixels of the first picture."""
    script = """const within = document.querySelector("img").getBoundingClientRect();
    return [...document.querySelectorAll(".picture i")].map((box) => {
      const { left, top, right, bottom } = box.getBoundingClientRect();
      return [left - within.left, top - within.top, right - within.left, bottom - within.top]
        .map((at, n) => at * (n % 2 ? 40 / within.height : 60 / within.width));
    });"""
    return browser.execute_script(script)


def expected(weights):
    smooth = magnified(weights.reshape(GRID))
    return 255 * OPACITY * smooth / smooth.max()


def test_a_word_lays_its_attention_by_the_chosen_method_over_the_picture(browser, tmp_path):
    page = plotting.picture_page([caption(), caption()])
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    browser.get((tmp_path / "page.html").as_uri())
    method = Select(browser.find_element(By.ID, "method"))

    def words():
        lines = browser.find_elements(By.TAG_NAME, "figcaption")
        return [line.find_elements(By.TAG_NAME, "span") for line in lines]

    def point(element):
        ActionChains(browser).move_to_element(element).perform()

    def assert_shown(weights):
        np.testing.assert_allclose(strengths(browser, 0), expected(weights), atol=1)

    first, second = words()
    shown = [[word.get_property("textContent") for word in line] for line in (first, second)]
    assert shown == [WORDS, WORDS]
    assert browser.execute_script("return document.querySelector('img').naturalWidth") == 60
    assert strengths(browser, 0) is None
    point(first[1])
    assert_shown(SOFT[1])
    np.testing.assert_allclose(outlines(browser), [BOXES[1][0], (0, 30, 15, 40)], atol=0.1)
    assert strengths(browser, 1) is None  # the other picture
    point(browser.find_element(By.TAG_NAME, "h1"))
    assert strengths(browser, 0) is None
    first[0].send_keys("")  # reached by the keyboard, and stays
    point(first[2])
    assert_shown(SOFT[2])
    point(browser.find_element(By.TAG_NAME, "h1"))
    assert_shown(SOFT[0])
    assert outlines(browser) == []
    method.select_by_value("hard")
    assert_shown(HARD[0])
    first, _ = words()
    assert [word.get_property("textContent") for word in first] == ["Another", "one"]
    first[1].send_keys(Keys.ESCAPE)
    assert strengths(browser, 0) is None
    assert browser.get_log("browser") == []  # neither errors nor anything refused
