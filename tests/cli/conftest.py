"""A command in this process, and files of text and pipes for it."""

import json
import os
import sys

import numpy as np
import pytest
from tiny import letters, tree, untrained_run

from nmt import cli


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
def piped():
    """Makes a pipe that holds a short text, and returns its name, as bash names `<(command)`."""
    ends = []

    def pipe(text):
        read, write = os.pipe()
        ends.append(read)
        os.write(write, text.encode() if isinstance(text, str) else text)
        os.close(write)
        return f"/dev/fd/{read}"

    yield pipe
    for end in ends:
        os.close(end)


@pytest.fixture
def standard_input(piped):
    """Has the commands of a test read a short text, once, from a pipe as standard input."""
    own = os.dup(0)
    yield lambda text: os.dup2(int(piped(text).rpartition("/")[2]), 0)
    os.dup2(own, 0)
    os.close(own)


@pytest.fixture
def text(tmp_path):
    def write(name, *lines):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def picture_run(tmp_path_factory):
    """A run folder of an untrained model that reads pictures of 16 x 16 pixels; only read it.

    The folder around it has six scenes as pictures, and JSON lines of them with boxes,
    `test.jsonl`, which is the test set of the run.
    """
    from nmt.data import scenes

    folder = tmp_path_factory.mktemp("pictures")
    drawn = scenes.scenes("validation")[:60]
    rows = []
    for number, scene in enumerate(drawn[:6]):
        scenes.draw(scene, 16).save(folder / f"{number}.png")
        sentence = scene.sentence("en")
        boxes = [[[side / 4 for side in box] for box in word] for word in sentence.boxes]
        rows.append({"image": f"{number}.png", "en": sentence.text, "boxes": boxes})
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / "test.jsonl").write_text(lines, encoding="utf-8")
    settings = tree(folder / "run", folder, vocabulary=60, dropout=0.0)
    settings["data"] |= {
        "source": "image",
        "target": "en",
        "test": str(folder / "test.jsonl"),
        "input": {"kind": "pictures", "height": 16, "width": 16, "cell": 4},
    }
    return untrained_run(settings, [scene.english.text for scene in drawn])


@pytest.fixture(scope="session")
def vector_run(tmp_path_factory):
    """A run folder of an untrained model that reads three vectors, those of `two.npz` beside it."""
    folder = tmp_path_factory.mktemp("vectors")
    arrays = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    np.savez(folder / "two.npz", arrays)
    settings = tree(folder / "run", folder, dropout=0.0)
    settings["data"] |= {"source": "speech", "input": {"kind": "vectors", "size": 4}}
    return untrained_run(settings, letters(50, longest=5, seed=0))
