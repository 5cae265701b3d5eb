"""The commands that make a model, use it and describe it."""

import itertools
import json
import os
import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest


def test_translate_reads_and_writes_files_line_for_line(nmt, copy_run, text, tmp_path):
    source = text("in.txt", "a b c", "", "d")

    code, out, _ = nmt("translate", copy_run, source, "-o", tmp_path / "out.txt", "--beam", 2)

    assert (code, out) == (0, "")
    assert (tmp_path / "out.txt").read_text() == "a b c\n\nd\n"


def test_n_best_lists_carry_scores(nmt, copy_run, text):
    code, out, _ = nmt("translate", copy_run, text("in.txt", "a b", "c"), "--n-best", 2)

    rows = [line.split(" ||| ") for line in out.splitlines()]
    assert code == 0
    assert [row[0] for row in rows] == ["0", "0", "1", "1"]
    assert rows[0][1] == "a b"
    assert float(rows[0][3]) >= float(rows[1][3])


def test_alignments_are_written_beside_the_translation(nmt, copy_run, text, tmp_path):
    source = text("in.txt", "a b c", "", "d")

    nmt("translate", copy_run, source, "--alignments", tmp_path / "links.txt")
    nmt("translate", copy_run, source, "--alignments", tmp_path / "matrices.npz")

    assert (tmp_path / "links.txt").read_text() == "0-0 1-1 2-2\n\n0-0\n"
    with np.load(tmp_path / "matrices.npz", allow_pickle=False) as arrays:
        assert arrays["attention_0"].shape == (4, 4)
        assert arrays["source_0"].tolist() == ["▁a", "▁b", "▁c", "</s>"]


