import re
import warnings
from itertools import pairwise

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from nmt import plotting
from nmt.errors import UserError

SOURCE = ["The", "cat", "sat"]
TARGET = ["Die", "Katze", "saß", "."]
WEIGHTS = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
LINEAR_A = "𐘀"  # in no font that matplotlib brings, and on hardly any machine that runs tests


def labels(figure):
    """The words along the source and the target axis of a heat map."""
    axes = figure.axes[0]
    return [
        [label.get_text() for label in axis]
        for axis in (axes.get_xticklabels(), axes.get_yticklabels())
    ]


def test_a_heat_map_shows_the_weights_and_the_words():
    figure = plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET, title="additive")

    mesh = figure.axes[0].collections[0]
    np.testing.assert_array_equal(mesh.get_array(), WEIGHTS)
    assert mesh.get_clim() == (0, 1)
    assert labels(figure) == [SOURCE, TARGET]
    assert figure.axes[0].get_title() == "additive"


def test_cells_are_white_for_nothing_and_black_for_all_in_reading_order():
    weights = np.array([[0, 1], [0, 0], [1, 0]], dtype=np.float32)
    figure = plotting.heatmap(weights, source=["a", "b"], target=["x", "y", "z"])

    pixels = plotting.image(figure)

    # One row for each target word from the top, one column for each source word from the left.
    box = figure.axes[0].bbox
    rows = len(pixels) - box.y1 + box.height * (np.arange(3) + 0.5) / 3
    columns = box.x0 + box.width * (np.arange(2) + 0.5) / 2
    shades = pixels[np.ix_(rows.astype(int), columns.astype(int))]
    np.testing.assert_array_equal(shades, 255 * (1 - weights[:, :, None]).repeat(3, axis=2))


@pytest.mark.parametrize(("source", "target"), [(["a"], TARGET), (SOURCE, SOURCE)])
def test_labels_that_do_not_fit_the_weights_are_refused(source, target):
    message = f"shape (4, 3) for {len(target)} target and {len(source)} source words"
    with pytest.raises(ValueError, match=re.escape(message)):
        plotting.heatmap(WEIGHTS, source=source, target=target)


def test_a_heat_map_of_no_words_is_refused():
    with pytest.raises(ValueError, match="a row for each target and a column for each source word"):
        plotting.heatmap(np.zeros((0, 3), dtype=np.float32), source=SOURCE, target=[])


@pytest.mark.parametrize(("rows", "columns"), [(60, 60), (3, 60), (60, 3), (1, 1)])
def test_labels_neither_overlap_nor_leave_the_figure(rows, columns):
    source = ["Geschwindigkeitsbegrenzung" if i % 7 == 3 else f"Wort{i}" for i in range(columns)]
    target = ["Donaudampfschifffahrt" if i % 5 == 2 else f"▁go{i}" for i in range(rows)]
    weights = np.full((rows, columns), 1 / columns, dtype=np.float32)

    figure = plotting.heatmap(weights, source=source, target=target, title="A title above it all")

    axes = figure.axes[0]
    for axis in (axes.get_xticklabels(), axes.get_yticklabels()):
        boxes = [label.get_window_extent() for label in axis]
        assert not any(box.overlaps(other) for box, other in pairwise(boxes))
    everything = [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.title]
    for box in (text.get_window_extent() for text in everything):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1


def test_no_label_is_read_as_mathematics():
    words = [r"$\frac{$", "$x_2$", "a_b", "▁▁"]  # the first is no formula: parsing it fails

    figure = plotting.heatmap(
        np.eye(4, dtype=np.float32), source=words, target=words[::-1], title=words[0]
    )

    plotting.image(figure)  # drawing is what parses
    assert labels(figure) == [words, words[::-1]]


def test_european_words_and_pieces_need_no_other_font():
    words = ["▁Straße", "Ελλάδα", "Привет", "</s>"]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plotting.heatmap(np.eye(4, dtype=np.float32), source=words, target=words)
        plotting.image(figure)

    assert labels(figure) == [words, words]


