"""Scores of pointing against counts of pixels."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import DataError
from nmt.evaluation.pointing import (
    GroundedCaption,
    PointingScore,
    cells_inside,
    coverage,
    score_pointing,
)

SMALL = st.integers(1, 7)


@st.composite
def captions(draw):
    """What a caption is made of: up to three words, and boxes in whole pixels, at least one.

    Weights are few different numbers, so that some cells have the same.
    """
    size, grid = draw(st.tuples(SMALL, SMALL)), draw(st.tuples(SMALL, SMALL))
    words = draw(st.integers(1, 3))

    def ends(length):
        first = draw(st.integers(-2, length - 1))
        return first, draw(st.integers(max(first, 0) + 1, length + 2))

    def box():
        (left, right), (top, bottom) = ends(size[1]), ends(size[0])
        return left, top, right, bottom

    boxes = [[box() for _ in range(draw(st.integers(not word, 3)))] for word in range(words)]
    cells = grid[0] * grid[1]
    rows = st.lists(st.integers(0, 3), min_size=cells, max_size=cells)
    weights = np.array([draw(rows) for _ in range(words)], np.float32)
    return weights, boxes, size, grid


def marked(boxes, size, grid):
    """Parts of pixels that are in a box, of shape (rows, height, columns, width).

    Each pixel is divided into (rows, columns) parts, so that a cell has (height, width) of them.
    """
    (height, width), (rows, columns) = size, grid
    mask = np.zeros((height * rows, width * columns), bool)
    for left, top, right, bottom in boxes:
        mask[max(top, 0) * rows : bottom * rows, max(left, 0) * columns : right * columns] = True
    return mask.reshape(rows, height, columns, width)


def counted(attention, all_boxes, size, grid):
    """The score of a caption, by counting."""
    found = []
    for weights, boxes in zip(attention.astype(float), all_boxes, strict=True):
        if not boxes:
            continue
        mask = marked(boxes, size, grid)
        rows, height, columns, width = mask.shape
        hits, spread, guesses = [], 0.0, []
        for cell in range(rows * columns):
            row, column = divmod(cell, columns)
            guesses.append(mask[row, height // 2, column, width // 2])
            if weights[cell] == max(weights) > 0:
                hits.append(guesses[-1])
            for inside in mask[row, :, column].ravel():
                spread += weights[cell] / (height * width) * inside
        share = spread / sum(weights) if sum(weights) else 0
        found.append([np.mean(hits) if hits else 0, share, np.mean(guesses), mask.mean()])
    return PointingScore(*np.mean(found, axis=0), words=len(found))


@given(captions())
def test_scores_are_those_of_counted_pixels(caption):
    score = score_pointing([GroundedCaption(*caption)])

    expected = dataclasses.astuple(counted(*caption))
    np.testing.assert_allclose(dataclasses.astuple(score), expected, rtol=1e-6, atol=1e-9)


@given(captions())
def test_cells_and_areas_are_those_of_counted_pixels(caption):
    _, all_boxes, (height, width), grid = caption
    for boxes in all_boxes:
        mask = marked(boxes, (height, width), grid)
        areas = coverage(boxes, size=(height, width), grid=grid)
        np.testing.assert_allclose(areas, mask.mean(axis=(1, 3)), atol=1e-9)
        inside = cells_inside(boxes, size=(height, width), grid=grid)
        np.testing.assert_array_equal(inside, mask[:, height // 2, :, width // 2])


@given(captions(), st.floats(0.01, 100))
def test_uniform_attention_scores_as_a_uniform_guess(caption, weight):
    attention, *others = caption

    score = score_pointing([GroundedCaption(np.full_like(attention, weight), *others)])

    assert score.accuracy == pytest.approx(score.uniform_accuracy)
    assert score.share == pytest.approx(score.uniform_share)


@given(captions(), st.data())
def test_all_attention_on_a_cell_that_is_covered_scores_one(caption, data):
    attention, all_boxes, (height, width), (rows, columns) = caption
    weights = np.zeros_like(attention)
    for word, boxes in enumerate(all_boxes):
        row, column = data.draw(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)))
        weights[word, row * columns + column] = 0.4
        if boxes:  # one more box around the cell
            cell = [column / columns, row / rows, (column + 1) / columns, (row + 1) / rows]
            left, top, right, bottom = np.multiply(cell, [width, height] * 2)
            boxes.append((left - 0.01, top - 0.01, right + 0.01, bottom + 0.01))

    score = score_pointing([GroundedCaption(weights, *caption[1:])])

    assert (score.accuracy, score.share) == (1, pytest.approx(1))


# Four cells of 2 x 2 pixels. The box of the first word covers the upper left cell and half of the
# upper right one, without its center; the second word has two boxes, which overlap.
SIZE, GRID = (4, 4), (2, 2)
BOXES = [[(0, 0, 3, 2)], [(0, 2, 2, 4), (1, 2, 4, 4)], []]
WEIGHTS = np.array([[0.3, 0.4, 0.1, 0.2], [0, 0.25, 0.5, 0.25], [1, 0, 0, 0]], np.float32)


def test_means_are_over_the_words_that_have_boxes_in_all_captions():
    caption = GroundedCaption(WEIGHTS, BOXES, SIZE, GRID)
    first = GroundedCaption(WEIGHTS[:1], BOXES[:1], SIZE, GRID)

    score = score_pointing([caption, first])

    # First word: it points at the upper right cell, 0.3 + 0.4 / 2 inside. Second: 0.5 + 0.25.
    expected = [1 / 3, (0.5 + 0.75 + 0.5) / 3, (0.25 + 0.5 + 0.25) / 3, (0.375 + 0.5 + 0.375) / 3]
    np.testing.assert_allclose(dataclasses.astuple(score)[:4], expected, rtol=1e-6)
    assert score.words == 3


def test_a_word_that_attends_to_nothing_scores_nothing():
    score = score_pointing([GroundedCaption(0 * WEIGHTS, BOXES, SIZE, GRID)])

    assert (score.accuracy, score.share) == (0, 0)
    assert score.uniform_accuracy == (0.25 + 0.5) / 2


def test_a_score_is_one_line():
    score = PointingScore(0.9512, 0.7, 0.1234, 0.1, words=42)

    assert str(score) == (
        "pointing accuracy 0.951 (uniform 0.123) attention inside 0.700 (uniform 0.100) of 42 words"
    )


def test_captions_without_boxes_are_refused():
    caption = GroundedCaption(WEIGHTS[:1], [[]], SIZE, GRID)

    for captions in ([caption], []):
        with pytest.raises(DataError, match="no word has a box, so there is nothing to point at"):
            score_pointing(captions)


@pytest.mark.parametrize("box", [(6, 0, 7, 1), (0, -2, 2, 0), (2, 0, 1, 1), (0, 1, 4, 1)])
def test_a_box_that_covers_nothing_of_the_picture_is_refused(box):
    message = f"box {box} of word 1 (counted from 0) covers no part of the picture of 6 x 4 pixels"
    with pytest.raises(DataError, match=re.escape(message)):
        GroundedCaption(WEIGHTS, [[], [(0, 0, 1, 1), box], []], (4, 6), GRID)


def test_weights_that_do_not_fit_are_refused():
    message = "attention of shape (3, 4) for 3 words and 3 x 2 cells; it needs a row for each word"
    with pytest.raises(ValueError, match=re.escape(message)):
        GroundedCaption(WEIGHTS, BOXES, SIZE, (3, 2))


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_weights_that_are_no_weights_are_refused(value):
    with pytest.raises(ValueError, match="must be finite and not negative"):
        GroundedCaption(np.where(WEIGHTS == 1, np.float32(value), WEIGHTS), BOXES, SIZE, GRID)
