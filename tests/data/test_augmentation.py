"""Training pictures that are moved and made brighter: the same ones for whoever reads them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt import configfile
from nmt.config import PictureInputConfig, TextInputConfig, VectorInputConfig
from nmt.data import augmentation
from nmt.data.cells import cut, join
from nmt.errors import ConfigError

SIDES = st.sampled_from([1, 2, 4])
PICTURES = PictureInputConfig(height=8, width=12, cell=4, shift=3, brightness=0.4)


def pictures(number, height=8, width=12, *, seed=0):
    shape = (number, height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def changed(cells, rows, *, config=PICTURES, seed=(1, 2, 3)):
    return augmentation.changed(cells[rows], config, rows, seed=seed)


@given(st.integers(1, 3), st.integers(1, 3), SIDES, st.integers(0, 99))
def test_cells_are_cut_in_reading_order_and_joined_again(rows, columns, side, seed):
    pixels = pictures(2, rows * side, columns * side, seed=seed)
    cells = cut(pixels, side)

    for i, j in np.ndindex(rows, columns):
        block = pixels[:, i * side : (i + 1) * side, j * side : (j + 1) * side]
        np.testing.assert_array_equal(cells[:, i * columns + j], block.reshape(2, -1))
    np.testing.assert_array_equal(join(cells, (rows, columns), side), pixels)


@given(st.tuples(st.integers(-9, 9), st.integers(-13, 13)), st.integers(0, 99))
def test_a_picture_is_moved_as_a_loop_over_its_pixels_moves_it(shift, seed):
    pixels = pictures(2, seed=seed)
    found = augmentation.moved(pixels, np.array([shift, (0, 0)]))

    down, right = shift
    for y in range(8):
        for x in range(12):
            from_y, from_x = min(max(y - down, 0), 7), min(max(x - right, 0), 11)
            assert found[0, y, x].tolist() == pixels[0, from_y, from_x].tolist()
    np.testing.assert_array_equal(found[1], pixels[1])


@given(st.floats(0, 2), st.integers(0, 255))
def test_a_factor_multiplies_each_colour(factor, value):
    pixels = np.full((2, 1, 1, 3), value, np.uint8)
    found = augmentation.brightened(pixels, np.array([1.0, factor]))

    assert found[0].tolist() == pixels[0].tolist()
    assert abs(int(found[1, 0, 0, 0]) - min(factor * value, 255)) <= 0.5


@pytest.mark.parametrize(
    "config",
    [PICTURES.reading, VectorInputConfig(size=48), TextInputConfig()],
    ids=["pictures", "vectors", "text"],
)
def test_without_bounds_nothing_is_changed(config):
    cells = cut(pictures(3), 4)

    assert augmentation.changed(cells, config, slice(0, 3), seed=[1]) is cells


def test_changes_belong_to_the_batch_and_the_row():
    cells = cut(np.repeat(pictures(1), 6, axis=0), 4)
    whole = changed(cells, slice(0, 6))

    parts = [changed(cells, slice(start, start + 2)) for start in (0, 2, 4)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(changed(cells, slice(0, 6)), whole)
    assert len({each.tobytes() for each in whole}) == 6
    assert (changed(cells, slice(0, 6), seed=(1, 2, 4)) != whole).any()


def test_changes_stay_within_their_bounds_and_reach_them():
    one = np.full((400, 8, 12, 3), 100, np.uint8)
    one[:, 4, 6] = 200
    config = PICTURES.model_copy(update={"brightness": 0.0})
    moved = join(changed(cut(one, 4), slice(0, 400), config=config), (2, 3), 4)
    places = {tuple(np.argwhere(each[:, :, 0] == 200)[0] - (4, 6)) for each in moved}
    assert places == {(y, x) for y in range(-3, 4) for x in range(-3, 4)}

    config = PICTURES.model_copy(update={"shift": 0})
    found = changed(cut(np.full_like(one, 100), 4), slice(0, 400), config=config)
    values = found[:, 0, 0]
    assert found.std(axis=(1, 2)).max() == 0
    assert 60 <= values.min() < 64
    assert 136 < values.max() <= 140


def test_a_picture_is_not_moved_out_of_itself():
    message = "`shift` of 32 pixels moves a picture out of its `height` (32): make it smaller, such"
    given = {"kind": "pictures", "height": 32, "shift": 32}
    with pytest.raises(ConfigError, match=re.escape(message)):
        configfile.validate({"data": {"train": "x", "validation": "y", "input": given}})
