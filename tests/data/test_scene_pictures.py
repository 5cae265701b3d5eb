"""The pictures of the embedded scenes: what their pixels show, and what their sentences say."""

import re
from collections import Counter

import numpy as np
import pytest
from captions import phrases, singular
from hypothesis import given
from hypothesis import strategies as st

from nmt.data import scenes
from nmt.data.scenes import Box, Scene, Sentence, Shape

NUMBERS = {"a": 1, "the": None, "two": 2, "three": 3}


@pytest.fixture(scope="module")
def pictures():
    return [*scenes.scenes("test"), *scenes.scenes("validation")]


def test_the_words_are_true_of_the_pixels_in_their_boxes(pictures):
    for scene in pictures:
        pixels = np.asarray(scenes.draw(scene)).astype(int)
        assert pixels.shape == (64, 64, 3)
        for (number, *adjectives, noun), boxes in phrases(scene.english):
            assert NUMBERS[number.lower()] in (None, len(boxes))
            for box in boxes:
                size, color, kind = seen(pixels, box)
                assert kind == singular(noun), scene.english.text
                assert adjectives in ([], [size, color]), scene.english.text


def test_all_pixels_outside_of_the_boxes_are_background(pictures):
    for scene in pictures:
        pixels = np.asarray(scenes.draw(scene)).copy()
        for left, top, right, bottom in (shape.box for shape in scene.shapes):
            inside = np.any(pixels[top:bottom, left:right] != scene.background, axis=2)
            for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
                assert side.any()  # no box is too large
            pixels[top:bottom, left:right] = scene.background
        assert (pixels == scene.background).all()


def seen(pixels, box):
    """Returns what the pixels of a box show: size, color and kind."""
    left, top, right, bottom = box
    inside = pixels[top:bottom, left:right]
    background = pixels[0, 0]
    shown = Counter(map(tuple, inside.reshape(-1, 3).tolist()))
    del shown[tuple(background.tolist())]
    color = np.array(max(shown, key=shown.get))
    filled = abs(inside - color).sum(axis=2) < abs(inside - background).sum(axis=2)
    names = {100: "red", 10: "green", 1: "blue", 110: "yellow", 101: "purple", 0: "black"}
    name = names[int((color > 128) @ [100, 10, 1])]
    assert color.max() in (0, *range(160, 256))
    assert color.min() == 0  # full saturation
    return "small" if len(inside) < 16 else "large", name, kind_of(filled)


def kind_of(filled):
    """Returns the kind of a shape by a few of its properties."""
    middle = len(filled) // 2
    widths = filled.sum(axis=1)
    if filled.all():
        return "square"
    if not filled[middle, middle]:
        return "ring"
    if len(set(widths.tolist())) == 2:
        return "cross"
    if filled[-1].mean() > 0.7:
        return "triangle"
    return "circle" if filled.mean() > 0.7 else "diamond"


RELATIONS = "above|below|to the left of|to the right of|between"


def test_the_relations_are_true_of_the_boxes(pictures):
    counts = Counter()
    for scene in pictures:
        relations = re.findall(RELATIONS, scene.english.text)
        counts.update(relations)
        named = [boxes for _, boxes in phrases(scene.english)]
        if relations == ["between"]:
            inner, first, second = named
            assert before(first, inner, 0) & before(inner, second, 0) or (
                before(first, inner, 1) & before(inner, second, 1)
            )
            continue
        for number, relation in enumerate(relations):
            one, other = named[2 * number : 2 * number + 2]
            axis = int(relation in ("above", "below"))
            pair = (one, other) if relation in ("above", "to the left of") else (other, one)
            assert before(*pair, axis), scene.english.text

    assert set(counts) == set(RELATIONS.split("|"))


def before(some, others, axis):
    """Whether all boxes are before all others along an axis: 0 to the right, 1 downwards."""
    return max(box[axis + 2] for box in some) + 3 < min(box[axis] for box in others)


PLACES = {"left": (0, -1), "right": (0, 1), "top": (1, -1), "bottom": (1, 1)}


def test_the_places_are_true_of_the_boxes(pictures):
    alone = [scene for scene in pictures if not re.search(RELATIONS, scene.english.text)]

    assert len(alone) > 30
    for scene in alone:
        words = scene.english.text.strip(".").split()
        expected = [0, 0]
        for word in words:
            if word in PLACES:
                axis, side = PLACES[word]
                expected[axis] = side
        assert ("middle" in words) == (expected == [0, 0])
        for axis, side in enumerate(expected):
            low = min(shape.box[axis] for shape in scene.shapes)
            center = (low + max(shape.box[axis + 2] for shape in scene.shapes)) / 2 - 32
            assert abs(center) <= 3 if side == 0 else center * side >= 12


NAMES = st.sampled_from(["circle", "ring", "square", "triangle", "cross", "diamond"])


QUARTERS = st.sets(st.sampled_from([(0, 0), (0, 32), (32, 0), (32, 32)]))


@st.composite
def shapes(draw):
    """The fields of shapes anywhere in the quarters of a picture."""
    found = []
    for left, top in draw(QUARTERS):
        size = draw(st.integers(4, 32))
        shift = st.integers(0, 32 - size)
        color = draw(st.sampled_from(sorted(scenes.COLORS)))
        found.append((draw(NAMES), color, size, left + draw(shift), top + draw(shift)))
    return found


@given(shapes(), st.integers(10, 245), st.integers(16, 160))
def test_a_picture_of_any_size_has_the_same_shapes(shapes, gray, size):
    nothing = Sentence("", ())
    scene = Scene(tuple(Shape(*fields) for fields in shapes), gray, nothing, nothing)

    image = scenes.draw(scene, size)
    pixels = np.asarray(image).astype(int)

    assert pixels.shape == (size, size, 3)
    assert image.tobytes() == scenes.draw(scene, size).tobytes()
    drawn = np.any(pixels != scene.background, axis=2)
    for shape in scene.shapes:
        left, top, right, bottom = (edge * size / 64 for edge in shape.box)
        here = drawn[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
        assert here.any()
        here[:] = False
    assert not drawn.any()


def test_a_shape_knows_its_box_and_its_centre():
    shape = Shape("circle", "red", 11, 3, 20)

    assert shape.box == Box(3, 20, 14, 31)
    assert shape.center == (8.5, 25.5)
