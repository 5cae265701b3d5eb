"""Lines that are longer than a model can read, on the command line."""

import json

import numpy as np
import pytest

LONG = "a b c . d e f . g h"
LIMIT = "decoding.max_pieces=6"


@pytest.mark.filterwarnings("always")  # are printed, as on a terminal
def test_a_long_line_is_translated_whole_and_without_a_warning(nmt, copy_run, text):
    source = text("in.txt", "a b", LONG, "", "c")

    code, out, err = nmt("translate", copy_run, source, LIMIT)
    _, cut, warned = nmt("translate", copy_run, source, LIMIT, "decoding.split=never")

    assert (code, out, err) == (0, f"a b\n{LONG}\n\nc\n", "")
    assert cut.splitlines()[1] == "a b c . d e ."  # signs that the model does not read are copied
    assert "line 2: the source has more than 5 pieces, and is cut" in warned


@pytest.mark.filterwarnings("always")
def test_what_cannot_be_divided_is_cut_with_a_warning(nmt, copy_run, text):
    _, out, err = nmt("translate", copy_run, text("in.txt", "a", "b c"), "decoding.max_pieces=1")

    assert out == "\n\n"
    assert (
        "lines 1, 2: the source has more than 0 pieces, and is cut; decoding.max_pieces sets" in err
    )


def test_json_and_alignments_are_of_the_whole_line(nmt, copy_run, text, tmp_path):
    source, links, matrices = text("in.txt", LONG), tmp_path / "links", tmp_path / "attention.npz"

    _, out, _ = nmt("translate", copy_run, source, LIMIT, "--json", "--alignments", matrices)
    _, ranked, _ = nmt("translate", copy_run, source, LIMIT, "--n-best", 3, "--alignments", links)

    found = json.loads(out)
    assert found["source"] == found["text"] == LONG
    letters = [f"▁{letter}" for letter in "abcdefgh"]
    assert found["source_pieces"] == found["pieces"] == [*letters, "</s>"]
    of_letters = [i for i, word in enumerate(LONG.split()) if word != "."]
    assert found["alignment"] == [[i, i] for i in of_letters]
    with np.load(matrices) as arrays:
        assert arrays["attention_0"].shape == (9, 9)
        assert [*arrays["source_0"]] == found["source_pieces"]
    assert links.read_text().splitlines()[0] == " ".join(f"{i}-{i}" for i in of_letters)
    entries = [line.split(" ||| ") for line in ranked.splitlines()]
    assert [number for number, *_ in entries] == ["0"] * 3
    assert entries[0][1] == LONG
    scores = [float(score) for *_, score in entries]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("rules", ["own", "sentencex"])
def test_each_sentence_of_a_line_can_be_translated_by_itself(nmt, copy_run, text, rules):
    pytest.importorskip("sentencex")
    line = "a b c d。漢 e f g h。漢 a b c d"  # the model has learned to copy six letters
    split = f"decoding.split={{when: always, sentences: {rules}}}"

    assert nmt("translate", copy_run, text("in.txt", line), split)[1] == f"{line}\n"


@pytest.mark.filterwarnings("always")
def test_given_pairs_are_not_divided(nmt, copy_run, text):
    source = text("in.txt", LONG)

    code, _, err = nmt("align", copy_run, "--source", source, "--target", source, LIMIT)

    assert code == 0
    assert "line 1: the source has more than 5 pieces, and is cut" in err
