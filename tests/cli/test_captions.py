"""Captions from the command line: every form of input, and what is for text alone."""

import dataclasses
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vectors
from tiny import changed_run

from nmt.model.build import outline
from nmt.run import Run

LINES = ["a b c", "h", "g f e d"]
ARRAYS = [vectors.spoken(line, seed=50 + i) for i, line in enumerate(LINES)]


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "x.npz", *ARRAYS)
    return tmp_path / "x.npz"


def test_a_file_of_vectors_has_a_text_in_each_line(nmt, spoken_run, npz):
    assert nmt("translate", spoken_run, npz) == (0, "a b c\nh\ng f e d\n", "")


def test_a_column_of_parquet_is_read(nmt, spoken_run, tmp_path):
    rows = pa.table({"vectors": [array.tolist() for array in ARRAYS]})
    pq.write_table(rows, tmp_path / "x.parquet")

    code, out, _ = nmt("translate", spoken_run, tmp_path / "x.parquet")
    assert (code, out.splitlines()) == (0, LINES)


def test_json_has_the_positions_and_the_words(nmt, spoken_run, npz):
    code, out, _ = nmt("translate", spoken_run, npz, "--json")
    first, *_ = map(json.loads, out.splitlines())

    assert code == 0
    assert first["text"] == "a b c"
    assert first["source_words"] == ["1", "2", "3"]
    assert first["words"] == ["a", "b", "c"]
    assert first["alignment"] == [[0, 0], [1, 1], [2, 2]]


def test_output_and_attention_go_to_files(nmt, spoken_run, npz, tmp_path):
    out, attention = tmp_path / "out.txt", tmp_path / "attention.npz"
    assert nmt("translate", spoken_run, npz, "-o", out, "--alignments", attention)[0] == 0

    assert out.read_text().splitlines() == LINES
    with np.load(attention) as stored:
        assert stored["attention_2"].shape == (stored["target_2"].size, 4)


@pytest.mark.parametrize("given", [[], ["--file"]], ids=["argument", "file"])
def test_plot_does_not_write_over_the_vectors(nmt, spoken_run, npz, given):
    message = f"nmt: {npz}: is read, so it cannot be written; choose another name\n"

    assert nmt("plot", spoken_run, *given, npz, "--html", npz) == (2, "", message)


def test_runs_that_read_different_things_are_not_compared(nmt, spoken_run, copy_run, npz):
    first, second = f"{spoken_run} reads vectors", f"{copy_run} reads text"
    message = "they cannot have the same test set; score each alone"

    code, out, err = nmt("evaluate", spoken_run, copy_run, "--source", npz, "--reference", npz)

    assert (code, out, err) == (2, "", f"nmt: {first} and {second}: {message}\n")


def test_n_best_and_a_prefix(nmt, spoken_run, npz):
    options = ("--n-best", 2, "--prefix", "c", "decoding.beam=2")
    code, out, _ = nmt("translate", spoken_run, npz, *options)

    assert code == 0
    assert [line.split(" ||| ")[1][0] for line in out.splitlines()] == ["c"] * 6


def test_evaluate_scores_the_test_set_given_by_files(nmt, spoken_run, npz, text):
    reference = text("ref.txt", *LINES)
    code, out, _ = nmt("evaluate", spoken_run, "--source", npz, "--reference", reference)

    assert code == 0
    assert out.startswith("BLEU 100.00")


@pytest.mark.parametrize(
    "option",
    [
        ("--markup", "html"),
        ("--placeholders",),
        ("--input-format", "tsv"),
        ("--resume",),
    ],
    ids=lambda option: option[0],
)
def test_options_for_text_are_refused(nmt, spoken_run, npz, option):
    code, _, error = nmt("translate", spoken_run, npz, *option)

    message = f"{option[0]} is for sources of text, and {spoken_run} reads vectors: leave it out"
    assert (code, error) == (2, f"nmt: {message}\n")


