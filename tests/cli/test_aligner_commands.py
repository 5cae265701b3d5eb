"""Commands with a run that aligns and does not translate."""

import json
import math
import shutil

import jax
import numpy as np
import pytest

from nmt.model.build import outline
from nmt.run import Run

# Their links: 0-1 1-0 2-2, none, 0-0, and 0-0 1-2, where the second target word has none.
SOURCE, TARGET = ("a b c", "", "d", "e f"), ("t s u", "", "v", "w z x")
LINKS = "0-1 1-0 2-2\n\n0-0\n0-0 1-2\n"


@pytest.fixture
def align(nmt, aligning_run, text):
    """Runs `nmt align` on the lines above."""
    sides = "--source", text("in", *SOURCE), "--target", text("translated", *TARGET)
    return lambda *options, run=aligning_run: nmt("align", run, *sides, *options)


def test_links_are_those_of_both_directions(align, tmp_path):
    code, out, err = align()
    align("-o", tmp_path / "links")

    assert (code, out, err) == (0, LINKS, "")
    assert (tmp_path / "links").read_text() == LINKS


@pytest.mark.parametrize("method", ["soft-intersection", "intersection", "grow-diag-final-and"])
def test_a_symmetrization_joins_them(align, method):
    code, out, _ = align("--symmetrization", method, "--threshold", 0.4)

    assert (code, out) == (0, LINKS)


def test_all_words_are_linked_at_the_threshold_zero_and_few_at_one(align):
    _, soft, _ = align("--threshold", 0)
    _, union, _ = align("--threshold", 0, "--symmetrization", "union")
    _, none, _ = align("--threshold", 1)

    product = [
        " ".join(f"{i}-{j}" for i in range(len(one.split())) for j in range(len(other.split())))
        for one, other in zip(SOURCE, TARGET, strict=True)
    ]
    assert soft.splitlines() == union.splitlines() == product
    assert none == "\n" * 4


def test_the_error_against_gold(align, text):
    # |A| = 6, |S| = 6, |A and S| = 5, |A and P| = 5
    gold = text("gold", "0-1 1-0 2-2", "", "0-0", "0-0 1-1")
    found = {"aer": 1 - 10 / 12, "precision": 5 / 6, "recall": 5 / 6, "f1": 5 / 6}

    code, out, err = align("--gold", gold)
    _, also, as_json = align("--gold", gold, "--json")
    one = text("one", "1-2 2-1 3-3", "", "1-1", "1-1 2-2")
    *_, from_one = align("--gold", one, "--one-based")

    assert (code, out, also) == (0, LINKS, LINKS)
    assert err == from_one == "AER 0.167 precision 0.833 recall 0.833 F1 0.833\n"
    assert json.loads(as_json) == pytest.approx(found)


def test_the_error_as_json_has_standard_output_if_the_links_have_a_file(align, text, tmp_path):
    gold, links = text("gold", "0-1 1-0 2-2", "", "0-0", "0-0 1-1"), tmp_path / "links"

    code, out, err = align("--gold", gold, "--json", "-o", links)

    assert (code, err) == (0, "")
    assert json.loads(out)["aer"] == pytest.approx(1 - 10 / 12)
    assert links.read_text() == LINKS


def test_a_threshold_and_a_symmetrization_are_chosen_on_half_of_the_gold(align, text):
    gold = text("gold", "0-1 1-0 2-2", "", "0-0", "0-0 1-2")
    scored = ("--gold", gold, "--cross-validate")

    code, out, err = align(*scored)
    *_, as_json = align(*scored, "--json")
    *_, joined = align(*scored, "--json", "--symmetrization", "soft-union")
    both = align(*scored, "--threshold", 0.3, "--symmetrization", "union")

    assert (code, out) == (0, LINKS)
    assert err.splitlines()[0] == (
        "AER 0.000 precision 1.000 recall 1.000 F1 1.000 (cross-validated)"
    )
    assert [line.partition(":")[0] for line in err.splitlines()[1:]] == ["odd lines", "even lines"]
    found = json.loads(as_json)
    assert found["aer"] == 0
    assert [each["candidate"] for each in found["choices"]] == ["intersection"] * 2
    chosen = [each["candidate"] for each in json.loads(joined)["choices"]]
    assert all("soft-union" in each for each in chosen)
    assert both[:2] == (2, "")
    assert both[2].startswith("nmt: --cross-validate chooses what --threshold and --symmetrization")


def test_what_is_for_networks_that_translate_is_refused(align, aligning_run, copy_run, text):
    for option, value in {"backward": copy_run, "method": "attention"}.items():
        message = (
            f"--{option} is for networks that translate, and {aligning_run} aligns in both "
            "directions by itself: leave it out"
        )
        assert align(f"--{option}", value) == (2, "", f"nmt: {message}\n")
        gold = ("--gold", text("gold", "0-0", "", "0-0", "0-0"), "--cross-validate")
        assert align(f"--{option}", value, *gold) == (2, "", f"nmt: {message}\n")


def test_a_corpus_of_many_files_is_not_aligned_with_ray(align, aligning_run, tmp_path):
    message = f"--ray is for networks that translate, and {aligning_run} aligns: leave it out"

    assert align("--ray", "local", "-o", tmp_path / "out") == (2, "", f"nmt: {message}\n")
    assert not (tmp_path / "out").exists()


def test_other_wrong_options_are_named(align, aligning_run):
    unknown = align("--symmetrization", "grow")
    several = align(run=f"{aligning_run}+{aligning_run}")
    setting = align("decoding.beams=3")

    assert unknown[:2] == several[:2] == setting[:2] == (2, "")
    assert unknown[2].startswith("nmt: no symmetrization 'grow'; choose one of soft-intersection")
    assert several[2] == "nmt: an aligner is one network, and no ensemble: give one run\n"
    assert "beams" in setting[2]
    assert len(setting[2].splitlines()) == 1


