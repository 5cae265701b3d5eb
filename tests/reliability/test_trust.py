"""A run folder from elsewhere imports no code and leads to no other files unless it is trusted."""

import os
import shutil
import sys

import pytest
import runs

from nmt import checkpoint, cli
from nmt.errors import ConfigError, RunError
from nmt.inference.translator import Translator
from nmt.run import Run

PLUGIN = """
import pathlib
from nmt.attention.scores import AdditiveScore

pathlib.Path("mark").write_text("imported")

class Mine(AdditiveScore):
    pass
"""

IMPORTS = "nmt: importing plugin:Mine for model.attention.score\n"


@pytest.fixture
def foreign(tmp_path, undisturbed, monkeypatch):
    """A run whose configuration names a class beside it that leaves a mark when it is imported."""
    run = tmp_path / "run"
    shutil.copytree(undisturbed.path, run)
    config = (run / "config.yaml").read_text()
    assert "score: additive\n" in config
    (run / "config.yaml").write_text(config.replace("score: additive", "score: plugin:Mine"))
    (tmp_path / "plugin.py").write_text(PLUGIN)
    (tmp_path / "text").write_text("abc\n\nfed\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield run
    sys.modules.pop("plugin", None)


COMMANDS = {
    "translate": ("text",),
    "evaluate": ("--source", "text", "--reference", "text"),
    "align": ("--source", "text", "--target", "text"),
    "plot": ("abc", "--target", "abc", "-o", "picture.png"),
    "info": (),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_class_is_imported_by_those_who_trust_the_run(foreign, monkeypatch, capsys, command):
    def run(*options):
        arguments = ["nmt", command, "run", *COMMANDS[command], *options]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code or 0, capsys.readouterr().err

    refused = run()
    marked = (foreign.parent / "mark").exists()
    trusted = run("--trust")

    assert refused == (
        2,
        "nmt: run: model.attention.score imports plugin:Mine, whose code may do anything; "
        "if you trust it, give --trust, or trust=True in Python\n",
    )
    assert not marked
    assert trusted == (0, IMPORTS)
    assert (foreign.parent / "mark").read_text() == "imported"


def test_a_run_is_trusted_in_python_too(foreign, monkeypatch):
    monkeypatch.syspath_prepend(foreign.parent)

    with pytest.raises(RunError, match=r"imports plugin:Mine, whose code may do anything; if"):
        Translator.load(foreign)

    Translator.load(foreign, trust=True)

    assert (foreign.parent / "mark").exists()


def test_in_python_the_working_folder_is_not_added_to_where_python_looks(foreign):
    before = list(sys.path)

    with pytest.raises(
        ConfigError, match=r"cannot import plugin:Mine \(No module named 'plugin'\)"
    ):
        Translator.load(foreign, trust=True)

    assert sys.path == before


def test_a_class_that_one_names_in_training_is_shown_and_needs_no_flag(
    foreign, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["nmt", "train", "run/config.yaml", f"run={foreign}"])
    with pytest.raises(SystemExit) as stop:
        cli.main()

    told = capsys.readouterr().err
    assert not stop.value.code
    assert IMPORTS in told
    assert "already trained to step 9" in told


@pytest.mark.parametrize(
    "name",
    ["metrics.jsonl", "shortlist.npz", "tokenizer/joint.model", "checkpoints", "checkpoints/best"],
)
def test_a_link_out_of_a_run_folder_is_refused(tmp_path, undisturbed, corpus, name):
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    shutil.copytree(undisturbed.path, run)
    if (run / name).exists():
        (run / name).rename(elsewhere)
    (run / name).symlink_to(os.path.relpath(elsewhere, (run / name).parent))

    with pytest.raises(RunError, match=rf"{name}: a link that leads out of the run folder; put"):
        Run.open(run)
    with pytest.raises(RunError, match=r"a link that leads out of the run folder"):
        Run.start(runs.config(run, corpus, max_steps=9))


def test_links_within_a_run_folder_and_to_it_are_followed(tmp_path, undisturbed):
    shutil.copytree(undisturbed.path, tmp_path / "moved")
    (tmp_path / "run").symlink_to("moved")
    (tmp_path / "moved" / "log").symlink_to("metrics.jsonl")

    run = Run.open(tmp_path / "run")

    assert run.progress("best") == undisturbed.progress("best")


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "params/../../outside"])
def test_a_name_in_a_manifest_is_compared_and_never_opened(tmp_path, undisturbed, name):
    folder = tmp_path / "checkpoint"
    shutil.copytree(undisturbed.path / "checkpoints" / "last" / "27", folder)
    (tmp_path / "outside").write_text("{}")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("progress.json", name))

    assert checkpoint.validate(folder) == f"{name} is missing"