def test_files_for_text_are_refused(nmt, spoken_run, npz, text):
    terms = text("terms.tsv", "a\tb")
    for option in ("--dictionary", "--glossary"):
        code, _, error = nmt("translate", spoken_run, npz, option, terms)
        assert code == 2
        assert error.startswith(f"nmt: {option} is for sources of text")


def test_other_files_have_no_vectors(nmt, spoken_run, text):
    code, _, error = nmt("translate", spoken_run, text("x.txt", "a"))

    assert code == 2
    assert error.endswith("x.txt: vectors are read from .npz or .parquet\n")


def test_a_parquet_without_the_column_is_named(nmt, spoken_run, tmp_path):
    pq.write_table(pa.table({"other": [[[1.0]]]}), tmp_path / "x.parquet")
    code, _, error = nmt("translate", spoken_run, tmp_path / "x.parquet")

    assert code == 2
    assert "x.parquet: no column 'vectors'; there are: other" in error


@pytest.mark.parametrize("command", ["align", "score", "serve"])
def test_commands_for_text_say_so(nmt, spoken_run, text, command):
    files = ["--source", text("a.txt", "a"), "--target", text("b.txt", "a")]
    code, _, error = nmt(command, spoken_run, *([] if command == "serve" else files))

    assert code == 2
    assert "its sources are vectors and not text, which `nmt translate`" in error


def test_runs_that_read_something_else_are_no_ensemble(nmt, spoken_run, copy_run, npz):
    code, _, error = nmt("translate", spoken_run, copy_run, npz)

    assert code == 2
    assert f"{copy_run} reads other sources than {spoken_run} (data.input)" in error


def test_a_training_goes_on_where_it_was(nmt, spoken_run, tmp_path):
    again = shutil.copytree(spoken_run, tmp_path / "again")
    code, _, error = nmt("train", again / "config.yaml", f"run={again}")

    assert code == 0
    assert "already trained to step" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shortlist", "RUN"], "RUN: a shortlist is for sources of text, and this run reads vec"),
        (
            ["export", "RUN", "x", "--sentence", "a"],
            "--sentence is for sources of text, and RUN reads vectors: leave it out",
        ),
        (
            ["rescore", "RUN", "NPZ", "--source", "NPZ"],
            "RUN: its sources are vectors and not text, which `nmt translate`",
        ),
        (
            ["clean", "RUN/config.yaml", "-o", "x"],
            "RUN/config.yaml: cleaning is for sources of text, and it has vectors",
        ),
        (
            ["init", "x-y", "--train", "NPZ", "--train", "b", "--validation", "NPZ"],
            "NPZ: has vectors, and a corpus of text is needed; to train on vectors, be",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_for_text_alone_is_one_line(nmt, spoken_run, npz, arguments, message):
    def filled(text):
        return text.replace("RUN", str(spoken_run)).replace("NPZ", str(npz))

    code, _, error = nmt(*map(filled, arguments))

    assert (code, error.count("\n")) == (2, 1)
    assert error.startswith(f"nmt: {filled(message)}")


def test_a_first_configuration_is_not_written_for_pictures(nmt, text, tmp_path):
    rows = [json.dumps({"image": f"p/{name}", "en": "a b"}) for name in ("1.png", "2.JPG")]
    table = text("x.jsonl", *rows)
    code, _, error = nmt("init", "image-en", "--train", table, "--validation", table)

    message = "its sources are names of pictures, and nmt init writes configurations for text; "
    assert (code, error) == (2, f"nmt: {table}: {message}begin with configs/scenes.yaml\n")


def test_checkpoints_of_vectors_are_averaged(nmt, spoken_run, npz, tmp_path):
    run = Run.open(changed_run(spoken_run, tmp_path / "run"))
    template = {"params": outline(run.config, run.tokenizers())[1]}
    kept, progress = run.restore("best", template), run.progress("best")
    for step in (1, 2):
        run.save("kept", kept, dataclasses.replace(progress, step=step, batches=step), keep=2)

    code, out, _ = nmt("average", run.path)
    assert (code, "mean of 2: ppl" in out) == (0, True)
    found = nmt("translate", run.path, npz, "--checkpoint", "averaged")
    assert found[1].splitlines() == LINES
