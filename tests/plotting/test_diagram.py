import xml.etree.ElementTree as ElementTree

import pytest

from nmt.plotting.diagram import Arrow, Block, diagram

SVG = "{http://www.w3.org/2000/svg}"
BLOCKS = [
    Block("a <b>", ["1 & 2"], 0, 0),
    Block("up", ["x", "y", "z"], 0, 1),
    Block("aside", [], 1, 1),
]


def test_boxes_stand_on_their_grid_and_arrows_join_them():
    root = ElementTree.fromstring(
        diagram(BLOCKS, [Arrow("a <b>", "up"), Arrow("aside", "up", "query")], title="T & t")
    )

    boxes = [
        [float(box.get(name)) for name in ("x", "y", "width", "height")]
        for box in root.iter(f"{SVG}rect")
        if box.get("x")
    ]
    below, up, aside = boxes
    assert below[0] == up[0] < aside[0]
    assert up[1] + up[3] < below[1]
    assert up[1] == aside[1]
    lines = [
        [float(line.get(name)) for name in ("x1", "y1", "x2", "y2")]
        for line in root.iter(f"{SVG}line")
    ]
    assert lines[0][1] == below[1]
    assert lines[0][3] == up[1] + up[3]
    assert (lines[1][0], lines[1][2]) == (aside[0], up[0] + up[2])
    texts = [text.text for text in root.iter(f"{SVG}text") if text.text]
    assert texts == ["a <b>", "1 & 2", "up", "x", "y", "z", "aside", "query"]
    assert root.find(f"{SVG}title").text == "T & t"


def test_what_is_written_in_a_box_stays_in_it():
    root = ElementTree.fromstring(diagram(BLOCKS[1:2], [], title=""))

    (box,) = (box for box in root.iter(f"{SVG}rect") if box.get("x"))
    top, height = float(box.get("y")), float(box.get("height"))
    baselines = [float(text.get("y")) for text in root.iter(f"{SVG}text")]
    assert len(baselines) == 4
    assert top + 13 <= min(baselines)  # letters are 13 pixels high
    assert max(baselines) <= top + height


def test_an_arrow_across_is_refused():
    with pytest.raises(ValueError, match="no straight arrow leads from a <b> to aside"):
        diagram(BLOCKS, [Arrow("a <b>", "aside")], title="")
