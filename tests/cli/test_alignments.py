"""The commands about word alignments."""

import gzip
import json
import shutil

import pytest


def test_align_prints_links_and_the_error_against_gold(nmt, copy_run, text):
    source = text("in.txt", "a b c", "d")
    # Of 4 sure links all are found; the fifth gold link is merely possible and costs nothing.
    gold = text("gold.txt", "0-0 1-1 2-2 0p1", "0-0")

    code, out, err = nmt("align", copy_run, "--source", source, "--target", source, "--gold", gold)

    assert (code, out) == (0, "0-0 1-1 2-2\n0-0\n")
    assert err == "AER 0.000 precision 1.000 recall 1.000 F1 1.000\n"


def test_gold_may_be_gzipped(nmt, copy_run, text, tmp_path):
    source = text("in.txt", "a b c", "d")
    (tmp_path / "gold.gz").write_bytes(gzip.compress(b"0-0 1-1 2-2 0p1\n0-0\n"))
    arguments = ("align", copy_run, "--source", source, "--target", source)

    _, out, err = nmt(*arguments, "--gold", tmp_path / "gold.gz")
    (tmp_path / "links").write_text(out)
    _, scored, _ = nmt("aer", tmp_path / "links", "--gold", tmp_path / "gold")

    assert err == scored == "AER 0.000 precision 1.000 recall 1.000 F1 1.000\n"


def test_a_gold_file_that_is_no_text_is_named(nmt, text, tmp_path):
    links, gold = text("links", "0-0"), tmp_path / "gold"
    gold.write_bytes(b"0-0\n\xff\n")

    garbled = nmt("aer", links, "--gold", gold)
    absent = nmt("aer", links, "--gold", tmp_path / "absent")

    reason = "not UTF-8 (invalid start byte); convert the file with iconv"
    assert garbled == (2, "", f"nmt: {gold}, line 2: {reason}\n")
    assert absent == (
        2,
        "",
        f"nmt: {tmp_path / 'absent'}: no such file, nor with .gz, .bz2, .xz or .zst at its end\n",
    )


def test_align_links_all_that_passes_a_threshold(nmt, copy_run, text):
    source = text("in.txt", "a b", "d")

    _, out, _ = nmt("align", copy_run, "--source", source, "--target", source, "--threshold", 0)
    _, half, _ = nmt("align", copy_run, "--source", source, "--target", source, "--threshold", 0.5)

    assert out == "0-0 0-1 1-0 1-1\n0-0\n"
    assert half == "0-0 1-1\n0-0\n"


def test_align_writes_as_it_reads_and_finds_unequal_files_at_their_end(
    nmt, copy_run, text, tmp_path
):
    source, target = text("source", *["a b"] * 70), text("target", *["a b"] * 66)
    short, narrow = text("short", "a b"), "decoding.batch=1"  # a window has 64 lines

    code, out, err = nmt("align", copy_run, narrow, "--source", source, "--target", target)
    nmt("align", copy_run, narrow, "--source", short, "--target", target, "-o", tmp_path / "links")

    assert code == 2
    assert f"nmt: {source} has 70 lines and {target} has 66: line n of one must be" in err
    assert 0 < len(out.splitlines()) <= 66
    assert set(out.splitlines()) == {"0-0 1-1"}
    assert not (tmp_path / "links").exists()


def test_gold_of_another_text_is_found_before_anything_is_aligned(nmt, copy_run, text):
    source, gold = text("in.txt", "a b", "d"), text("gold.txt", "0-0 1-1")

    code, out, err = nmt("align", copy_run, "--source", source, "--target", source, "--gold", gold)

    assert (code, out) == (2, "")
    assert "aligns 1 sentence, and the source has 2 lines" in err


@pytest.fixture
def backward_run(copy_run, tmp_path):
    """The run that copies, as one of the other direction."""
    run = shutil.copytree(copy_run, tmp_path / "reverse")
    config = (run / "config.yaml").read_text()
    assert "source: de\n" in config
    turned = config.replace("source: de\n", "source: en\n").replace("target: en", "target: de")
    (run / "config.yaml").write_text(turned)
    return run


