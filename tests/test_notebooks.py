from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def test_the_quickstart_runs_and_draws_its_heat_maps(tmp_path, monkeypatch):
    monkeypatch.chdir(NOTEBOOKS.parent)
    shorter = "training.max_steps=40 training.validate_every=40 decoding.beam=2"
    monkeypatch.setenv("NMT_QUICKSTART", f"run={tmp_path / 'run'} {shorter}")
    notebook = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)

    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()

    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 4
