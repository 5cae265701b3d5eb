"""configs/flickr8k.yaml on a small copy of the layout of its data set, with drawn pictures."""

import io
import re
from pathlib import Path

import pytest
from datasets import Dataset, Features, Image, Value

from nmt import configfile
from nmt.data import scenes
from nmt.training.session import train

CONFIGS = Path(__file__).parents[1] / "configs"
SMALL = [
    "data.batch={sentences: 4, buckets: 1}",
    "data.max_length=200",
    "tokenizer.vocabulary_size=60",
    "tokenizer.byte_fallback=false",
    "model.embedding_size=8",
    "model.encoder={kind: conv, channels: [4, 4, 6, 6], depth: 1, annotation_size: 8}",
    "model.decoder.hidden_size=8",
    "training.max_steps=2",
    "training.validate_every=2",
    "training.attention_images=0",
    "training.keep=0",
    "decoding.max_output_ratio=0.1",
]


@pytest.fixture
def copy(tmp_path):
    """A folder of the tables of the data set: a picture and five captions in each row."""
    folder = tmp_path / "flickr8k"
    folder.mkdir()
    names = [f"caption_{number}" for number in range(5)]
    features = Features({"image": Image(), **{name: Value("string") for name in names}})
    for split, number in {"train": 4, "validation": 1, "test": 2}.items():
        rows = []
        for scene in scenes.scenes(split)[:number]:
            file = io.BytesIO()
            scenes.draw(scene, 100).save(file, "JPEG")
            captions = {name: f"{scene.english.text} {name[-1]}" for name in names}
            rows.append({"image": {"bytes": file.getvalue(), "path": "x.jpg"}, **captions})
        Dataset.from_list(rows, features=features).to_parquet(folder / f"{split}.parquet")
    return folder


def test_a_copy_of_the_layout_is_trained_on(copy, tmp_path, capsys):
    text = (CONFIGS / "flickr8k.yaml").read_text()
    (tmp_path / "local.yaml").write_text(text.replace("jxie/flickr8k", str(copy)))
    config = configfile.load(tmp_path / "local.yaml", [*SMALL, f"run={tmp_path / 'run'}"])

    run = train(config)

    assert run.progress("last").step == 2
    assert re.search(r"20 of 20 pairs kept", capsys.readouterr().err)


def test_show_attend_and_tell_has_a_hard_variant():
    path = CONFIGS / "show-attend-tell.yaml"
    head, *_ = path.read_text().split("\ndata:")
    command = re.search(r"^#   nmt train \S+ run=(?s:.*?)null$", head, re.M)[0]
    overrides = re.sub(r"\\\n#", "", command).split()[4:]

    hard = configfile.load(path, overrides)
    assert hard.model.attention.mechanism == "hard"
    assert hard.model.attention.estimator.kind == "reinforce"
    assert hard.training.doubly_stochastic is None
    soft = configfile.load(path)
    assert (soft.model.decoder.kind, soft.model.cell.kind) == ("xu", "lstm")