def test_evaluate_prints_scores_with_signatures(nmt, copy_run, text):
    source = text("in.txt", "a b c d e", "h g f e")
    arguments = ("evaluate", copy_run, "--source", source, "--reference", source)

    _, out, _ = nmt(*arguments)
    _, as_json, _ = nmt(*arguments, "--json")

    assert out.startswith("BLEU 100.00 (nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert [score["name"] for score in json.loads(as_json)] == ["BLEU", "chrF2"]


def test_info_counts_parameters_and_knows_the_scores(nmt, copy_run):
    code, out, _ = nmt("info", copy_run, "--json")

    description = json.loads(out)
    shapes = {each["name"]: each["shape"] for each in description["parameters"]}
    assert code == 0
    assert shapes["target_embedding.embedding"] == [21, 16]
    assert description["vocabulary"] == {"source": 21, "target": 21, "joint": True}
    assert description["scores"]["bleu"] > 90
    code, out, _ = nmt("info", copy_run)
    assert (code, "target_embedding.embedding" in out) == (0, True)
    rows = out.replace("│\n│            │", "").splitlines()  # a cell may have several lines
    scores = " ".join(next(row for row in rows if row.startswith("│ scores")).split())
    perplexity, bleu = (description["scores"][name] for name in ("perplexity", "bleu"))
    signature = description["scores"]["bleu_signature"]
    assert f"perplexity {perplexity:.2f}, BLEU {bleu:.2f} ({signature})" in scores
    assert "seconds" not in scores
    assert "source 21, target 21, joint vocabulary" in out


def test_info_sums_the_parameters_of_each_part(nmt, copy_run):
    _, as_json, _ = nmt("info", copy_run, "--json")
    _, out, _ = nmt("info", copy_run)

    counts = {each["name"]: each["count"] for each in json.loads(as_json)["parameters"]}
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    shown = {row[0]: int(row[2].replace(",", "")) for row in rows if len(row) == 3 and row[2]}
    attention = sum(n for name, n in counts.items() if name.startswith("decoder.attention."))
    decoder = sum(n for name, n in counts.items() if name.startswith("decoder."))
    assert shown["decoder.attention"] == attention > 0
    assert shown["decoder"] == decoder - attention
    assert shown["encoder"] == sum(n for name, n in counts.items() if name.startswith("encoder."))
    parts = [row[0] for row in rows if len(row) == 3 and row[2] and row[0] not in counts]
    assert sum(shown[part] for part in parts[:-1]) == shown["all"] == sum(counts.values())


def test_info_shows_a_run_that_has_never_been_validated(nmt, copy_run, tmp_path):
    run = shutil.copytree(copy_run, tmp_path / "run")
    (run / "metrics.jsonl").unlink()

    code, out, _ = nmt("info", run)

    assert code == 0
    assert "│ trained" in out
    assert "│ scores" not in out


def test_info_draws_the_model(nmt, copy_run, tmp_path):
    code, _, _ = nmt("info", copy_run, "--svg", tmp_path / "model.svg")

    drawing = ElementTree.parse(tmp_path / "model.svg").getroot()
    texts = [element.text for element in drawing.iter() if element.tag.endswith("text")]
    assert code == 0
    for text in (
        "encoder",
        "attention",
        "global",
        "additive, softmax",
        "hidden size 16, layers 1",
        "query",
    ):
        assert text in texts
    assert "softmax" in texts
    assert "16 x 21" in texts


def test_info_draws_a_model_whose_name_is_no_text(nmt, copy_run, tmp_path):
    run = tmp_path / os.fsdecode(b"\xffrun")
    run.symlink_to(copy_run)

    code, out, _ = nmt("info", run, "--svg", tmp_path / "model.svg", "--json")

    assert (code, json.loads(out)["run"]) == (0, f"{tmp_path}/\ufffdrun")
    drawing = ElementTree.parse(tmp_path / "model.svg").getroot()
    assert f"{tmp_path}/\ufffdrun" in [element.text for element in drawing.iter()]


def test_the_drawing_tells_what_is_deep_in_lines_that_fit(copy_run):
    from nmt.config import AlternatingConfig, ConditionalDecoderConfig, GRUConfig
    from nmt.info import describe
    from nmt.plotting.network import LINE, draw
    from nmt.run import Run

    run = Run.open(copy_run)
    deep = {"layers": 4, "residual": True}
    changes = {
        "cell": GRUConfig(layer_norm=True),
        "encoder": AlternatingConfig(**deep, transitions=2),
        "decoder": ConditionalDecoderConfig(**deep, transitions=4, upper_transitions=2),
    }
    drawing = draw(describe(run), run.config.model.model_copy(update=changes))

    texts = [element.text for element in ElementTree.fromstring(drawing).iter()]
    for text in (
        "alternating GRU with layer norm",
        "hidden size 256, layers 4, transitions 2,",
        "residual True",
        "hidden size 512, layers 4, transitions 4,",
        "residual True, upper transitions 2",
    ):
        assert text in texts
        assert len(text) <= LINE


def test_the_drawing_tells_of_a_learned_first_state(copy_run):
    from nmt.config import LuongDecoderConfig
    from nmt.info import describe
    from nmt.plotting.network import draw
    from nmt.run import Run

    run = Run.open(copy_run)
    decoder = LuongDecoderConfig(initial_state="learned")
    drawing = draw(describe(run), run.config.model.model_copy(update={"decoder": decoder}))

    texts = [element.text for element in ElementTree.fromstring(drawing).iter()]
    assert "hidden size 512, layers 1, initial state" in texts


def test_the_drawing_names_the_recurrent_cell(copy_run):
    from nmt.config import LSTMConfig
    from nmt.info import describe
    from nmt.plotting.network import draw
    from nmt.run import Run

    run = Run.open(copy_run)
    drawing = draw(describe(run), run.config.model.model_copy(update={"cell": LSTMConfig()}))

    assert "bidirectional LSTM<" in drawing
    assert "GRU" not in drawing


def test_the_drawing_of_a_model_of_pictures_has_no_source_pieces(copy_run):
    from nmt.config import ConvolutionalConfig, PictureInputConfig
    from nmt.info import describe
    from nmt.plotting.network import draw
    from nmt.run import Run

    run = Run.open(copy_run)
    data = run.config.data.model_copy(update={"input": PictureInputConfig(width=32)})
    model = run.config.model.model_copy(update={"encoder": ConvolutionalConfig()})
    config = run.config.model_copy(update={"data": data, "model": model})
    description = describe(replace(run, config=config))

    assert description["source"] == {"kind": "pictures", "size": 192, "cells": "8 x 4"}
    assert list(description["vocabulary"]) == ["target"]
    texts = [each.text for each in ElementTree.fromstring(draw(description, model)).iter()]
    for text in (
        "source",
        "pictures",
        "size 192",
        "cells 8 x 4",
        "conv",
        "depth 1, annotation size 128",
    ):
        assert text in texts
    assert not {"source pieces", "source embedding"} & set(texts)


def test_a_shortlist_is_made_for_a_run_and_then_used(nmt, copy_run, tmp_path, text):
    run = tmp_path / "run"
    shutil.copytree(copy_run, run)

    code, out, _ = nmt("shortlist", run)

    assert (code, out) == (0, f"{run / 'shortlist.npz'}\n")
    config = (run / "config.yaml").read_text(encoding="utf-8")
    assert "shortlist: null" in config
    (run / "config.yaml").write_text(config.replace("shortlist: null", "shortlist: 3"))
    assert nmt("translate", run, text("in.txt", "a b c", ""))[:2] == (0, "a b c\n\n")


def test_training_a_finished_run_again_says_so(nmt, copy_run, capsys):
    code, _, err = nmt("train", copy_run / "config.yaml")

    assert code == 0
    assert "already trained to step" in err


def test_training_ends_with_the_command_that_evaluates_the_run(nmt, copy_run, tmp_path):
    run = tmp_path / "a run"
    shutil.copytree(copy_run, run)

    _, _, without = nmt("train", run / "config.yaml", f"run={run}")
    _, _, tested = nmt("train", run / "config.yaml", f"run={run}", f"data.test={tmp_path}/test")

    assert without.endswith(f"next: nmt evaluate '{run}' --source FILE.de --reference FILE.en\n")
    assert tested.endswith(f"next: nmt evaluate '{run}'\n")


def test_a_run_of_another_configuration_is_not_touched(nmt, copy_run):
    before = {path: path.read_bytes() for path in copy_run.rglob("*") if path.is_file()}

    code, _, err = nmt("train", copy_run / "config.yaml", "model.dropout=0.5")

    assert code == 2
    assert "holds a run of another configuration (model.dropout.rate: 0.0 -> 0.5)" in err
    assert before == {path: path.read_bytes() for path in copy_run.rglob("*") if path.is_file()}


@pytest.mark.filterwarnings("always")  # are printed, as on a terminal
def test_translate_replaces_what_is_not_utf8_and_says_where(
    nmt, copy_run, tmp_path, standard_input
):
    text = "a b\nMädchen\n\nc\nß\nd e".encode("latin-1")
    (tmp_path / "in.txt").write_bytes(text)
    standard_input(text)

    code, piped, told = nmt("translate", copy_run)
    read = nmt("translate", copy_run, tmp_path / "in.txt")

    assert code == 0

    lines = piped.split("\n")
    assert read[:2] == (0, piped)
    assert (lines[0], lines[2], lines[3], lines[5:]) == ("a b", "", "c", ["d e", ""])
    for messages, name in ((told, "standard input"), (read[2], tmp_path / "in.txt")):
        assert messages.splitlines() == [
            f"nmt: warning: {name}, line 2: not UTF-8 (invalid continuation byte); "
            "U+FFFD stands for what cannot be decoded",
            f"nmt: warning: {name}, line 5: not UTF-8 (unexpected end of data); "
            "U+FFFD stands for what cannot be decoded",
        ]


def test_invalid_utf8_in_a_test_set_is_named_with_its_line(nmt, copy_run, text, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"a\n\xff\n")
    reference = text("reference.txt", "a", "b")

    code, _, err = nmt(
        "evaluate", copy_run, "--source", tmp_path / "in.txt", "--reference", reference
    )

    assert code == 2
    assert f"{tmp_path / 'in.txt'}, line 2: not UTF-8" in err


def test_a_tokenizer_of_another_model_is_refused(nmt, copy_run, tmp_path):
    from nmt.config import TrainedTokenizerConfig
    from nmt.data import tokenizer_training

    run = tmp_path / "run"
    shutil.copytree(copy_run, run)
    letters = [" ".join(row) for row in itertools.permutations("ijklmn", 4)]
    other = tokenizer_training.train(
        letters, letters, TrainedTokenizerConfig(vocabulary_size=14, byte_fallback=False)
    )
    other.save(run / "tokenizer")

    code, _, err = nmt("info", run)
    code, _, err = nmt("translate", run)

    assert code == 2
    assert "its tokenizer is not the one that the model was trained with" in err
