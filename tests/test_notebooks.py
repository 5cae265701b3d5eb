from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from nmt import configfile
from nmt.training.session import train

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"

pytestmark = pytest.mark.slow


def executed(name, monkeypatch, **environment):
    """Returns the outputs of a notebook that is run from the project's root."""
    monkeypatch.chdir(NOTEBOOKS.parent)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def pictures(outputs):
    return [output for output in outputs if "image/png" in output.get("data", {})]


def test_the_quickstart_runs_and_draws_its_heat_maps(tmp_path, monkeypatch):
    shorter = "training.max_steps=40 training.validate_every=40 decoding.beam=2"

    outputs = executed(
        "quickstart.ipynb", monkeypatch, NMT_QUICKSTART=f"run={tmp_path / 'run'} {shorter}"
    )

    assert len(pictures(outputs)) == 3
    assert [each for each in outputs if "<table" in each.get("data", {}).get("text/html", "")]


def test_the_menu_of_attention_trains_compares_and_draws_what_it_is_asked_for(
    tmp_path, monkeypatch
):
    shorter = "training.max_steps=20 training.validate_every=20 training.attention_images=0"

    outputs = executed(
        "score_functions.ipynb",
        monkeypatch,
        NMT_MENU=shorter,
        NMT_MENU_NAMES="dot none",
        NMT_MENU_RUNS=str(tmp_path),
        NMT_MENU_ROUNDS="1",
    )

    assert len(pictures(outputs)) == 1  # without attention there is none
    (table,) = [o["data"]["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]
    names = {line.split("|")[1].strip() for line in table.splitlines()[2:]}
    assert names == {"dot", "none"}


def test_soft_and_hard_attention_caption_the_scenes_and_point(tmp_path, monkeypatch):
    shorter = "training.max_steps=20 training.validate_every=20 training.attention_images=0"

    outputs = executed(
        "show_attend_and_tell.ipynb",
        monkeypatch,
        NMT_SCENES=f"{shorter} model.encoder.annotation_size=16 model.decoder.hidden_size=16",
        NMT_SCENES_RUNS=str(tmp_path),
        NMT_SCENES_TEST="8",
    )

    assert len(pictures(outputs)) == 4
    assert [each for each in outputs if "nmt-caption" in each.get("data", {}).get("text/html", "")]
    (table,) = [o["data"]["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in table.splitlines()[2:]]
    assert rows == [
        *([name, method] for name in ("soft", "hard") for method in ("attention", "saliency")),
        ["uniform guess", ""],
    ]


def test_alignments_are_drawn_scored_and_learnt_by_a_guided_head(tmp_path, monkeypatch):
    shorter = ["training.max_steps=20", "training.validate_every=20", "decoding.beam=3"]
    config = configfile.load(NOTEBOOKS.parent / "configs" / "demo.yaml", shorter)
    run = train(config.model_copy(update={"run": str(tmp_path / "run")}))

    outputs = executed("alignment_heatmaps.ipynb", monkeypatch, NMT_RUN=str(run.path))

    assert len(pictures(outputs)) == 6
    table, head = [
        o["data"]["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})
    ]
    assert "| shifted |" in table
    assert 0 <= float(head.removesuffix(".").rpartition(" ")[2]) < 1


@pytest.mark.parametrize(
    ("name", "figures", "tables"),
    [("what_the_model_looks_at", 1, 1), ("decoding", 0, 3)],
)
def test_what_a_run_attends_to_is_drawn_and_compared(copy_run, monkeypatch, name, figures, tables):
    outputs = executed(f"{name}.ipynb", monkeypatch, NMT_RUN=str(copy_run))

    assert len(pictures(outputs)) == figures
    assert len([each for each in outputs if "text/markdown" in each.get("data", {})]) == tables
