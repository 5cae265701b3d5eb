"""The recipe of the Multi30k papers has the tokens of the data set's own tokenized files."""

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "multi30k_score.py"
PUBLISHED = {
    "test_2016_flickr.de": 12103,
    "test_2016_flickr.en": 12968,
    "test_2016_flickr.fr": 13988,
    "test_2017_flickr.de": 10758,
    "test_2017_flickr.fr": 12596,
}


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the script in this process, and returns what it prints."""

    def script(*arguments):
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out

    return script


def test_the_counts_are_those_that_are_published(run, shared_data):
    paths = [shared_data / "multi30k" / name for name in PUBLISHED]

    out = run("--counts", *paths)

    assert out == "".join(f"{name} {count}\n" for name, count in PUBLISHED.items())


def test_the_tokens_are_written_line_by_line(run, tmp_path):
    (tmp_path / "val.de").write_text("Ein „Hund“ läuft,\n\nschnell!\n", encoding="utf-8")

    run("--write", tmp_path / "tokens", tmp_path / "val.de")

    written = (tmp_path / "tokens" / "val.de").read_text(encoding="utf-8")
    assert written == "ein &quot; hund &quot; läuft ,\n\nschnell !\n"


@pytest.mark.parametrize(
    ("hypothesis", "bleu"),
    [
        # Only case and quotation marks differ, and spaces that are no word's.
        ('Ein „Hund"  läuft , schnell .', 100.0),
        # 7 of 8 tokens are right, 6 of 7 pairs, and so on.
        ('Ein "Hund" läuft, schnell!', 100 * (7 / 8 * 6 / 7 * 5 / 6 * 4 / 5) ** 0.25),
    ],
)
def test_case_and_kinds_of_quotation_marks_do_not_count(run, tmp_path, hypothesis, bleu):
    (tmp_path / "out.txt").write_text(f"{hypothesis}\n", encoding="utf-8")
    (tmp_path / "test.de").write_text("ein “Hund” läuft, schnell.\n", encoding="utf-8")

    out = run(tmp_path / "out.txt", tmp_path / "test.de")

    assert out.startswith(f"BLEU {bleu:.2f} (nrefs:1|case:mixed|eff:no|tok:none|")
