"""`nmt plot` of runs that read pictures or vectors."""

import json
import re
from base64 import b64decode
from io import BytesIO

import numpy as np
import PIL.Image
import pytest

# The model has learned nothing, and writes until it is stopped.
pytestmark = pytest.mark.filterwarnings("ignore:.*cut at its longest length")


def page_data(path):
    page = path.read_text(encoding="utf-8")
    return json.loads(page.partition('type="application/json">')[2].partition("</script>")[0])


def pixels(address):
    return np.asarray(PIL.Image.open(BytesIO(b64decode(address.partition(",")[2]))).convert("RGB"))


def test_plot_lays_attention_over_each_picture(nmt, picture_run, tmp_path):
    pictures = [picture_run.parent / name for name in ("0.png", "1.png")]

    code, out, _ = nmt(
        "plot", picture_run, *pictures, "-o", tmp_path / "map.svg", "--html", tmp_path / "p.html"
    )

    assert code == 0
    captions = out.splitlines()
    for shown, path, caption in zip(
        page_data(tmp_path / "p.html"), pictures, captions, strict=True
    ):
        np.testing.assert_array_equal(pixels(shown["picture"]), PIL.Image.open(path))
        attended = shown["methods"]["attention"]
        assert attended["words"] == caption.split()
        assert attended["grid"] == [4, 4]
        np.testing.assert_allclose(np.sum(attended["weights"], axis=1), 1, atol=1e-3)
    drawing = (tmp_path / "map.svg").read_text(encoding="utf-8")
    words = sum(len(caption.split()) for caption in captions)
    assert drawing.count("<image") == 2 + words


def test_plot_has_a_row_for_each_method_and_shows_a_given_caption(nmt, picture_run, tmp_path):
    given = ("--target", "A red ring.", "--method", "attention", "--method", "saliency")

    code, out, _ = nmt(
        "plot", picture_run, picture_run.parent / "0.png", *given,
        "-o", tmp_path / "map.svg", "--html", tmp_path / "page.html",
    )  # fmt: skip

    assert (code, out) == (0, "A red ring.\n")
    (shown,) = page_data(tmp_path / "page.html")
    assert list(shown["methods"]) == ["attention", "saliency"]
    assert shown["methods"]["saliency"]["words"] == ["A", "red", "ring."]
    drawing = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert re.findall("<!-- (attention|saliency|ring.) -->", drawing) == [
        *("attention", "ring.", "saliency", "ring.")
    ]


@pytest.mark.parametrize(
    ("options", "last"), [(["--end"], ["ring.", "</s>"]), (["--no-words"], [".", "</s>"])]
)
def test_plot_shows_the_end_of_sentence_or_pieces(nmt, picture_run, tmp_path, options, last):
    given = (picture_run.parent / "0.png", "--target", "A red ring.", *options)

    code, _, _ = nmt("plot", picture_run, *given, "--html", tmp_path / "page.html")

    assert code == 0
    (shown,) = page_data(tmp_path / "page.html")
    assert shown["methods"]["attention"]["words"][-2:] == last


@pytest.mark.parametrize("name", ["test.jsonl", "list.txt"])
def test_plot_reads_a_list_or_a_table_of_pictures(nmt, picture_run, tmp_path, name):
    folder = picture_run.parent
    (folder / "list.txt").write_text("".join(f"{number}.png\n" for number in range(6)))

    code, out, _ = nmt(
        "plot", picture_run, "--file", folder / name, "--n-best", 2, "--html", tmp_path / "p.html"
    )

    assert code == 0
    assert len(out.splitlines()) == 12
    shown = page_data(tmp_path / "p.html")
    for number, each in enumerate(shown):
        path = folder / f"{number // 2}.png"
        np.testing.assert_array_equal(pixels(each["picture"]), PIL.Image.open(path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["0.png", "--gold", "0-0"], "--gold is for sources of text, and "),
        (["0.png", "--one-based"], "--one-based is for sources of text, and "),
        (["0.png", "--target", "a", "--target", "b"], "2 times --target for 1 source; give it"),
        (["0.png", "--file", "test.jsonl"], "--file has the sources; leave out either it or the"),
        (["0.png", "--target", ""], "source 1: nothing to draw, it or its translation is empty"),
        ([], "no source to draw; give one, or a --file of them"),
        (["none.png"], "none.png: no such file"),
        (["0.png", "-o", "0.png"], "0.png: is read, so it cannot be written; choose another name"),
        (["--file", "test.jsonl", "-o", "1.png"], "1.png: is read, so it cannot be written"),
        (["0.png", "--html", "0.png"], "0.png: is read, so it cannot be written"),
        (["--file", "test.jsonl", "--html", "test.jsonl"], "test.jsonl: is read, so it cannot be"),
    ],
)
def test_what_cannot_be_drawn_is_named(nmt, picture_run, monkeypatch, arguments, message):
    monkeypatch.chdir(picture_run.parent)

    code, out, err = nmt("plot", picture_run, *arguments)

    assert (code, out) == (2, "")
    assert err.startswith(f"nmt: {message}")
    assert len(err.splitlines()) == 1
    assert not (picture_run.parent / "heatmap.png").exists()


def test_a_list_of_pictures_may_come_through_a_pipe(nmt, picture_run, piped, monkeypatch):
    monkeypatch.chdir(picture_run.parent)

    code, out, _ = nmt("translate", picture_run, piped("0.png\n1.png\n"))

    assert (code, len(out.splitlines())) == (0, 2)


def test_a_listed_picture_is_not_written_over(nmt, picture_run, monkeypatch):
    monkeypatch.chdir(picture_run.parent)
    before = (picture_run.parent / "1.png").read_bytes()

    code, _, err = nmt("translate", picture_run, "test.jsonl", "-o", "1.png")

    assert (code, err) == (2, "nmt: 1.png: is read, so it cannot be written; choose another name\n")
    assert (picture_run.parent / "1.png").read_bytes() == before


def test_plot_draws_a_heat_map_of_vectors(nmt, vector_run, tmp_path):
    vectors = vector_run.parent / "two.npz"

    code, out, _ = nmt(
        "plot", vector_run, vectors, "--target", "a b", "--target", "c",
        "-o", tmp_path / "map.png", "--html", tmp_path / "page.html",
    )  # fmt: skip

    assert (code, out) == (0, "a b\nc\n")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    shown = page_data(tmp_path / "page.html")
    assert [(each["source"], each["target"]) for each in shown] == [
        (["1", "2", "3"], ["a", "b"]),
        (["1", "2", "3"], ["c"]),
    ]
