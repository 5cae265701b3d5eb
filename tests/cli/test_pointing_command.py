"""`nmt evaluate --pointing`: which words of the references point at their objects."""

import json
import re
import shutil
from itertools import groupby

import numpy as np
import pytest

from nmt.config import CorpusConfig
from nmt.data import boxes
from nmt.errors import DataError
from nmt.inference.captioner import Captioner

# The model has learned nothing, and writes until it is stopped.
pytestmark = pytest.mark.filterwarnings("ignore:.*cut at its longest length")


@pytest.fixture
def tested(picture_run, tmp_path):
    """Makes a copy of the run with the six pictures, whose test set is the given rows."""

    def copy(rows, name="test.jsonl"):
        shutil.copytree(picture_run.parent, tmp_path / "copy")
        (tmp_path / "copy" / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        run = tmp_path / "copy" / "run"
        config = (run / "config.yaml").read_text()
        config = config.replace(str(picture_run.parent), str(tmp_path / "copy"))
        (run / "config.yaml").write_text(config)
        return run

    return copy


def rows_of(run):
    lines = (run.parent / "test.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def counted(run, method):
    """Accuracy, and attention inside, of the words with boxes, counted cell by cell."""
    rows = rows_of(run)
    captions = Captioner.load(run).align(
        [run.parent / row["image"] for row in rows], [row["en"] for row in rows], method=method
    )
    hits, shares = [], []
    for row, caption in zip(rows, captions, strict=True):
        starts = np.cumsum([piece.startswith("▁") for piece in caption.target_pieces[:-1]]) - 1
        pieces = groupby(zip(starts, caption.attention[:-1], strict=True), lambda each: each[0])
        for (_, parts), word in zip(pieces, row["boxes"], strict=True):
            if word:
                weights = np.mean([weights for _, weights in parts], axis=0).reshape(4, 4)
                pixels = np.zeros((64, 64))  # four by four for each of the picture
                for left, top, right, bottom in (4 * np.array(box) for box in word):
                    pixels[int(top) : int(bottom), int(left) : int(right)] = 1
                cells = pixels.reshape(4, 16, 4, 16)
                row_, column = np.unravel_index(weights.argmax(), (4, 4))
                hits.append(cells[row_, 8, column, 8])
                shares.append((cells.mean(axis=(1, 3)) * weights).sum() / weights.sum())
    return np.mean(hits), np.mean(shares), len(hits)


def test_pointing_of_each_method_is_that_of_counted_cells(nmt, picture_run):
    methods = ("--pointing", "attention", "--pointing", "saliency")

    code, out, _ = nmt("evaluate", picture_run, *methods)
    _, as_json, _ = nmt("evaluate", picture_run, *methods, "--json")

    assert code == 0
    bleu, chrf, *lines = out.splitlines()
    assert (bleu[:5], chrf[:5]) == ("BLEU ", "chrF2")
    objects = json.loads(as_json)[2:]
    for line, each, method in zip(lines, objects, ["attention", "saliency"], strict=True):
        accuracy, share, words = counted(picture_run, method)
        assert (each["name"], each["method"], each["words"]) == ("pointing", method, words)
        assert each["accuracy"] == pytest.approx(accuracy)
        assert each["share"] == pytest.approx(share, rel=1e-5)
        assert re.sub(r"\(uniform .*?\) ", "", line) == (
            f"{method}: pointing accuracy {accuracy:.3f} attention inside {share:.3f} "
            f"of {words} words"
        )


def test_boxes_are_those_of_the_scenes(picture_run):
    half = next(
        iter(boxes.gold(CorpusConfig(path="scenes", split="validation"), languages=("", "en")))
    )

    assert half.size == (64, 64)
    small = rows_of(picture_run)[0]["boxes"]
    assert [[list(box) for box in word] for word in half.boxes] == [
        [[4 * side for side in box] for box in word] for word in small
    ]


def test_fields_may_be_nested_as_in_the_corpus(picture_run, tmp_path):
    [first, *_] = rows_of(picture_run)
    folder = picture_run.parent
    nested = {"translation": {"image": str(folder / first["image"]), "en": first["en"]}}
    path = tmp_path / "nested.jsonl"
    path.write_text(json.dumps(nested | {"boxes": first["boxes"]}) + "\n", encoding="utf-8")

    [gold] = boxes.gold(CorpusConfig(path=str(path)), languages=("image", "en"))

    assert [[list(box) for box in word] for word in gold.boxes] == first["boxes"]
    assert gold.size == (16, 16)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"boxes": [[]]}, "row 2: boxes of 1 word, and the caption has 2 between spaces"),
        ({"boxes": [[], [[1, 2, 3]]]}, "line 2: [1, 2, 3] is no box of a word; one is [left, top"),
        ({"boxes": [[], 3]}, "line 2: 'boxes' is no list of boxes for each word"),
        ({"boxes": [[], [[20, 0, 30, 9]]]}, "covers no part of the picture of 16 x 16 pixels"),
        ({}, "line 2: no field 'boxes', a list of [left, top, right, bottom] for each word"),
    ],
)
def test_wrong_boxes_are_named(nmt, tested, changed, message):
    rows = [
        {"image": "0.png", "en": "A ring.", "boxes": [[], [[0, 0, 9, 9]]]},
        {"image": "1.png", "en": "A ring.", **changed},
    ]

    code, out, err = nmt("evaluate", tested(rows), "--pointing", "attention")

    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_another_test_set_has_no_boxes():
    with pytest.raises(DataError, match="no boxes: only `scenes`, and JSON lines with a field 'bo"):
        list(boxes.gold(CorpusConfig(path="test.tsv"), languages=("image", "en")))


def test_what_cannot_point_is_refused(nmt, picture_run, vector_run, text):
    lines = text("lines.txt", "a b")
    pointing = ("--pointing", "attention")
    for arguments, message in {
        (picture_run, "--pointing", "gaze"): "unknown method of explanation 'gaze'; choose one",
        (picture_run, vector_run, *pointing): "--pointing is of one RUN at a time, and compares",
        ("--hypothesis", lines, "--reference", lines, *pointing): "--pointing is of one RUN at a",
        (
            *(picture_run, "--source", lines, "--reference", lines),
            *pointing,
        ): "--pointing needs the boxes of data.test; leave out --source, or it",
        (picture_run, "--metric", "comet"): "--metric comet is for sources of text, and ",
        (vector_run, *pointing): "--pointing is for runs that read pictures, and ",
    }.items():
        code, out, err = nmt("evaluate", *arguments)

        assert (code, out) == (2, "")
        assert err.startswith(f"nmt: {message}")
        assert len(err.splitlines()) == 1
