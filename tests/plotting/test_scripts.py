"""Right-to-left and joined scripts: what is drawn is compared with the glyphs in visual order.

The visual order is written down by hand: U+202D (left-to-right override) makes it the order of the
characters, and Unicode has a character for each joined form of an Arabic letter.
"""

import warnings
from xml.etree import ElementTree

import numpy as np
import pypdfium2
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from nmt import plotting

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"

# Labels, and what is seen from left to right.
VISUAL = {
    "שלום": "םולש",
    "(אב)": "(בא)",  # the brackets are mirrored, and so look as before
    "אב!": "!בא",
    "ב־2024": "2024־ב",
    "abc(אב)": "abc(בא)",  # the first letter decides on the direction
    "אב(abc)": "(abc)בא",
    "▁של": "לש▁",
    "25%": "25%",
    "C++": "C++",
    "</s>": "</s>",
    "كلب": "ﺐﻠﻛ",  # initial kaf, medial lam, final beh
    "لا": "ﻻ",  # a ligature
    "دار": "ﺭﺍﺩ",  # letters that do not join to the next one
    "لب": "ﺐﻟ",  # a piece of كلب has the forms of a word of its own
    "ب\u200cب": "ﺏﺏ",  # a non-joiner
    "\u2067abc\u2069": "abc",  # an isolate, which the font does not have
}


def drawn(labels, tmp_path, ending):
    """What a file shows of labels, which are on both axes, and the first one in the title."""
    path, weights = tmp_path / f"map.{ending}", np.eye(len(labels), dtype=np.float32)
    plotting.save(plotting.heatmap(weights, source=labels, target=labels, title=labels[0]), path)
    if ending == "svg":
        return list(shapes(ElementTree.parse(path).getroot()))
    if ending == "pdf":
        with pypdfium2.PdfDocument(path) as document:
            return document[0].render(scale=3).to_numpy().tobytes()
    return path.read_bytes()


def shapes(element, place=(), outlines=None):
    """Yields the outline of each visible letter in an SVG, with the shifts that place it."""
    outlines = outlines or {each.get("id"): each.get("d") for each in element.iter(f"{SVG}path")}
    place = (*place, element.get("transform"))
    if outline := element.tag == f"{SVG}use" and outlines[element.get(LINK)[1:]]:
        yield (
            place,
            sorted(map(str.strip, outline.split("z"))),
        )  # fonts draw the parts of a letter in any order
    for child in element:
        yield from shapes(child, place, outlines)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_labels_are_drawn_in_visual_order_and_joined(tmp_path, ending):
    seen = dict(VISUAL)
    if ending == "pdf":  # in which matplotlib shifts ASCII behind the override
        seen = {label: visual for label, visual in seen.items() if not visual[0].isascii()}
    overridden = [f"\u202d{visual}\u202c" for visual in seen.values()]

    expected = drawn(overridden, tmp_path, ending)

    assert drawn([*seen], tmp_path, ending) == expected
    turned = ["\u202dשלום\u202c", *overridden[1:]]
    assert drawn(turned, tmp_path, ending) != expected


@pytest.fixture
def devanagari(tmp_path, monkeypatch):
    """A font of a few letters of Devanagari, each a bar of another height."""
    heights = {"ka": 100, "ssa": 200, "virama": 300, "i": 400, "kssa": 500, "zwnj": 0}
    glyphs = {".notdef": bar(50), **{name: bar(height) for name, height in heights.items()}}
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(list(glyphs))
    # Each glyph is also a character of private use, which is drawn where it stands.
    private = {0xF0000 + place: name for place, name in enumerate(heights)}
    letters = {"क": "ka", "ष": "ssa", "्": "virama", "ि": "i", "\u200c": "zwnj"}
    builder.setupCharacterMap({**private, **{ord(key): name for key, name in letters.items()}})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({**dict.fromkeys(glyphs, (300, 0)), "zwnj": (0, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Tiny Devanagari", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    ligature = "feature akhn { sub ka virama ssa by kssa; } akhn;"
    builder.addOpenTypeFeatures(f"languagesystem dev2 dflt; {ligature}")
    (tmp_path / "fonts").mkdir()
    builder.save(tmp_path / "fonts" / "tiny.ttf")
    monkeypatch.setattr(font_manager, "X11FontDirectories", [str(tmp_path / "fonts")])
    monkeypatch.setattr(font_manager.fontManager, "ttflist", font_manager.fontManager.ttflist[:])
    return {name: chr(code) for code, name in private.items()}


def bar(height):
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, height), (200, height), (200, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


@pytest.mark.parametrize(
    ("label", "glyphs"),
    [
        ("कि", ["i", "ka"]),  # the vowel i stands before its consonant
        ("क्ष", ["kssa"]),  # one of the two obligatory ligatures
        ("क्षि", ["i", "kssa"]),
        ("षकि", ["ssa", "i", "ka"]),
        ("क्\u200cष", ["ka", "virama", "ssa"]),  # a non-joiner, which DejaVu Sans has too
    ],
)
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_vowels_and_ligatures_of_devanagari_stand_where_they_are_read(
    tmp_path, devanagari, ending, label, glyphs
):
    visual = "".join(devanagari[name] for name in glyphs)

    found = drawn([label], tmp_path, ending)

    assert found == drawn([visual], tmp_path, ending)


def test_characters_without_a_shape_need_no_font():
    hidden = "\u2066\u2069\u061c\ufe0f\U000e0101\u2063\U000e0067"  # of which DejaVu Sans has one

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = np.ones((1, 1), np.float32)
        figure = plotting.heatmap(one, source=[f"a{hidden}"], target=["b"])
        plotting.image(figure)

    assert figure.axes[0].get_xticklabels()[0].get_text() == f"a{hidden}"