def test_align_by_two_models(nmt, copy_run, backward_run, text):
    source, gold = text("in.txt", "a b c", "", "d"), text("gold.txt", "0-0 1-1 2-2", "", "0-0")
    both = ("align", copy_run, "--source", source, "--target", source, "--backward", backward_run)

    code, out, err = nmt(*both, "--gold", gold)
    _, union, _ = nmt(*both, "--symmetrization", "union", "--threshold", "0")

    assert (code, out) == (0, "0-0 1-1 2-2\n\n0-0\n")
    assert err == "AER 0.000 precision 1.000 recall 1.000 F1 1.000\n"
    assert union.splitlines()[0].split() == [f"{i}-{j}" for i in range(3) for j in range(3)]


def test_align_by_two_models_names_what_is_wrong(nmt, copy_run, backward_run, text):
    source = text("in.txt", "a")
    align = ("align", copy_run, "--source", source, "--target", source)

    alone = nmt(*align, "--symmetrization", "union")
    same = nmt(*align, "--backward", copy_run)
    unknown = nmt(*align, "--backward", backward_run, "--symmetrization", "grow")

    message = "--symmetrization needs a second model: give --backward RUN"
    assert alone == (2, "", f"nmt: {message}\n")
    assert same == (
        2,
        "",
        f"nmt: {copy_run} translates de to en, and {copy_run} de to en; --backward takes a run "
        "from en to de\n",
    )
    assert unknown[:2] == (2, "")
    assert unknown[2].startswith("nmt: no symmetrization 'grow'; choose one of soft-intersection, ")


def test_symmetrize_joins_two_directions_line_for_line(nmt, text, tmp_path):
    forward, backward = (
        text("forward", "0-0 1-1", "", "0-1"),
        text("backward", "0-0 2-1", "0-1", ""),
    )
    turned = text("turned", "0-0 1-2", "1-0", "")

    code, out, _ = nmt("symmetrize", forward, backward, "--symmetrization", "intersection")
    _, default, _ = nmt("symmetrize", forward, backward)
    nmt("symmetrize", forward, turned, "--reversed", "-o", tmp_path / "out")

    assert (code, out) == (0, "0-0\n\n\n")
    # 1-1 is a neighbor of 0-0 with two free words, and then 2-1 one of 1-1 with one.
    assert default == (tmp_path / "out").read_text() == "0-0 1-1 2-1\n0-1\n0-1\n"


def test_symmetrize_names_what_is_wrong(nmt, text, tmp_path):
    one, two = text("one", "0-0"), text("two", "0-0", "1-1")

    unequal = nmt("symmetrize", one, two, "-o", tmp_path / "out")
    method = nmt("symmetrize", one, one, "--symmetrization", "grow")

    counts = f"{one} has 1 sentence and {two} has 2; they must correspond sentence for sentence"
    assert unequal == (2, "", f"nmt: {counts}\n")
    assert not (tmp_path / "out").exists()
    assert method[0] == 2
    assert method[2].startswith("nmt: no symmetrization 'grow'; choose one of intersection, ")


def test_a_method_of_symmetrize_is_checked_where_there_is_nothing_to_join(nmt, text):
    empty = text("empty")

    code, _, err = nmt("symmetrize", empty, empty, "--symmetrization", "grow")

    assert code == 2
    assert err.startswith("nmt: no symmetrization 'grow'; choose one of intersection, ")


def test_aer_scores_links_against_gold(nmt, text):
    # Och and Ney's measures: |A| = 3, |S| = 2, |A ∩ S| = 1, |A ∩ P| = 2
    found, gold = text("found", "0-0 1-1", "2-2"), text("gold", "0-0 1p1", "0-0")

    code, out, _ = nmt("aer", found, "--gold", gold)
    _, as_json, _ = nmt("aer", found, "--gold", gold, "--json")

    assert (code, out) == (0, "AER 0.400 precision 0.667 recall 0.500 F1 0.571\n")
    assert json.loads(as_json) == pytest.approx(
        {"aer": 1 - 3 / 5, "precision": 2 / 3, "recall": 1 / 2, "f1": 4 / 7}
    )