def test_an_unknown_symmetrization_is_named_before_the_aligner_is_loaded_and_fitted(align):
    # There is no such checkpoint, which loading says.
    code, out, err = align("--fit", "--symmetrization", "grow", "--checkpoint", 7)

    assert (code, out) == (2, "")
    assert err.startswith("nmt: no symmetrization 'grow'; choose one of soft-intersection")


def test_an_aligner_is_not_the_other_direction_of_a_translator(
    nmt, copy_run, aligning_run, text, tmp_path
):
    run = shutil.copytree(copy_run, tmp_path / "turned")
    config = (run / "config.yaml").read_text()
    turned = config.replace("source: de\n", "source: en\n").replace("target: en", "target: de")
    (run / "config.yaml").write_text(turned)
    source = text("in", "a")

    code, out, err = nmt(
        "align", run, "--source", source, "--target", source, "--backward", aligning_run
    )

    assert (code, out) == (2, "")
    assert err == (
        f"nmt: --backward takes a network that translates, and {aligning_run} aligns in both "
        "directions by itself: give it as the run\n"
    )


@pytest.mark.parametrize("command", ["translate", "evaluate", "evaluate its own", "score"])
def test_commands_that_translate_refuse_it_in_one_line(nmt, aligning_run, text, command):
    lines = text("lines", "a")
    arguments = {
        "translate": (lines,),
        "evaluate": ("--source", lines, "--reference", lines),
        "evaluate its own": (),
        "score": ("--source", lines, "--target", lines),
    }

    code, out, err = nmt(command.split()[0], aligning_run, *arguments[command])

    assert (code, out) == (2, "")
    assert err == (
        f"nmt: {aligning_run} is a network that aligns, which `nmt align` and `nmt plot --target` "
        "use, and nmt.Aligner in Python, and nothing else does\n"
    )


def test_info_names_the_network_and_its_parts(nmt, aligning_run):
    code, out, _ = nmt("info", aligning_run)
    _, as_json, _ = nmt("info", aligning_run, "--json")

    found = json.loads(as_json)
    size = found["vocabulary"]["source"]
    shapes = {each["name"]: each["shape"] for each in found["parameters"]}
    assert code == 0
    assert "kind aligner" in " ".join(out.replace("│", " ").split())
    assert found["model"] == {"kind": "aligner", "hidden_size": 8, "empty": 0.05}
    assert set(found["scores"]) == {"perplexity", "seconds"}
    assert (found["step"], found["best_step"], found["kept"]) == (60, 60, [40, 60])
    assert shapes["source.embedding.embedding"] == shapes["target.embedding.embedding"]
    assert shapes["forward.output.embedding"] == [size, 16]
    assert shapes["backward.jumps"] == [21]
    assert {name.partition(".")[0] for name in shapes} == {
        "source", "target", "forward", "backward",
    }  # fmt: skip


def named(run, which):
    _, template = outline(run.config, run.tokenizers())
    return run.restore(which, {"params": template})["params"]


def test_the_mean_of_checkpoints_is_saved_and_aligned_with(nmt, align, aligning_run, tmp_path):
    run = Run.open(shutil.copytree(aligning_run, tmp_path / "run"))
    logged = {
        each["step"]: each["validation/perplexity"]
        for each in run.records()
        if "validation/perplexity" in each
    }

    code, out, _ = nmt("average", run.path)
    _, as_json, _ = nmt("average", run.path, "--best", 2, "--json")

    found = json.loads(as_json)
    averaged = found["averaged"]["perplexity"]
    assert code == 0
    assert found["checkpoints"] == [{"step": step, "perplexity": logged[step]} for step in (40, 60)]
    assert found["best"] == {"step": 60, "perplexity": logged[60]}
    assert set(found["averaged"]) == {"perplexity"}
    assert 1 < averaged < math.exp(2)
    assert out.splitlines() == [
        f"step 40: ppl {logged[40]:.3f}",
        f"step 60: ppl {logged[60]:.3f}",
        f"mean of 2: ppl {averaged:.3f}; best checkpoint, step 60: ppl {logged[60]:.3f}",
        f"{run.path}: saved; use it with --checkpoint averaged",
    ]
    one, other, both = (named(run, which) for which in (40, 60, "averaged"))
    jax.tree.map(
        lambda a, b, c: np.testing.assert_allclose((a + b) / 2, c, rtol=1e-5, atol=1e-7),
        one, other, both,
    )  # fmt: skip
    assert align("--checkpoint", "averaged", run=run.path)[:2] == (0, LINKS)


def test_training_ends_with_the_command_that_aligns(nmt, aligning_run, tmp_path):
    run = tmp_path / "a run"
    shutil.copytree(aligning_run, run)

    code, _, err = nmt("train", run / "config.yaml", f"run={run}")

    assert code == 0
    assert err.endswith(f"next: nmt align '{run}' --source FILE.de --target FILE.en\n")


def test_it_is_fitted_to_the_pairs_and_nothing_is_saved(align, aligning_run):
    before = {path: path.read_bytes() for path in aligning_run.rglob("*") if path.is_file()}

    code, out, err = align("--fit")

    assert (code, out, err) == (0, LINKS, "")
    after = {path: path.read_bytes() for path in aligning_run.rglob("*") if path.is_file()}
    assert after == before


def test_a_run_that_translates_is_not_fitted(align, copy_run):
    code, out, err = align("--fit", run=copy_run)

    assert (code, out) == (2, "")
    assert err == (
        f"nmt: --fit is for a network that aligns, and {copy_run} translates: leave it out\n"
    )
