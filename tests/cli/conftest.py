"""A command in this process, and files of text for it."""

import json
import sys

import pytest

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
def text(tmp_path):
    def write(name, *lines):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def picture_run(tmp_path_factory):
    """A run folder of a small model that has seen 48 scenes of 16 x 16 pixels; tests only read it.

    The folder around it has the pictures, and JSON lines of them: `train.jsonl`, and `test.jsonl`,
    six with boxes, which is the test set.
    """
    from nmt import configfile
    from nmt.data import scenes
    from nmt.training.trainer import train

    folder = tmp_path_factory.mktemp("pictures")
    drawn = scenes.scenes("validation")[:54]
    rows = []
    for number, scene in enumerate(drawn):
        scenes.draw(scene, 16).save(folder / f"{number}.png")
        sentence = scene.sentence("en")
        boxes = [[[side / 4 for side in box] for box in word] for word in sentence.boxes]
        rows.append({"image": f"{number}.png", "en": sentence.text, "boxes": boxes})
    for name, part in {"train": rows[6:], "test": rows[:6]}.items():
        lines = "".join(f"{json.dumps(row)}\n" for row in part)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    settings = {
        "run": str(folder / "run"),
        "data": {
            **{"source": "image", "target": "en"},
            "input": {"kind": "pictures", "height": 16, "width": 16, "cell": 4},
            "train": str(folder / "train.jsonl"),
            "validation": str(folder / "test.jsonl"),
            "test": str(folder / "test.jsonl"),
            "batch": {"sentences": 16, "buckets": 1},
        },
        "tokenizer": {"vocabulary_size": 50, "byte_fallback": False},
        "model": {
            "embedding_size": 8,
            "encoder": {"hidden_size": 6},
            "decoder": {"kind": "luong", "hidden_size": 12},
            "dropout": 0.0,
        },
        "training": {
            **{"learning_rate": 3e-2, "max_steps": 30, "validate_every": 30},
            "attention_images": 1,
        },
        "decoding": {"batch": 4, "beam": 2, "max_output_ratio": 1},
    }
    return train(configfile.validate(settings)).path
