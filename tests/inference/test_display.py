"""What a notebook shows of a translation, as lxml reads it."""

import dataclasses

import numpy as np
import pytest
from lxml import html

from nmt.inference.translation import Translation, empty_translation

HOSTILE = "<script>alert(1)</script>\"'&"


def translation(source, text, attention, **others):
    pieces = [tuple(f"▁{word}" for word in line.split()) for line in (source, text)]
    return Translation(
        source, text, -0.25, -1.0, *pieces, np.array(attention, np.float32), **others
    )


def shown(given):
    return html.fragment_fromstring(given._repr_html_(), create_parent="div")


def test_the_heat_map_has_a_row_for_each_target_word_and_a_column_for_each_source_word():
    tree = shown(translation("der Hund", "the big dog", [[0.9, 0.1], [0.2, 0.3], [0, 1]]))

    assert tree.find(".//p").text_content() == "der Hund"
    assert "the big dog (score -0.25)" in tree.text_content()
    assert [each.text for each in tree.findall(".//thead//th")] == ["attention", "der", "Hund"]
    rows = tree.findall(".//tbody/tr")
    assert [row.find("th").text for row in rows] == ["the", "big", "dog"]
    words = tree.xpath(".//th[@scope]")
    assert [each.get("dir") for each in words] == ["auto"] * 5  # by its first letter
    assert [[cell.get("title") for cell in row.iter("td")] for row in rows] == [
        ["der → the: 0.90", "Hund → the: 0.10"],
        ["der → big: 0.20", "Hund → big: 0.30"],
        ["der → dog: 0.00", "Hund → dog: 1.00"],
    ]
    assert rows[0].find("td").get("style") == "background: rgba(213, 94, 0, 0.90)"


def test_dollars_are_no_formulas():
    """By these classes MathJax leaves a text alone: of version 2, and of version 3."""
    [outermost] = shown(translation("5 $ oder 6 $", "$ 5 or $ 6", np.ones((5, 5)) / 5))

    assert set(outermost.get("class").split()) == {"tex2jax_ignore", "mathjax_ignore"}
    assert "$ 5 or $ 6" in outermost.text_content()


def test_no_text_becomes_an_element():
    tree = shown(translation(HOSTILE, HOSTILE, [[1.0]]))

    assert {each.tag for each in tree.iter()} == {
        *("div", "p", "b", "small", "style", "table", "thead", "tbody", "tr", "th", "td")
    }
    assert [each.text_content() for each in tree.iter("b")] == [HOSTILE]
    assert tree.find(".//td").get("title") == f"{HOSTILE} → {HOSTILE}: 1.00"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(empty_translation("", ""), id="empty line"),
        pytest.param(empty_translation("漢", "漢"), id="nothing was read"),
        pytest.param(translation("a " * 61, "b", np.ones((1, 61))), id="too large"),
    ],
)
def test_without_a_matrix_of_some_size_there_are_the_texts_alone(given):
    tree = shown(given)

    assert tree.find(".//table") is None
    assert [each.text_content() for each in tree.iter("b")] == [given.text]


def test_weights_of_another_method_are_named_and_may_be_any_numbers():
    given = translation("a b", "c", [[-0.5, 3.0]])

    tree = shown(dataclasses.replace(given, method="saliency_input"))

    assert tree.find(".//thead//th").text == "saliency_input"
    colors = [each.get("style").rsplit(" ", 1)[1] for each in tree.iter("td")]
    assert colors == ["0.00)", "1.00)"]
