"""The page holds the data and asks for no other file; Chromium shows what a reader sees of it."""

import json
from itertools import pairwise

import numpy as np
import pytest
from elements import Elements
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from nmt import plotting

NASTY = "</script><b>&\u2028\"'"
SOURCE, TARGET = ["ein", NASTY, "Haus"], ["a", "house"]
ATTENTION = np.array([[0.7, 0.1, 0.2], [0.0, 0.25, 0.75]], np.float32)


def sentence(weights=ATTENTION, **others):
    methods = {"attention": weights, **others}
    return {name: plotting.Panel(each, SOURCE, TARGET) for name, each in methods.items()}


def test_a_page_asks_for_no_other_file():
    elements = Elements(plotting.page([sentence()], title="A & B <i>"))

    assert "b" not in [tag for tag, _ in elements.found]  # nothing broke out of the data
    for tag, attributes in elements.found:
        assert tag not in ("link", "img", "iframe", "base", "object")
        assert not {"src", "href", "srcset"} & set(attributes)
    policies = [
        each["content"] for tag, each in elements.found if "content-security" in str(each).lower()
    ]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none';")


def test_a_page_holds_the_words_and_weights():
    elements = Elements(plotting.page([sentence(saliency=ATTENTION[::-1])]))

    (data,) = json.loads(elements.scripts[0])
    assert (data["source"], data["target"]) == (SOURCE, TARGET)
    np.testing.assert_allclose(data["methods"]["attention"], ATTENTION, atol=1e-4)
    np.testing.assert_allclose(data["methods"]["saliency"], ATTENTION[::-1], atol=1e-4)


def test_sentences_of_different_methods_are_refused():
    with pytest.raises(ValueError, match="the same methods for each"):
        plotting.page([sentence(), sentence(saliency=ATTENTION)])
    for nothing in ([], [{}]):
        with pytest.raises(ValueError, match=r"a page needs sentences, and .* one at least"):
            plotting.page(nothing)


def lit(words):
    """How strongly each word is colored."""
    colors = [word.value_of_css_property("background-color") for word in words]
    return [float(color.partition("(")[2].strip(")").split(", ")[3]) for color in colors]


def test_pointing_at_a_word_lights_up_what_it_is_tied_to_by_the_chosen_method(browser, tmp_path):
    page = plotting.page([sentence(saliency=ATTENTION[:, ::-1]), sentence(saliency=ATTENTION)])
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    browser.get((tmp_path / "page.html").as_uri())
    lines = [
        line.find_elements(By.TAG_NAME, "span") for line in browser.find_elements(By.TAG_NAME, "p")
    ]
    sentences = [lines[:2], lines[2:]]
    (source, target), (other, _) = sentences
    method = Select(browser.find_element(By.ID, "method"))

    def point(element):
        ActionChains(browser).move_to_element(element).perform()

    shown = [
        [[word.get_property("textContent") for word in side] for side in sides]
        for sides in sentences
    ]
    assert shown == [[SOURCE, TARGET]] * 2
    assert [option.text for option in method.options] == ["attention", "saliency"]
    point(target[1])
    np.testing.assert_allclose(lit(source), ATTENTION[1], atol=0.01)
    assert lit(target) == [0, 0]
    assert lit(other) == [0, 0, 0]
    point(source[0])
    np.testing.assert_allclose(lit(target), ATTENTION[:, 0], atol=0.01)
    point(browser.find_element(By.TAG_NAME, "h1"))
    assert lit([*source, *target]) == [0] * 5
    target[0].send_keys("")  # reached by the keyboard
    np.testing.assert_allclose(lit(source), ATTENTION[0], atol=0.01)
    method.select_by_value("saliency")
    point(target[0])
    np.testing.assert_allclose(lit(source), ATTENTION[0][::-1], atol=0.01)
    assert browser.get_log("browser") == []  # neither errors nor anything refused


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["ein", "כלב", "ישן", "."], 1),  # the first letter decides, also for words of the other
        (["(", "כלב", "ישן", "C++", "in", "2024", "</s>"], -1),
        (["الكلب", "نائم", "New", "York", "،"], -1),
        (["▁הכ", "לב", "▁ya", "shen", "</s>"], -1),
        (["\u202eabc", "def", "ghi"], 1),  # an override ends with its word
        (["कुत्ता", "बगीचे", "में"], 1),
        (["25%", "."], 1),
    ],
)
def test_words_stand_in_the_direction_of_their_sentence_and_are_not_torn(
    browser, tmp_path, words, order
):
    panel = plotting.Panel(np.ones((1, len(words))), words, ["x"])
    (tmp_path / "page.html").write_text(plotting.page([{"attention": panel}]), encoding="utf-8")
    browser.get((tmp_path / "page.html").as_uri())

    # The boxes of the letters in each word, of which there are several if it is torn.
    script = """return [...document.querySelectorAll("p")[0].children].map((word) => {
      const range = document.createRange();
      range.selectNodeContents(word);
      const ends = [...range.getClientRects()].flatMap((box) => [box.left, box.right]);
      return [Math.min(...ends), Math.max(...ends)];
    })"""
    boxes = sorted(enumerate(browser.execute_script(script)), key=lambda word: word[1])
    assert [place for place, _ in boxes] == list(range(len(words)))[::order]
    assert all(one[1] <= two[0] for (_, one), (_, two) in pairwise(boxes))


def test_a_long_sentence_is_broken_into_lines(browser, tmp_path):
    words = ["Donaudampfschiff"] * 60
    page = plotting.page([{"attention": plotting.Panel(np.ones((60, 60)) / 60, words, words)}])
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    browser.get((tmp_path / "page.html").as_uri())

    root = browser.find_element(By.TAG_NAME, "html")
    assert root.get_property("scrollWidth") <= root.get_property("clientWidth")
