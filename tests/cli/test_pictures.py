"""The commands that draw."""

import json

import pytest


@pytest.mark.parametrize(
    ("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_plot_writes_a_heat_map(nmt, copy_run, tmp_path, ending, magic):
    code, out, _ = nmt("plot", copy_run, "a b c", "-o", tmp_path / f"map.{ending}")

    assert (code, out) == (0, "a b c\n")
    assert (tmp_path / f"map.{ending}").read_bytes().startswith(magic)


def test_plot_shows_a_given_translation(nmt, copy_run, tmp_path):
    code, out, _ = nmt("plot", copy_run, "a b", "--target", "b a", "-o", tmp_path / "map.svg")

    assert (code, out) == (0, "b a\n")


def test_plot_shows_sentences_methods_and_gold_together(nmt, copy_run, tmp_path):
    sentences = ("a b", "c")
    given = ("--target", "a b", "--target", "c", "--gold", "0-0 1p1", "--gold", "0-0")
    methods = ("--method", "attention", "--method", "saliency")

    code, out, _ = nmt(
        "plot", copy_run, *sentences, *given, *methods,
        "-o", tmp_path / "map.svg", "--html", tmp_path / "page.html",
    )  # fmt: skip

    assert (code, out) == (0, "a b\nc\n")
    assert (tmp_path / "map.svg").read_bytes().startswith(b"<?xml")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    data = json.loads(page.partition('type="application/json">')[2].partition("</script>")[0])
    assert [each["source"] for each in data] == [["a", "b"], ["c"]]
    assert [list(each["methods"]) for each in data] == [["attention", "saliency"]] * 2


def test_plot_shows_the_hypotheses_of_a_beam_and_may_write_a_page_alone(
    nmt, copy_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    code, out, _ = nmt("plot", copy_run, "a b", "--n-best", 3, "--html", "page.html")

    assert code == 0
    assert len(set(out.splitlines())) == 3
    assert out.splitlines()[0] == "a b"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--target", "a", "--target", "b"], "2 times --target for 1 sentences; give it once"),
        (["--target", "a", "--gold", "0-0", "--gold", ""], "2 times --gold for 1 sentences"),
        (["--target", "a", "--n-best", "2"], "--n-best shows what the model writes itself"),
        (["--gold", "0-0"], "gold links count the words of a given translation"),
        (["--target", "a", "--gold", "0-0", "--no-words"], "gold links are between words"),
        (["--target", "a", "--gold", "0-7"], "gold link 0-7 lies outside the 2 source and 1"),
        (["--target", "a", "--gold", "zero"], "'zero' is no link"),
        (["--method", "guess"], "no method of explanation 'guess'; choose one of attention"),
    ],
)
def test_plot_names_what_does_not_go_together(nmt, copy_run, tmp_path, given, message):
    code, out, err = nmt("plot", copy_run, "a b", *given, "-o", tmp_path / "map.png")

    assert (code, out) == (2, "")
    assert err.startswith(f"nmt: {message}")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "map.png").exists()


def test_curves_of_a_run_are_drawn(nmt, copy_run, tmp_path):
    code, _, _ = nmt("curves", copy_run, "-o", tmp_path / "curves.svg")

    drawing = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert code == 0
    for chart in ("loss of a target piece", "perplexity", "BLEU", "learning rate", "gradient norm"):
        assert f"<!-- {chart} -->" in drawing


def test_curves_need_a_run_and_a_known_ending(nmt, copy_run, tmp_path):
    ending = nmt("curves", copy_run, "-o", tmp_path / "curves.gif")
    folder = nmt("curves", tmp_path / "absent")

    assert ending[0] == folder[0] == 2
    assert "curves.gif: a figure is written as .png, .svg or .pdf" in ending[2]
    assert "absent: no such run folder" in folder[2]
