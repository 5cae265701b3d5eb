"""Attention over pictures: what is drawn is read back from the pixels of the figure."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from matplotlib import font_manager

from nmt import plotting
from nmt.errors import DataError
from nmt.plotting.overlays import magnified

PICTURE = np.full((40, 60, 3), (30, 60, 240), np.uint8)  # blue
GRID = (2, 3)
WORDS = ["A", "blue", "wall"]
WEIGHTS = np.array([[1, 2, 3, 4, 90, 0], [0.2] * 6, [0, 0, 0.5, 0, 0, 0.5]], np.float32)


def seen(figure, number):
    """The pixels of a panel as whole numbers, without its frame, of shape (height, width, 3)."""
    pixels = plotting.image(figure).astype(int)
    box = figure.axes[number].bbox
    rows = slice(int(len(pixels) - box.y1) + 2, int(len(pixels) - box.y0) - 2)
    return pixels[rows, int(box.x0) + 2 : int(box.x1) - 2]


def orange(pixels):
    """How much redder than blue the pixels are, of shape (height, width)."""
    return pixels[..., 0] - pixels[..., 2]


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_the_picture_is_followed_by_a_panel_for_each_word():
    figure = plotting.overlay(PICTURE, WEIGHTS, words=WORDS, grid=GRID, title="soft")

    assert titles(figure) == ["soft", *WORDS]
    assert (seen(figure, 0) == PICTURE[0, 0]).all()
    left = [axes.get_position().x0 for axes in figure.axes]
    assert left == sorted(set(left))
    for number in range(4):
        height, width, _ = seen(figure, number).shape
        assert width / height == pytest.approx(1.5, rel=0.05)


def test_a_word_is_orange_where_it_attends_and_gray_elsewhere():
    weights = np.zeros((3, 12), np.float32)
    weights[0, 6] = weights[2, [3, 7, 11]] = 0.3
    weights[1] = 1 / 12
    figure = plotting.overlay(PICTURE, weights, words=WORDS, grid=(3, 4))

    first, even, last = (orange(seen(figure, number)) for number in (1, 2, 3))
    height, width = first.shape
    place = np.unravel_index(first.argmax(), first.shape)
    assert np.array(place) / (height, width) == pytest.approx((1 / 2, 5 / 8), abs=0.05)
    assert first[:, : width // 4].max() < 10
    assert 100 < even.min() >= even.max() - 1  # equal weights, up to the edges
    np.testing.assert_allclose(last[height // 8], last[-height // 8], atol=1)
    assert (np.diff(last[height // 2]) >= -1).all()


def test_colors_are_relative_to_the_largest_weight_of_the_word():
    weights = np.array([[0.0, 0.5, 0.1, 0.0, 0.2, 0.0]], np.float32)
    figure = plotting.overlay(
        PICTURE, np.concatenate([weights, weights / 50]), words=WORDS[:2], grid=GRID
    )

    np.testing.assert_allclose(seen(figure, 1), seen(figure, 2), atol=1)


def test_a_word_without_attention_has_a_gray_picture():
    figure = plotting.overlay(PICTURE, 0 * WEIGHTS, words=WORDS, grid=GRID)

    for number in (1, 2, 3):
        pixels = seen(figure, number)
        assert (pixels.max(axis=2) == pixels.min(axis=2)).all()


def test_a_caption_without_words_is_a_picture():
    figure = plotting.overlay(PICTURE, WEIGHTS[:0], words=[], grid=GRID)

    assert titles(figure) == [""]


@pytest.mark.parametrize(
    ("box", "visible"), [((15, 10, 45, 30), (15, 10, 45, 30)), ((-9, 20, 30, 99), (0, 20, 30, 40))]
)
def test_boxes_are_outlined_where_they_are(box, visible):
    boxes = [[], [box], []]
    figure = plotting.overlay(PICTURE, 0 * WEIGHTS, words=WORDS, grid=GRID, boxes=boxes)

    for number, outlined in [(1, False), (2, True), (3, False)]:
        line = orange(seen(figure, number)) < -100
        assert line.any() == outlined
        if outlined:
            rows, columns = np.nonzero(line)
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            pixels = np.array(line.shape[::-1] * 2) / [60, 40, 60, 40]
            np.testing.assert_allclose(found, np.array(visible) * pixels, atol=3)


@given(
    arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(0, 1))
)
def test_weights_are_magnified_by_a_gaussian_mean_of_the_cells(weights):
    rows, columns = weights.shape

    smooth = magnified(weights)

    assert smooth.shape == (16 * rows, 16 * columns)
    for y, x in [(0, 0), (16 * rows - 1, 3), (8 * rows, 16 * columns - 5)]:
        cells = [
            (
                np.exp(-2 * (((y + 0.5) / 16 - r - 0.5) ** 2 + ((x + 0.5) / 16 - c - 0.5) ** 2)),
                weights[r, c],
            )
            for r in range(rows)
            for c in range(columns)
        ]
        mean = sum(near * weight for near, weight in cells) / sum(near for near, _ in cells)
        assert smooth[y, x] == pytest.approx(mean, abs=1e-9)
    assert weights.min() - 1e-9 <= smooth.min() <= smooth.max() <= weights.max() + 1e-9


def test_panels_and_titles_neither_overlap_nor_leave_the_figure():
    words = ["Donaudampfschifffahrtsgesellschaft", "i", "WWWWWWWWWWWWWWWWWW"] * 7
    weights = np.ones((21, 6), np.float32)
    tall = plotting.Overlay(np.zeros((50, 10, 3), np.uint8), weights[:4], words[:4], GRID)
    wide = plotting.Overlay(PICTURE, weights, words, GRID, title="a method with a very long name")

    figure = plotting.overlays([wide, tall, wide])

    shown = [axes.get_window_extent() for axes in figure.axes]
    shown += [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    low, high = np.split(np.array([box.extents for box in shown]), 2, axis=1)  # (boxes, 2)
    assert len(shown) == 2 * (22 + 22) + 5 + 4
    assert (low >= 0).all()
    assert (high <= figure.bbox.size).all()
    apart = (high[:, None] <= low).any(axis=2)
    assert (apart | apart.T | np.eye(len(shown), dtype=bool)).all()


def test_long_captions_have_lines_of_about_the_same_length():
    figure = plotting.overlay(
        PICTURE, np.ones((10, 6), np.float32), words=list("abcdefghij"), grid=GRID
    )

    places = [axes.get_position() for axes in figure.axes]
    assert [round(each.y0, 6) for each in places[1:]].count(round(places[0].y0, 6)) == 5
    for upper, lower in zip(places[1:6], places[6:], strict=True):  # below each other
        assert (upper.x0, lower.y1 < upper.y0) == (pytest.approx(lower.x0), True)


def test_no_word_is_read_as_mathematics_and_characters_without_font_are_boxes(monkeypatch):
    monkeypatch.setattr(font_manager, "findSystemFonts", list)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure = plotting.overlay(
            PICTURE, WEIGHTS, words=[r"$\frac{$", "a猫", "كلب"], grid=GRID, title="$x_2$"
        )
        plotting.image(figure)  # drawing is what parses

    (warning,) = caught
    assert "no installed font draws '猫'" in str(warning.message)
    assert titles(figure) == ["$x_2$", r"$\frac{$", "a□", "كلب"]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_files_of_a_figure_repeat(tmp_path, ending):
    paths = [tmp_path / f"{name}.{ending}" for name in ("one", "two")]

    for path in paths:
        boxes = [[(1, 2, 3, 4)], [], []]
        plotting.save(plotting.overlay(PICTURE, WEIGHTS, words=WORDS, grid=GRID, boxes=boxes), path)

    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=re.escape("shape (3, 6) for 2 words and 2 x 3 cells")):
        plotting.overlay(PICTURE, WEIGHTS, words=WORDS[:2], grid=GRID)
    with pytest.raises(ValueError, match="boxes of 1 word for 3 in the caption"):
        plotting.overlay(PICTURE, WEIGHTS, words=WORDS, grid=GRID, boxes=[[]])
    with pytest.raises(DataError, match="covers no part of the picture of 60 x 40 pixels"):
        plotting.overlay(
            PICTURE, WEIGHTS, words=WORDS, grid=GRID, boxes=[[], [], [(0, 40, 60, 41)]]
        )
    with pytest.raises(ValueError, match=re.escape("shape (40, 60); it must be (height, width, 3")):
        plotting.overlay(PICTURE[..., 0], WEIGHTS, words=WORDS, grid=GRID)
