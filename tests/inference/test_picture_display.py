"""What a notebook and a figure show of a caption over its picture."""

import dataclasses
from base64 import b64decode
from io import BytesIO

import numpy as np
import PIL.Image
import pytest
from lxml import html

import nmt
from nmt import plotting
from nmt.evaluation.alignment import GoldLinks
from nmt.inference.caption import Caption

HOSTILE = '<script>alert("1")</script>'
PICTURE = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
GRID = (2, 3)  # of cells of 4 x 4 pixels
CELLS = np.array(
    [PICTURE[4 * i : 4 * i + 4, 4 * j : 4 * j + 4].ravel() for i in range(2) for j in range(3)]
)
WEIGHTS = np.array([[0, 0.2, 0, 0.8, 0, 0], [1 / 6] * 6, [0, 0, 0, 0, 0, 1]], np.float32)


def caption(*words, source="", **others):
    return Caption(
        source,
        " ".join(words),
        -0.25,
        -1.0,
        tuple(f"{i},{j}" for i in (1, 2) for j in (1, 2, 3)),
        (*(f"▁{word}" for word in words), "</s>"),
        WEIGHTS,
        given=CELLS,
        grid=GRID,
        **others,
    )


def decoded(address):
    return np.asarray(PIL.Image.open(BytesIO(b64decode(address.partition(",")[2]))))


def test_the_picture_is_that_of_the_cells_or_of_the_upright_file(tmp_path):
    wide = np.zeros((60, 2000, 3), np.uint8)
    turned = PIL.Image.Exif()
    turned[0x0112] = 6  # upright when it is turned by a quarter
    PIL.Image.fromarray(wide).save(tmp_path / "wide.png", exif=turned)
    small = caption("a", "b", source=str(tmp_path / "missing.png"))

    np.testing.assert_array_equal(small.picture, PICTURE)
    large = dataclasses.replace(small, source=str(tmp_path / "wide.png"))
    assert large.picture.shape == (800, 24, 3)
    none = dataclasses.replace(small, given=CELLS[:0])
    assert none.picture is None


def test_each_word_has_a_layer_of_its_weights_over_the_picture():
    tree = html.fragment_fromstring(caption("red", "$x$")._repr_html_(), create_parent="div")

    picture, *layers = tree.iter("img")
    np.testing.assert_array_equal(decoded(picture.get("src")), PICTURE)
    assert picture.get("style") == "width: 320px; height: 213px"
    words = list(tree.iter("span"))
    assert [word.text for word in words] == ["red", "$x$"]
    assert [next(word.iter("img")) for word in words] == layers
    for layer, weights in zip(layers, WEIGHTS, strict=False):
        shown = decoded(layer.get("src"))
        assert shown.shape == (2, 3, 4)
        assert set(map(tuple, shown[..., :3].reshape(-1, 3).tolist())) == {(213, 94, 0)}
        opacity = 0.85 * 255 * weights.reshape(GRID) / weights.max()
        np.testing.assert_allclose(shown[..., 3], opacity, atol=0.51)
    assert "(score -0.25; attention)" in tree.text_content()


def test_no_text_becomes_an_element():
    tree = html.fragment_fromstring(
        caption(HOSTILE, "b", source=HOSTILE)._repr_html_(), create_parent="div"
    )

    assert {each.tag for each in tree.iter()} == {
        *("div", "p", "b", "small", "style", "span", "img")
    }
    assert next(tree.iter("span")).text == HOSTILE
    assert next(tree.iter("img")).get("alt") == HOSTILE


def test_a_caption_without_picture_is_shown_as_a_heat_map():
    vectors = dataclasses.replace(caption("a", "b"), grid=None)

    assert "<table" in vectors._repr_html_()
    with pytest.raises(ValueError, match="the caption has no picture; draw it with plot_alignment"):
        plotting.Overlay.of(vectors)
    (axes, _) = nmt.plot_alignment(vectors).axes  # and its color bar
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize(
    ("how", "titles"),
    [
        ({}, ["", "a", "b"]),
        ({"end": True, "title": "soft"}, ["soft", "a", "b", "</s>"]),
        ({"words": False}, ["", "▁a", "▁b", "</s>"]),
    ],
)
def test_a_caption_is_drawn_over_its_picture(how, titles):
    figure = nmt.plot_alignment(caption("a", "b"), **how)

    assert [axes.get_title() for axes in figure.axes] == titles
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), PICTURE)


def test_boxes_of_words_are_outlined():
    boxes = [[(0, 0, 4, 4)], []]

    assert plotting.Overlay.of(caption("a", "b"), boxes=boxes).boxes == boxes


def test_a_picture_has_no_gold_links():
    with pytest.raises(ValueError, match="gold links are between words; a picture has none"):
        nmt.plot_alignment(caption("a", "b"), gold=GoldLinks(frozenset(), frozenset()))
