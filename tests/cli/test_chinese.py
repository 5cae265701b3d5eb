"""The whole way with Chinese through the command line: train, translate, score, align, draw."""

import os
import re
import subprocess
import sys

import chinese
import pytest

pytestmark = pytest.mark.slow

PLAIN = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "0", "XLA_FLAGS": ""}  # as a user's own process has them
CONFIG = """
data:
  source: en
  target: zh
  train: train
  validation: validation
  test: test
  batch: {sentences: 64, buckets: 2}
tokenizer: {vocabulary_size: 380}
model:
  embedding_size: 64
  encoder: {hidden_size: 64}
  decoder: {kind: bahdanau, hidden_size: 96}
  dropout: 0.1
training:
  learning_rate: 5.0e-3
  schedule: {kind: cosine, warmup_steps: 30}
  max_epochs: 15
  validate_every: 480
  attention_images: 0
decoding: {beam: 3, batch: 32}
"""


def nmt(folder, *arguments, text=None):
    """Runs a command in a folder; returns what it wrote to standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "nmt", *arguments],
        cwd=folder,
        env=os.environ | PLAIN,
        input=text,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a trained run, `run`, and its corpora; the test set has gold links."""
    folder = tmp_path_factory.mktemp("chinese")
    for seed, (part, number) in enumerate({"train": 2000, "validation": 60, "test": 100}.items()):
        english, mandarin, links = zip(*chinese.pairs(number, seed=seed), strict=True)
        for ending, side in (("en", english), ("zh", mandarin), ("align", links)):
            (folder / f"{part}.{ending}").write_text("\n".join(side) + "\n", encoding="utf-8")
    (folder / "chinese.yaml").write_text(CONFIG, encoding="utf-8")
    nmt(folder, "train", "chinese.yaml", "run=run")
    return folder


def test_a_pipe_translates_full_width_punctuation_and_square_meters(folder):
    out, _ = nmt(
        folder,
        "translate",
        "run",
        text="my mother bought two dogs at school yesterday .\nthe shop has 7 m² .\n",
    )

    assert out == "妈妈 昨天 在 学校 买 了 两 只 狗 。\n商店 有 7 m² 。\n"


def test_bleu_counts_chinese_characters(folder):
    out, _ = nmt(folder, "evaluate", "run")

    score = re.match(r"BLEU ([\d.]+) \((\S+)\)", out)
    assert "tok:zh" in score[2]
    assert float(score[1]) > 90


def test_the_words_are_aligned(folder):
    _, err = nmt(
        folder,
        "align",
        "run",
        "--source=test.en",
        "--target=test.zh",
        "--gold=test.align",
        "-o",
        "links",
    )

    assert len((folder / "links").read_text().splitlines()) == 100
    assert float(re.search(r"AER (0\.\d+)", err)[1]) < 0.4


def test_a_heat_map_is_drawn(folder):
    nmt(folder, "plot", "run", "the farmer sold ten horses in Beijing last year .", "-o", "map.svg")

    assert "<svg" in (folder / "map.svg").read_text(encoding="utf-8")
