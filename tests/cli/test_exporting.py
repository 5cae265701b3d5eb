"""The command that exports, and every command that takes a bundle where it takes a run."""

import json
import os
import shutil
import signal
import threading
import time

import pytest
from huggingface_hub import constants


@pytest.fixture
def hub(copy_bundle, tmp_path, monkeypatch):
    """The name of the same bundle on the hub, which is in the cache."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--user--name"
    shutil.copytree(copy_bundle, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    return "hf:user/name"


LINES = ["a b c", "h g"]
LIST = [f"{n} ||| {line} ||| logprob= -1.0 ||| -0.5" for n, line in enumerate(LINES)]
COMMANDS = {
    "translate": ["{run}", "{text}", "--json"],
    "translate an ensemble": ["{run}+{run}", "{text}", "decoding.beam=2"],
    "score by several": ["{run}", "{run}", "--source", "{text}", "--target", "{text}"],
    "align": ["{run}", "--source", "{text}", "--target", "{text}"],
    "evaluate": ["{run}", "--source", "{text}", "--reference", "{text}"],
    "rescore": ["{run}", "{run}", "{list}", "--source", "{text}", "--n-best", "1"],
    "plot": ["{run}", "a b c", "-o", "{picture}"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_the_same_by_path_and_by_name(
    nmt, text, tmp_path, copy_run, copy_bundle, hub, command
):
    def done(run):
        files = {"text": text("in.txt", *LINES), "list": text("list.txt", *LIST)}
        files |= {"run": run, "picture": tmp_path / "picture.png"}
        return nmt(command.split()[0], *[each.format(**files) for each in COMMANDS[command]])

    code, out, err = done(copy_run)

    for name, last in ((copy_bundle, "bundle"), (hub, "name")):
        expected = out.replace(f"{copy_run.name}= ", f"{last}= ").replace("run_", f"{last}_")
        assert done(name) == (code, expected, err)
    assert code == 0
    assert out


def test_a_bundle_is_described_without_its_training(nmt, copy_run, copy_bundle):
    theirs = json.loads(nmt("info", copy_run, "--json")[1])

    code, out, _ = nmt("info", copy_bundle, "--json")

    same = {name: theirs[name] for name in ("model", "vocabulary", "parameters")}
    version = {"version": theirs["nmt"]["version"]}
    assert code == 0
    assert json.loads(out) == {"run": str(copy_bundle), "nmt": version, "dtype": "float32", **same}
    assert "parameters stored as float32" in nmt("info", copy_bundle)[1]


STATE = "a bundle, which has no training state; give the run folder that it was exported from"
REFUSED = {
    "average": (["average", "{bundle}"], f"{{bundle}}: {STATE}"),
    "average by name": (["average", "hf:user/name"], f"hf:user/name: {STATE}"),
    "shortlist": (["shortlist", "{bundle}"], f"{{bundle}}: {STATE}"),
    "curves": (["curves", "{bundle}"], f"{{bundle}}: {STATE}"),
    "export": (["export", "{bundle}", "{new}"], f"{{bundle}}: {STATE}"),
    "no test set": (
        ["evaluate", "{bundle}"],
        "{bundle}: its configuration has no data.test; give --source FILE --reference FILE",
    ),
    "checkpoint": (
        ["translate", "{bundle}", "{text}", "--checkpoint", "last"],
        "{bundle}: a bundle has one set of parameters, not checkpoint last; leave out --checkpoint",
    ),
    "a name": (
        ["translate", "hf:name", "{text}"],
        "hf:name: not the name of a bundle on the hub, hf:USER/NAME[@REVISION]",
    ),
    "not in the cache": (
        ["translate", "hf:user/name@v9", "{text}"],
        "hf:user/name@v9: cannot be had from the hub (it is not in the cache, and the hub is "
        "offline or cannot be reached)",
    ),
    "ensemble": (
        ["export", "{run}+{bundle}", "{new}"],
        "{run}+{bundle}: an ensemble is not one bundle; export each run, and join the bundles, A+B",
    ),
    "exists": (
        ["export", "{run}", "{bundle}"],
        "{bundle}: exists; name another folder, or replace the bundle in it with --force",
    ),
    "not pushed": (
        ["export", "{run}", "{new}", "--private"],
        "--private and --revision are for --push USER/NAME; give it too",
    ),
    "repository": (
        ["export", "{run}", "{new}", "--push", "name"],
        "name: not the name of a repository on the hub, USER/NAME",
    ),
    "no license": (
        ["export", "{run}", "{new}", "--license", ""],
        "--license is empty; give it a text, or leave it out",
    ),
    "no sentence": (
        ["export", "{run}", "{new}", "--sentence", " "],
        "--sentence is empty; give it a text, or leave it out",
    ),
    "no checkpoint": (
        ["export", "{run}", "{new}", "--checkpoint", "averaged"],
        "{run}: has no averaged checkpoint; `nmt average {run}` makes it",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_bundle_cannot_do_is_said_in_one_line(
    nmt, text, tmp_path, copy_run, copy_bundle, hub, arguments, message
):
    names = {
        "bundle": copy_bundle,
        "run": copy_run,
        "new": tmp_path / "new",
        "text": text("t", "a"),
    }

    code, out, err = nmt(*[each.format(**names) for each in arguments])

    assert (code, out, err) == (2, "", f"nmt: {message.format(**names)}\n")
    assert not (tmp_path / "new").exists()


@pytest.mark.filterwarnings("always")
def test_an_export_translates_and_a_failed_push_leaves_it(nmt, text, tmp_path, copy_run):
    lines, folder = text("in.txt", *LINES), tmp_path / "bundle"

    code, out, err = nmt(
        *(
            "export",
            copy_run,
            folder,
            "--dtype",
            "int8",
            "--sentence",
            "a b",
            "--push",
            "me/letters",
        )
    )

    assert code == 2
    assert out == f"{folder}\n"
    assert err == (
        "nmt: warning: no --license: without one, others may not use the model\n"
        "nmt: me/letters: not pushed (HF_HUB_OFFLINE is set); the bundle is whole in "
        f"{folder}: `hf upload me/letters {folder}` pushes it later\n"
    )
    assert "nmt translate hf:me/letters FILE" in (folder / "README.md").read_text()
    assert nmt("translate", folder, lines) == nmt("translate", copy_run, lines)


def test_a_card_has_texts_that_are_not_utf_8_with_signs_for_their_bytes(nmt, tmp_path, copy_run):
    mistaken = os.fsdecode(b"a\xff")
    options = ["--license", mistaken, "--trained-on", mistaken, "--sentence", mistaken]

    code, _, err = nmt("export", copy_run, folder := tmp_path / mistaken, *options)

    assert (code, err) == (0, "")
    card = (folder / "README.md").read_text("utf-8")
    assert "# a\ufffd\n" in card
    assert "license: a\ufffd\n" in card
    assert "**Training data**: a\ufffd " in card


# It may come between the opening of a file and what closes it.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_export_that_is_ended_by_a_signal_leaves_nothing(nmt, tmp_path, copy_run):
    before = signal.getsignal(signal.SIGTERM)

    def end_it():
        latest = time.monotonic() + 60
        while not list(tmp_path.glob(".bundle-*/new/*")) and time.monotonic() < latest:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGTERM)  # while it is written

    ender = threading.Thread(target=end_it, daemon=True)
    ender.start()
    code, *_ = nmt("export", copy_run, tmp_path / "bundle", "--sentence", "a b")

    assert code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before
