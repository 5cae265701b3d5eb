import re
import warnings
from itertools import combinations, pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from nmt import plotting
from nmt.errors import DataError
from nmt.evaluation.pharaoh import parse_links
from nmt.inference.translation import Translation

SOURCE = ["The", "cat", "sat"]
TARGET = ["Die", "Katze", "saß", "."]
WEIGHTS = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
LINEAR_A = "𐘀"  # in no font that matplotlib brings, and on hardly any machine that runs tests


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "one translation is drawn at a time, not list"),
        (("a b",), "one translation is drawn at a time, not str"),
    ],
)
def test_what_is_no_translation_is_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        plotting.plot_alignment(*arguments)


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


def test_a_translation_without_attention_is_refused():
    weights = np.zeros((0, 0), np.float32)
    copied = SimpleNamespace(attention=weights, source_pieces=["x"], target_pieces=["x"], fold=None)

    with pytest.raises(ValueError, match=r"^the translation is empty, or was copied: there is no"):
        plotting.plot_alignment(copied)


def test_a_title_that_is_no_string_is_named():
    with pytest.raises(TypeError, match=r"^a title is a string, not float$"):
        plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET, title=0.5)


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
    assert str(warning.message) == (
        "no installed font draws '猫犬'; install the Noto font of that script "
        "(fonts.google.com/noto; on Debian: fonts-noto-cjk)"
    )
    assert labels(figure) == [["a□", "□□"], ["□", "b"]]


@pytest.mark.parametrize(
    ("word", "packages"),
    [
        ("कुत्ता", "fonts-noto-core"),
        ("고양이", "fonts-noto-cjk"),
        ("कुछ猫", "fonts-noto-cjk and fonts-noto-core"),
    ],
)
def test_the_package_of_the_script_is_named(monkeypatch, word, packages):
    monkeypatch.setattr(font_manager, "findSystemFonts", list)

    with pytest.warns(UserWarning, match=f"on Debian: {packages}\\)$"):
        plotting.heatmap(np.eye(1, dtype=np.float32), source=[word], target=["a"])


def test_a_control_character_is_a_box_for_which_no_font_is_wanted():
    figure = plotting.heatmap(
        np.eye(1, dtype=np.float32), source=["a\x01b\x85"], target=["\x1b"], title="one\ntwo"
    )
    plotting.image(figure)  # warnings are errors

    assert labels(figure) == [["a□b□"], ["□"]]
    assert figure.axes[0].get_title() == "one\ntwo"


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
    assert figure.axes[0].get_xticklabels()[0].get_fontfamily() == ["Tiny Linear", "DejaVu Sans"]


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


def panel(rows, columns, *, title=None, gold=None, long=False):
    source = [f"Geschwindigkeit{n}" if long else f"w{n}" for n in range(columns)]
    target = [f"Donaudampfschiff{n}" if long else f"t{n}" for n in range(rows)]
    return plotting.Panel(np.full((rows, columns), 0.5), source, target, title, gold)


def test_gold_links_are_outlined_where_they_stand():
    gold = parse_links("0-1 2-0 1p2")

    axes = plotting.grid([[panel(3, 3, gold=gold)]]).axes[0]

    outlined = {
        tuple((np.array(patch.get_center()) - 0.5).round().astype(int)): patch.get_linestyle()
        for patch in axes.patches
    }
    assert set(outlined) == {(0, 1), (2, 0), (1, 2)}
    assert [link for link, style in outlined.items() if style != "solid"] == [(1, 2)]


@pytest.mark.parametrize("link", ["3-0", "0-2", "0p2"])
def test_a_gold_link_outside_of_the_sentence_is_named(link):
    message = rf"gold link {link.replace('p', '-')} lies outside the 3 source and 2 target words"

    with pytest.raises(DataError, match=message):
        panel(2, 3, gold=parse_links(link))


def test_heat_maps_of_a_grid_neither_overlap_nor_leave_the_figure():
    rows = [
        [
            panel(2, 5, title="saliency"),
            panel(2, 5, title="a title much wider than its map", long=True),
        ],
        [panel(7, 3, long=True)],
        [panel(1, 1), panel(9, 2), panel(2, 9, title="jacobian")],
    ]

    figure = plotting.grid(rows)
    plotting.image(figure)  # drawing is what puts titles above the labels

    *maps, bar = figure.axes
    boxes = [axes.get_tightbbox() for axes in [*maps, bar]]
    assert not any(one.overlaps(two) for one, two in combinations(boxes, 2))
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert [axes.get_title() for axes in maps] == [each.title or "" for row in rows for each in row]


def test_cells_of_a_grid_are_of_one_size_and_rows_are_in_line():
    figure = plotting.grid([[panel(2, 5), panel(4, 3, long=True)], [panel(3, 2)]])

    first, second, below, _ = (axes.bbox for axes in figure.axes)
    sizes = [(2, 5), (4, 3), (3, 2)]
    cells = [
        (box.height / rows, box.width / columns)
        for box, (rows, columns) in zip((first, second, below), sizes, strict=True)
    ]
    np.testing.assert_allclose(cells, cells[0][0], rtol=1e-6)
    assert first.y1 == pytest.approx(second.y1)
    assert first.x0 == pytest.approx(below.x0)


@pytest.mark.parametrize(("count", "lengths"), [(1, [1]), (3, [2, 1]), (4, [2, 2]), (7, [3, 3, 1])])
def test_panels_are_wrapped_into_about_a_square(count, lengths):
    panels = [panel(1, 1) for _ in range(count)]

    rows = plotting.wrapped(panels)

    assert [len(row) for row in rows] == lengths
    assert [each for row in rows for each in row] == panels


def test_a_translation_is_drawn_by_words_or_by_pieces():
    translation = Translation(
        "Katze da", "the cat", 0.0, 0.0, ("▁Ka", "tze", "▁da", "</s>"), ("▁the", "▁cat", "</s>"),
        np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.3, 0.2, 0], [0, 0, 0, 1]], np.float32),
    )  # fmt: skip

    words = plotting.plot_alignment(translation, gold="0-1")
    pieces = plotting.plot_alignment(translation, words=False)
    ended = plotting.plot_alignment(translation, end=True)

    assert labels(words) == [["Katze", "da"], ["the", "cat"]]
    np.testing.assert_allclose(words.axes[0].collections[0].get_array(), [[0.3, 0.3], [0.8, 0.2]])
    assert len(words.axes[0].patches) == 1
    assert labels(pieces) == [["▁Ka", "tze", "▁da", "</s>"], ["▁the", "▁cat", "</s>"]]
    assert labels(ended) == [["Katze", "da", "</s>"], ["the", "cat", "</s>"]]
    np.testing.assert_allclose(
        ended.axes[0].collections[0].get_array(),
        [[0.3, 0.3, 0.4], [0.8, 0.2, 0], [0, 0, 1]],
    )
    with pytest.raises(ValueError, match="gold links are between words"):
        plotting.panel(translation, words=False, gold=parse_links("0-1"))
    with pytest.raises(DataError, match="'0:1' is no link; write 0-2 for a sure"):
        plotting.plot_alignment(translation, gold="0:1")
    with pytest.raises(TypeError, match=r"^gold links are a line such as '0-0 1p2', or GoldLinks"):
        plotting.plot_alignment(translation, gold=[(0, 1)])