def test_one_warning_names_the_characters_that_no_font_draws(tmp_path, monkeypatch):
    monkeypatch.setattr(font_manager, "findSystemFonts", list)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure = plotting.heatmap(
            np.eye(2, dtype=np.float32), source=["a猫", "犬犬"], target=["猫", "b"]
        )
        plotting.save(figure, tmp_path / "figure.png")

    (warning,) = caught
    assert "no installed font draws '犬猫'; install the Noto font" in str(warning.message)
    assert labels(figure) == [["a□", "□□"], ["□", "b"]]


def test_a_font_installed_since_is_found(tmp_path, monkeypatch):
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    font(LINEAR_A, "Tiny Linear").save(fonts / "tiny.ttf")
    (fonts / "broken.ttf").write_bytes(b"no font at all")
    monkeypatch.setattr(font_manager, "X11FontDirectories", [str(fonts)])
    monkeypatch.setattr(font_manager.fontManager, "ttflist", font_manager.fontManager.ttflist[:])

    figure = plotting.heatmap(np.eye(1, dtype=np.float32), source=[LINEAR_A], target=["a"])
    plotting.save(figure, tmp_path / "figure.png")

    assert labels(figure) == [[LINEAR_A], ["a"]]
    assert figure.axes[0].get_xticklabels()[0].get_fontfamily() == ["DejaVu Sans", "Tiny Linear"]


def font(character, family):
    """A font of one square letter."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 500), (500, 500), (500, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "letter"])
    builder.setupCharacterMap({ord(character): "letter"})
    builder.setupGlyf({".notdef": square, "letter": square})
    builder.setupHorizontalMetrics({".notdef": (600, 0), "letter": (600, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    return builder


def test_curves_show_each_series_under_its_name():
    series = {"training": ([100, 200, 300], [4.0, 3.0, 2.5]), "validation": ([200], [3.2])}

    axes = plotting.curves(series, ylabel="nll per token").axes[0]

    drawn = {line.get_label(): (*map(list, line.get_data()),) for line in axes.lines}
    assert drawn == series
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(series)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "nll per token")


def test_a_curve_of_one_point_is_seen():
    nothing, point = (
        plotting.image(plotting.curves({"a": ([1.0], [value])}, ylabel="loss"))
        for value in (float("nan"), 1.0)
    )

    # The legend is blue in both.
    blue = np.array([0x00, 0x72, 0xB2])
    assert (point == blue).all(axis=2).sum() > (nothing == blue).all(axis=2).sum()


@pytest.mark.parametrize(
    ("name", "magic"),
    [("a.png", b"\x89PNG\r\n"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF-"), ("a.b.PNG", b"\x89PNG")],
)
def test_the_ending_decides_the_file_type_and_bytes_repeat(tmp_path, name, magic):
    (tmp_path / "again").mkdir()

    for folder in (tmp_path, tmp_path / "again"):
        plotting.save(plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET), folder / name)

    written = (tmp_path / name).read_bytes()
    assert written.startswith(magic)
    assert written == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "png"])
def test_another_ending_is_refused(tmp_path, name):
    figure = plotting.curves({"a": ([1.0], [1.0])}, ylabel="loss")

    with pytest.raises(UserError, match=rf"{name}: a figure is written as .png, .svg or .pdf"):
        plotting.save(figure, tmp_path / name)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    figure = plotting.curves({"a": ([1.0], [1.0])}, ylabel="loss")

    with pytest.raises(UserError, match=r"absent.figure.png: cannot be written \(No such file"):
        plotting.save(figure, tmp_path / "absent" / "figure.png")


def test_an_image_has_the_pixels_of_the_figure():
    figure = plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET)

    pixels = plotting.image(figure)

    width, height = figure.get_size_inches() * figure.dpi
    assert pixels.shape == (int(height), int(width), 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels[[0, 0, -1, -1], [0, -1, 0, -1]], 255)
