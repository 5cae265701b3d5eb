"""The version: in one place, and in each run folder, with the commit of a git checkout."""

import json
import shutil
import subprocess
import sys

import pytest

import nmt
from nmt import version
from nmt.errors import RunError
from nmt.info import describe
from nmt.run import Run

COMMIT = "61b3f7b13d6c96906e4ea2f423bc2aa330f0abc1"


def test_the_version_needs_no_jax():
    code = (
        "import sys, nmt; print(nmt.__version__); assert not {'jax', 'pydantic'} & {*sys.modules}"
    )

    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert shown.stdout.strip() == nmt.__version__


def test_what_trains_a_run_is_recorded_and_shown(copy_run):
    assert version.read(copy_run)["version"] == nmt.__version__
    assert describe(Run.open(copy_run))["nmt"] == version.read(copy_run)


def test_a_run_folder_without_a_record_opens(copy_run, tmp_path):
    run = shutil.copytree(copy_run, tmp_path / "run")
    (run / "version.json").unlink()

    assert describe(Run.open(run))["nmt"] == {}


@pytest.mark.parametrize("text", ["", "{", "3", "[" * 100_000, "\x00"])
def test_a_damaged_record_is_named(tmp_path, text):
    (tmp_path / "version.json").write_text(text)

    with pytest.raises(RunError, match=r"version\.json: not as nmt writes it; remove it$"):
        version.read(tmp_path)


def branch(git):
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/mine\n")
    (git / "refs/heads/mine").write_text(f"{COMMIT}\n")


def packed(git):
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/mine\n")
    (git / "packed-refs").write_text(
        f"# pack-refs\n{'0' * 40} refs/heads/it\n{COMMIT} refs/heads/mine\n"
    )


def detached(git):
    git.mkdir()
    (git / "HEAD").write_text(f"{COMMIT}\n")


def worktree(git):
    home = git.with_name("checkout")
    branch(home)
    (home / "worktrees/one").mkdir(parents=True)
    shutil.move(home / "HEAD", home / "worktrees/one/HEAD")
    (home / "worktrees/one/commondir").write_text("../..\n")
    git.write_text(f"gitdir: {home}/worktrees/one\n")


@pytest.mark.parametrize("checkout", [branch, packed, detached, worktree])
def test_the_commit_is_that_of_the_checkout(tmp_path, checkout):
    checkout(tmp_path / ".git")

    assert version._commit(tmp_path / ".git") == COMMIT


@pytest.mark.parametrize("text", [None, "", "gitdir: nowhere\n"])
def test_without_a_checkout_that_can_be_read_there_is_no_commit(tmp_path, text):
    if text is not None:
        (tmp_path / ".git").write_text(text)

    assert version._commit(tmp_path / ".git") is None


def test_without_a_commit_the_version_is_recorded_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(version, "_commit", lambda git: None)

    (tmp_path / version.NAME).write_text(version.record())

    assert json.loads((tmp_path / "version.json").read_text()) == {"version": nmt.__version__}
