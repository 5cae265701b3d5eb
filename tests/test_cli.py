import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nmt import cli

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.fixture
def nmt(monkeypatch, capsys):
    """Runs a command in this process; returns exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nmt", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture
def text(tmp_path):
    def write(name, *lines):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return tmp_path / name

    return write


def test_help_needs_no_jax_and_less_than_a_second():
    code = "import sys, nmt, nmt.cli; sys.argv = ['nmt', '--help']; import contextlib\n"
    code += "with contextlib.suppress(SystemExit): nmt.cli.main()\n"
    code += "assert not {'jax', 'flax', 'datasets', 'sentencepiece'} & set(sys.modules)"
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)

    assert min(seconds) < 1.0


COMMANDS = "demo, train, translate, evaluate, align, symmetrise, aer, plot, info, bench"


@pytest.mark.parametrize("command", COMMANDS.split(", "))
def test_each_command_shows_an_example(nmt, command):
    code, out, _ = nmt(command, "--help")

    assert code == 0
    assert "Example: " in out
    assert f"nmt {command}" in out


def test_translate_reads_and_writes_files_line_for_line(nmt, copy_run, text, tmp_path):
    source = text("in.txt", "a b c", "", "d")

    code, out, _ = nmt("translate", copy_run, source, "-o", tmp_path / "out.txt", "--beam", 2)

    assert (code, out) == (0, "")
    assert (tmp_path / "out.txt").read_text() == "a b c\n\nd\n"


def test_translate_works_in_a_pipe(copy_run):
    command = [sys.executable, "-m", "nmt", "translate", str(copy_run)]

    done = subprocess.run(command, input=b"a b\n\nh g", capture_output=True, check=True)

    assert done.stdout == b"a b\n\nh g\n"


def test_a_second_start_compiles_nothing(copy_run, tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    command = [sys.executable, "-m", "nmt", "translate", str(copy_run)]

    def programs():
        subprocess.run(command, env=environment, input=b"a b\n", capture_output=True, check=True)
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "nmt").glob("*-cache")}

    first = programs()
    assert any("search" in path.name for path in first)
    assert programs() == first


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


def test_align_prints_links_and_the_error_against_gold(nmt, copy_run, text):
    source = text("in.txt", "a b c", "d")
    # Of 4 sure links all are found; the fifth gold link is merely possible and costs nothing.
    gold = text("gold.txt", "0-0 1-1 2-2 0p1", "0-0")

    code, out, err = nmt("align", copy_run, "--source", source, "--target", source, "--gold", gold)

    assert (code, out) == (0, "0-0 1-1 2-2\n0-0\n")
    assert err == "AER 0.000 precision 1.000 recall 1.000 F1 1.000\n"


def test_align_links_all_that_passes_a_threshold(nmt, copy_run, text):
    source = text("in.txt", "a b", "d")

    _, out, _ = nmt("align", copy_run, "--source", source, "--target", source, "--threshold", 0)
    _, half, _ = nmt("align", copy_run, "--source", source, "--target", source, "--threshold", 0.5)

    assert out == "0-0 0-1 1-0 1-1\n0-0\n"
    assert half == "0-0 1-1\n0-0\n"


def test_align_writes_as_it_reads_and_finds_unequal_files_at_their_end(
    nmt, copy_run, text, tmp_path
):
    source, target = text("source", *["a b"] * 2100), text("target", *["a b"] * 2050)
    short = text("short", "a b")

    code, out, err = nmt("align", copy_run, "--source", source, "--target", target)
    nmt("align", copy_run, "--source", short, "--target", target, "-o", tmp_path / "links")

    assert code == 2
    assert f"nmt: {source} has 2100 lines and {target} has 2050: line n of one must be" in err
    assert 0 < len(out.splitlines()) <= 2050
    assert set(out.splitlines()) == {"0-0 1-1"}
    assert not (tmp_path / "links").exists()


def test_gold_of_another_text_is_found_before_anything_is_aligned(nmt, copy_run, text):
    source, gold = text("in.txt", "a b", "d"), text("gold.txt", "0-0 1-1")

    code, out, err = nmt("align", copy_run, "--source", source, "--target", source, "--gold", gold)

    assert (code, out) == (2, "")
    assert "aligns 1 sentences but there are 2 source lines" in err


def test_symmetrise_joins_two_directions_line_for_line(nmt, text, tmp_path):
    forward, backward = (
        text("forward", "0-0 1-1", "", "0-1"),
        text("backward", "0-0 2-1", "0-1", ""),
    )
    turned = text("turned", "0-0 1-2", "1-0", "")

    code, out, _ = nmt("symmetrise", forward, backward, "--method", "intersection")
    _, default, _ = nmt("symmetrise", forward, backward)
    nmt("symmetrise", forward, turned, "--reversed", "-o", tmp_path / "out")

    assert (code, out) == (0, "0-0\n\n\n")
    # 1-1 is a neighbour of 0-0 with two free words, and then 2-1 one of 1-1 with one.
    assert default == (tmp_path / "out").read_text() == "0-0 1-1 2-1\n0-1\n0-1\n"


def test_symmetrise_names_what_is_wrong(nmt, text, tmp_path):
    one, two = text("one", "0-0"), text("two", "0-0", "1-1")

    unequal = nmt("symmetrise", one, two, "-o", tmp_path / "out")
    method = nmt("symmetrise", one, one, "--method", "grow")

    counts = f"nmt: {one} has 1 lines and {two} has 2; they must correspond line for line\n"
    assert unequal == (2, "", counts)
    assert not (tmp_path / "out").exists()
    assert method[0] == 2
    assert method[2].startswith("nmt: no symmetrisation 'grow'; choose one of intersection, ")


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
    assert err == f"nmt: {found} has 1 lines and {gold} has 2; they must correspond line for line\n"


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


def test_training_a_finished_run_again_says_so(nmt, copy_run, capsys):
    code, _, err = nmt("train", copy_run / "config.yaml")

    assert code == 0
    assert "already trained to step" in err


def bad_train(**changes):
    arguments = {"data.train": "embedded", "data.validation": "embedded", "run": "RUN"} | changes
    return [f"{key}={value}" for key, value in arguments.items()]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"data.train": "none"}, "none.de: no such file"),
        ({"model.hidden": 3}, "model.hidden: unknown key"),
        ({"model.dropuot": 0.1}, "did you mean model.dropout?"),
        ({"model.dropout": 1.5}, "model.dropout: input should be less than 1, not 1.5"),
        ({"model.dropout": "much"}, "model.dropout: input should be a valid number"),
        ({"model.attention.score": "dot", "model.decoder.hidden_size": 5}, "must be twice"),
        ({"tokenizer.vocabulary_size": 90000}, "tokenizer.vocabulary_size"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_code_2(nmt, tmp_path, overrides, message):
    run = tmp_path / "run"

    code, out, err = nmt("train", CONFIGS / "demo.yaml", *bad_train(**overrides, run=run))

    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("nmt: ")
    assert err.count("\n") == 1
    assert not run.exists()


def test_a_run_of_another_configuration_is_not_touched(nmt, copy_run):
    before = {path: path.read_bytes() for path in copy_run.rglob("*") if path.is_file()}

    code, _, err = nmt("train", copy_run / "config.yaml", "model.dropout=0.5")

    assert code == 2
    assert "holds a run of another configuration (model.dropout: 0.0 -> 0.5)" in err
    assert before == {path: path.read_bytes() for path in copy_run.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["translate", "nowhere"], "nowhere: no such run folder"),
        (["info", "."], "not a run folder"),
        (["train", "nowhere.yaml"], "nowhere.yaml: no such configuration file"),
        (["plot", "RUN", "a", "-o", "map.gif"], "map.gif: a figure is written as"),
        (["translate", "RUN", "nowhere.txt"], "nowhere.txt: no such file"),
        (["translate", "RUN", "FILE", "-o", "no/out.txt"], "no/out.txt: cannot be written"),
        (["plot", "RUN", " "], "nothing to draw"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named(nmt, copy_run, text, arguments, message):
    values = {"RUN": copy_run, "FILE": text("in.txt", "a")}

    code, _, err = nmt(*[values.get(each, each) for each in arguments])

    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_invalid_utf8_is_named_with_its_line(nmt, copy_run, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"a\n\xff\n")

    code, _, err = nmt("translate", copy_run, tmp_path / "in.txt")

    assert code == 2
    assert f"{tmp_path / 'in.txt'}, line 2: not UTF-8" in err


def test_unequal_files_are_named_with_both_counts(nmt, copy_run, text):
    one, two = text("one", "a"), text("two", "a", "b")

    _, _, evaluated = nmt("evaluate", copy_run, "--source", one, "--reference", two)
    code, _, aligned = nmt("align", copy_run, "--source", one, "--target", two)

    assert code == 2
    counts = f"nmt: {one} has 1 lines and {two} has 2"
    assert evaluated == f"{counts}\n"
    assert aligned == f"{counts}: line n of one must be the translation of line n of the other\n"


def test_a_tokenizer_of_another_model_is_refused(nmt, copy_run, tmp_path):
    import shutil

    from nmt.config import TokenizerConfig
    from nmt.data import tokenizer

    run = tmp_path / "run"
    shutil.copytree(copy_run, run)
    letters = [" ".join(row) for row in itertools.permutations("ijklmn", 4)]
    other = tokenizer.train(letters, letters, TokenizerConfig(vocabulary_size=14))
    other.save(run / "tokenizer")

    code, _, err = nmt("info", run)
    code, _, err = nmt("translate", run)

    assert code == 2
    assert "its tokenizer is not the one that the model was trained with" in err
