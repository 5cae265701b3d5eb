"""The commands that draw."""

import json
import re
from pathlib import Path

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


def test_plot_draws_the_pairs_of_a_file_with_their_gold_links(nmt, copy_run, text, tmp_path):
    pairs = text("pairs.tsv", "a b\tb a\t0-1 1p0", "c\tc\t", "d e f\td\t0-0")

    code, out, _ = nmt("plot", copy_run, "--file", pairs, "-o", tmp_path / "map.svg")

    assert (code, out) == (0, "b a\nc\nd\n")
    drawing = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert drawing.count("stroke: #d55e00") == 3  # an outline for each link


def test_plot_draws_a_file_of_sentences_and_the_hypotheses_of_each(nmt, copy_run, text, tmp_path):
    lines = text("lines.txt", "a b c d", "c d", "e f a")

    code, out, _ = nmt(
        "plot", copy_run, "--file", lines, "--n-best", 2,
        "-o", tmp_path / "map.svg", "--html", tmp_path / "page.html",
    )  # fmt: skip

    assert code == 0
    assert out.splitlines()[::2] == ["a b c d", "c d", "e f a"]
    data = (tmp_path / "page.html").read_text(encoding="utf-8")
    sources = re.findall(r'"source": (\[.*?\])', data)
    assert [json.loads(each) for each in sources] == [
        line.split() for line in ("a b c d", "c d", "e f a") for _ in range(2)
    ]


@pytest.mark.parametrize(
    ("lines", "given", "message"),
    [
        (["a", "b\tb"], [], ", line 2: 2 tab-separated columns; each line has a sentence, or"),
        (["a\tb\t\tc"], [], ", line 1: 4 tab-separated columns; each line has a sentence, or"),
        (["a\ta\t0-0", "a\ta\t0-1"], [], ", sentence 2: link 0-1 lies outside the 1 target word;"),
        (["a\ta\tzero"], [], ", line 1: 'zero' is no link"),
        ([], [], "no sentence to draw; give one, or a --file of them"),
        (["a"], ["b"], "--file has sentences, targets and gold links; leave the others out"),
        (["a"], ["--target", "b"], "--file has sentences, targets and gold links; leave"),
        (["a", ""], [], "sentence 2: nothing to draw, it or its translation is empty"),
        (["a\ta", "\tb"], [], "sentence 2: nothing to draw, it or its translation is empty"),
        (["a", "Z 12"], [], "sentence 2: nothing to draw, its translation has no attention, as"),
    ],
)
def test_plot_names_what_is_wrong_in_a_file(nmt, copy_run, text, tmp_path, lines, given, message):
    file = text("pairs.tsv", *lines)

    code, out, err = nmt("plot", copy_run, *given, "--file", file, "-o", tmp_path / "map.png")

    assert (code, out) == (2, "")
    assert err.removeprefix("nmt: ").removeprefix(str(file)).startswith(message)
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "map.png").exists()


def test_plot_shows_the_hypotheses_of_a_beam_and_may_write_a_page_alone(
    nmt, copy_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    code, out, _ = nmt("plot", copy_run, "a b", "--n-best", 3, "--html", "page.html")

    assert code == 0
    assert len(set(out.splitlines())) == 3
    assert out.splitlines()[0] == "a b"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    code, out, _ = nmt("plot", copy_run, "a b", "--n-best", 3, "--html", "-")
    assert (code, out) == (0, Path("page.html").read_text(encoding="utf-8"))


def test_a_figure_and_a_page_need_a_file_each(nmt, copy_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    plotted = nmt("plot", copy_run, "a b", "-o", "map.svg", "--html", "map.svg")

    assert plotted == (2, "", "nmt: map.svg: --output and --html need a file each\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--target", "a", "--target", "b"], "2 times --target for 1 sentence; give it once"),
        (["--target", "a", "--gold", "0-0", "--gold", ""], "2 times --gold for 1 sentence"),
        (["--target", "a", "--n-best", "2"], "--n-best shows what the model writes itself"),
        (["--gold", "0-0"], "gold links count the words of a given translation"),
        (["--target", "a", "--gold", "0-0", "--no-words"], "gold links are between words"),
        (
            ["--target", "a", "--gold", "0-7"],
            "--gold, sentence 1: link 0-7 lies outside the 1 target",
        ),
        (["--target", "a", "--gold", "zero"], "--gold, line 1: 'zero' is no link"),
        (["--method", "guess"], "unknown method of explanation 'guess'; choose one of attention"),
    ],
)
def test_plot_names_what_does_not_go_together(nmt, copy_run, tmp_path, given, message):
    code, out, err = nmt("plot", copy_run, "a b", *given, "-o", tmp_path / "map.png")

    assert (code, out) == (2, "")
    assert err.startswith(f"nmt: {message}")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "map.png").exists()


def test_curves_of_a_run_are_drawn(nmt, copy_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert nmt("curves", copy_run) == (0, "", "curves.png written\n")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")

    code, _, _ = nmt("curves", copy_run, "-o", tmp_path / "curves.svg")

    drawing = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert code == 0
    for chart in ("loss of a target piece", "perplexity", "BLEU", "learning rate", "gradient norm"):
        assert f"<!-- {chart} -->" in drawing


def test_curves_need_a_run_and_a_known_ending(nmt, copy_run, tmp_path, monkeypatch):
    ending = nmt("curves", copy_run, "-o", tmp_path / "curves.gif")
    folder = nmt("curves", tmp_path / "absent")

    assert ending[0] == folder[0] == 2
    assert "curves.gif: a figure is written as .png, .svg or .pdf" in ending[2]
    assert "absent: no such run folder" in folder[2]


@pytest.mark.filterwarnings("always")
def test_plot_counts_gold_links_as_the_run_and_the_option_say(nmt, copy_run, tmp_path):
    sentence = "a\u00a0b c"  # two words
    given = ("plot", copy_run, sentence, "--target", sentence, "-o", tmp_path / "map.svg")

    code, _, err = nmt(*given, "--gold", "1-1 2p2", "--one-based")
    outside = nmt(*given, "--gold", "0-0 2p2")
    alone = nmt("plot", copy_run, "a", "--one-based", "-o", tmp_path / "map.svg")

    assert code == 0
    assert "--gold: in 1 line (first in line 1, U+00A0) there are other words by" in err
    drawing = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert drawing.count("stroke: #d55e00") == 2
    assert outside[:2] == (2, "")
    assert "--gold, sentence 1: link 2-2 lies outside the 2 source words" in outside[2]
    message = "--one-based says how gold links count words; give them, or leave it"
    assert alone == (2, "", f"nmt: {message}\n")


def test_plot_draws_a_given_pair_by_a_network_that_aligns(nmt, aligning_run, tmp_path):
    page = tmp_path / "page.html"

    code, out, _ = nmt("plot", aligning_run, "a b", "--target", "t s", "--html", page)

    assert (code, out) == (0, "t s\n")
    data = json.loads(
        page.read_text(encoding="utf-8")
        .partition('type="application/json">')[2]
        .partition("</script>")[0]
    )
    assert [list(each["methods"]) for each in data] == [["posterior"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "aligns and does not translate: give translations by --target"),
        (("--target", "t s", "--method", "saliency"), "aligns: leave it out"),
    ],
)
def test_plot_asks_for_what_a_network_that_aligns_needs(nmt, aligning_run, arguments, message):
    code, _, err = nmt("plot", aligning_run, "a b", *arguments)

    assert code == 2
    assert err.endswith(f"{message}\n")
    assert str(aligning_run) in err