def test_aer_names_files_of_unequal_length(nmt, text):
    found, gold = text("found", "0-0"), text("gold", "0-0", "1-1")

    code, out, err = nmt("aer", found, "--gold", gold)

    assert (code, out) == (2, "")
    counts = f"{found} has 1 sentence and {gold} has 2; they must correspond sentence for sentence"
    assert err == f"nmt: {counts}\n"


def test_align_links_by_another_method(nmt, copy_run, text):
    source = text("in.txt", "a b c", "", "d")
    arguments = ("align", copy_run, "--source", source, "--target", source)

    saliency = nmt(*arguments, "--method", "saliency_input")
    unknown = nmt(*arguments, "--method", "salience")

    assert saliency[:2] == (0, "0-0 1-1 2-2\n\n0-0\n")
    assert unknown[:2] == (2, "")
    assert unknown[2].startswith("nmt: unknown method of explanation 'salience'; choose one of ")


# A no-break space between letters: three words by Unicode, two by spaces.
ODD = "a\u00a0b c"


@pytest.fixture
def unicode_run(copy_run, tmp_path):
    """The run that copies, and counts words at all white space."""
    run = shutil.copytree(copy_run, tmp_path / "unicode")
    config = (run / "config.yaml").read_text()
    assert "word_boundaries: spaces\n" in config
    (run / "config.yaml").write_text(
        config.replace("word_boundaries: spaces\n", "word_boundaries: unicode\n")
    )
    return run


@pytest.mark.filterwarnings("always")
def test_the_run_decides_which_words_are_linked_and_a_line_that_depends_on_it_is_said(
    nmt, copy_run, unicode_run, text
):
    source, gold = text("in.txt", "d", ODD), text("gold.txt", "0-0", "0-0 1-1 2-2")
    two = ("--source", source, "--target", source)

    code, out, err = nmt("align", copy_run, *two, "--threshold", 0)
    _, more, also = nmt("align", unicode_run, *two, "--threshold", 0, "--gold", gold)
    refused = nmt("align", copy_run, *two, "--gold", gold)

    assert code == 0
    assert out.splitlines()[1].split() == [f"{i}-{j}" for i in range(2) for j in range(2)]
    assert more.splitlines()[1].split() == [f"{i}-{j}" for i in range(3) for j in range(3)]
    depends = "in 1 line (first in line 2, U+00A0) there are other words by"
    assert err.startswith(f"nmt: warning: {source} and {source}: {depends}")
    assert also.startswith(f"nmt: warning: {gold}: {depends}")
    assert len(err.splitlines()) == 1
    assert "recall 1.000" in also
    message = f"nmt: {gold}, sentence 2: link 2-2 lies outside the 2 source words; words are"
    assert refused[:2] == (2, "")
    assert refused[2].startswith(f"nmt: warning: {gold}: {depends}")
    assert message in refused[2]


def test_two_runs_that_count_other_words_are_not_joined(nmt, copy_run, backward_run, text):
    config = (backward_run / "config.yaml").read_text()
    (backward_run / "config.yaml").write_text(config.replace(": spaces\n", ": unicode\n"))
    source = text("in.txt", "a")

    found = nmt(
        "align", copy_run, "--source", source, "--target", source, "--backward", backward_run
    )

    message = (
        f"{copy_run} has data.word_boundaries: spaces, and {backward_run} unicode; edit the "
        "config.yaml of one, so that both count the same words"
    )
    assert found == (2, "", f"nmt: {message}\n")


