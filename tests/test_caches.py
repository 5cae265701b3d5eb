"""Caches: where they are, what happens where there can be none, and what is emptied."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nmt import caches
from nmt.config import CorpusConfig
from nmt.data import corpus


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    """A cache folder of the test; functions that remember their folder forget it."""
    for name in ("HF_DATASETS_CACHE", "HF_HOME", "JAX_COMPILATION_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache"
    forget()


def forget():
    caches.compiled.cache_clear()
    caches.corpora.cache_clear()
    caches.alignments.cache_clear()


def test_folders_are_made_where_the_variable_says(place):
    assert caches.compiled() == place / "nmt" / "compiled"
    assert caches.corpora() == place / "nmt" / "corpora"
    assert caches.alignments() == place / "nmt" / "alignments"
    assert sorted(place.rglob("*")) == [
        place / "nmt",
        place / "nmt" / "alignments",
        place / "nmt" / "compiled",
        place / "nmt" / "corpora",
    ]


def test_without_the_variable_they_are_at_home(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert caches.corpora() == tmp_path / "home" / ".cache" / "nmt" / "corpora"


@pytest.mark.parametrize(
    ("variable", "value", "folder"),
    [("HF_DATASETS_CACHE", "own", "own"), ("HF_HOME", "hf", "hf/datasets")],
)
def test_a_folder_that_the_user_has_chosen_for_datasets_is_used(
    monkeypatch, tmp_path, variable, value, folder
):
    monkeypatch.setenv(variable, str(tmp_path / value))

    assert caches.corpora() == tmp_path / folder


def in_the_way(monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file")
    return "XDG_CACHE_HOME", "Not a directory"


def unwritable(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nmt")
    return "XDG_CACHE_HOME", "No such file or directory"


def chosen_and_unwritable(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", "/proc/nmt")
    return "HF_DATASETS_CACHE", "No such file or directory"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is where nothing can be written")
@pytest.mark.parametrize("obstacle", [in_the_way, unwritable, chosen_and_unwritable])
def test_a_corpus_is_read_where_nothing_can_be_kept(monkeypatch, tmp_path, obstacle):
    variable, reason = obstacle(monkeypatch, tmp_path)
    (tmp_path / "a.tsv").write_text("那只狗\tthe dog\n", encoding="utf-8")

    message = rf"no cache \(.*{reason}.*\): corpora are read again by each .* set {variable} to"
    with pytest.warns(UserWarning, match=message):
        found = corpus.load(CorpusConfig(path=str(tmp_path / "a.tsv")), source="zh", target="en")

    assert found[0] == {"source": "那只狗", "target": "the dog"}
    assert not caches.corpora().is_relative_to(tmp_path)


def test_links_are_written_where_nothing_can_be_kept(monkeypatch, tmp_path):
    in_the_way(monkeypatch, tmp_path)

    message = (
        r"no cache \(.*Not a directory.*\): texts are aligned again by each command; set XDG_C"
    )
    with pytest.warns(UserWarning, match=message):
        (caches.alignments() / "a.align").write_text("0-0\n")

    assert not caches.alignments().is_relative_to(tmp_path)


# A user who has no entry among the users, and so no home of his own, but may read the interpreter.
READER = [
    "setpriv", "--reuid=54321", "--regid=54321", "--clear-groups",
    "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
]  # fmt: skip


@pytest.fixture
def public_run(copy_run):
    """A run folder that other users may read, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield shutil.copytree(copy_run, Path(folder) / "run")


@pytest.mark.parametrize("home", [None, "/nonexistent", "read-only"])
def test_another_user_without_a_home_translates(public_run, home):
    if subprocess.run([*READER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root can become another user")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg"}
    for name in ("XDG_CACHE_HOME", "HOME"):
        environment.pop(name, None)
    if home == "read-only":
        (public_run.parent / "home").mkdir(mode=0o555)
        home = str(public_run.parent / "home")
    if home is not None:
        environment["HOME"] = home
    command = [*READER, sys.executable, "-m", "nmt", "translate", str(public_run)]

    done = subprocess.run(
        command, input="a b\n", env=environment, capture_output=True, encoding="utf-8", check=True
    )

    assert done.stdout == "a b\n"
    assert done.stderr.startswith("nmt: warning: no cache (")
    assert done.stderr.endswith(
        "): functions are compiled again by each command; set XDG_CACHE_HOME to a folder that can "
        "be written\n"
    )
    assert done.stderr.count("\n") == 1


def run(*arguments, **environment):
    command = [sys.executable, "-m", "nmt", "cache", *arguments]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, encoding="utf-8", check=False
    )


def test_the_command_shows_and_empties_what_is_ours(place, tmp_path):
    kept, own = tmp_path / "kept", tmp_path / "own"
    for folder in (kept, own):
        folder.mkdir()
        (folder / "file").write_bytes(bytes(700))
    for name in caches.NAMES:
        (place / "nmt" / name / "inner").mkdir(parents=True)
        (place / "nmt" / name / "inner" / "file").write_bytes(bytes(1500))
    (place / "nmt" / "corpora" / "link").symlink_to(kept)
    chosen = {"JAX_COMPILATION_CACHE_DIR": str(own)}

    shown = run(**chosen)
    emptied = run("--clear", **chosen)

    ours = [place / "nmt" / name for name in ("compiled", "corpora", "alignments")]
    last = f"{own}  700 bytes, chosen by JAX_COMPILATION_CACHE_DIR and never emptied by nmt\n"
    assert shown.stdout == "".join(f"{each}  1.5 kB\n" for each in ours) + last
    assert emptied.stdout == "".join(f"{each}  0 bytes\n" for each in ours) + last
    assert [file for each in ours for file in each.iterdir()] == []
    assert [each.stat().st_size for each in (kept / "file", own / "file")] == [700, 700]


@pytest.mark.parametrize("linked", ["nmt", "nmt/compiled"])
def test_a_linked_folder_is_named_and_keeps_its_files(place, tmp_path, linked):
    kept = tmp_path / "kept" / "corpora"
    kept.mkdir(parents=True)
    (kept / "file").write_bytes(bytes(700))
    (place / linked).parent.mkdir(parents=True)
    (place / linked).symlink_to(tmp_path / "kept")

    done = run("--clear")

    assert (done.returncode, done.stdout, (kept / "file").exists()) == (2, "", True)
    assert done.stderr == (
        f"nmt: {place / linked}: a link to {tmp_path / 'kept'}, which may hold more than the "
        "cache; empty that folder yourself, or remove the link\n"
    )


def test_a_variable_that_chooses_nothing_else_is_not_shown(place):
    ours = [str(place / "nmt" / name) for name in ("compiled", "corpora", "alignments")]

    done = run(JAX_COMPILATION_CACHE_DIR="", HF_DATASETS_CACHE=ours[1])

    assert done.stdout == "".join(f"{each}  0 bytes\n" for each in ours)


def test_a_folder_that_cannot_be_emptied_is_named(place):
    place.write_text("a file")

    done = run("--clear")

    assert done.returncode == 0  # there is nothing to empty
    assert f"{place / 'nmt' / 'compiled'}  0 bytes\n" in done.stdout