@pytest.mark.filterwarnings("always")
def test_gold_that_counts_from_one(nmt, copy_run, text):
    source, gold = text("in.txt", "a b c", "d"), text("gold.txt", "1-1 2-2 3-3 1p2", "1-1")
    align = ("align", copy_run, "--source", source, "--target", source)
    right = "AER 0.000 precision 1.000 recall 1.000 F1 1.000\n"

    code, out, err = nmt(*align, "--gold", gold, "--one-based")
    links = text("links", *out.splitlines())
    _, scored, _ = nmt("aer", links, "--gold", gold, "--one-based")
    outside = nmt(*align, "--gold", gold)
    _, wrong, said = nmt("aer", links, "--gold", gold)
    alone = nmt(*align, "--one-based")

    assert (code, err, scored) == (0, right, right)
    suspicion = f"nmt: warning: {gold}: no link has a 0; if words are counted from 1, give "
    assert outside[:2] == (2, "")
    assert outside[2].startswith(suspicion)
    assert "sentence 1: link 3-3 lies outside the 3 source words" in outside[2]
    assert wrong.startswith("AER 0.")
    assert wrong != right
    assert said == suspicion + "--one-based\n"
    message = "--one-based says how --gold counts words; give --gold, or leave it out"
    assert alone == (2, "", f"nmt: {message}\n")


GIZA = (
    "# Sentence pair (1) source length 3 target length 2 alignment score : 0.1",
    "x y", "NULL ({ }) a ({ 1 }) b ({ }) c ({ 2 })",
    "# Sentence pair (2) source length 1 target length 1 alignment score : 0.9",
    "z", "NULL ({ 1 }) d ({ })",
)  # fmt: skip


def test_links_and_gold_in_the_formats_of_other_tools(nmt, text):
    # |A| = 2, |S| = 3, |A ∩ S| = 1, |A ∩ P| = 2
    giza, wpt = text("a.A3.final", *GIZA), text("gold.wa", "1 1 1", "1 3 2 P 0.5", "2 1 1", "1 2 2")
    plain = text("links", "0-0:0.9 2-1:0.1 ||| -7.5", "")

    scores = [nmt("aer", found, "--gold", wpt)[1] for found in (giza, plain)]
    joined = nmt("symmetrize", giza, plain, "--symmetrization", "intersection")

    assert scores == ["AER 0.400 precision 1.000 recall 0.333 F1 0.500\n"] * 2
    assert joined == (0, "0-0 2-1\n\n", "")


def test_a_file_of_wpt_may_end_before_the_other_one(nmt, text):
    three, two = text("three", "1 1 1", "2 1 1", "3 1 1"), text("two", "1 1 1", "2 1 1")
    plain, short = text("plain", "0-0", "0-0", ""), text("short", "0-0")
    union = ("--symmetrization", "union")

    assert nmt("symmetrize", three, two, *union) == (0, "0-0\n0-0\n0-0\n", "")
    assert nmt("symmetrize", two, three, *union) == (0, "0-0\n0-0\n0-0\n", "")
    assert nmt("symmetrize", plain, two, *union) == (0, "0-0\n0-0\n\n", "")
    code, _, err = nmt("symmetrize", three, short)
    counts = f"{three} has 3 sentences and {short} has 1; they must correspond sentence for"
    assert (code, err.partition(" sentence\n")[0]) == (2, f"nmt: {counts}")


def test_gold_in_wpt_may_end_before_the_links(nmt, text):
    # |A| = 3, |S| = 2, |A and S| = |A and P| = 2
    gold, three = text("gold", "1 1 1", "2 1 1"), text("three", "1 1 1", "2 1 1", "3 1 1")
    plain, short = text("plain", "0-0", "0-0", "0-0"), text("short", "0-0")

    for links in (plain, three):
        _, out, _ = nmt("aer", links, "--gold", gold)
        assert out == "AER 0.200 precision 0.667 recall 1.000 F1 0.800\n"
    _, chosen, _ = nmt("aer", plain, gold, "--gold", gold, "--cross-validate")
    assert chosen.startswith("AER ")
    refused = nmt("aer", plain, short, "--gold", gold, "--cross-validate")
    counts = f"{short} has 1 sentence and {plain} has 3; they must correspond sentence for sentence"
    assert refused == (2, "", f"nmt: {counts}\n")
