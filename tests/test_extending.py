"""ARCHITECTURE.md says how to add an implementation; its examples are added, and work.

Each example is one new file, and at most one edit of the configuration. All are added to a copy of
the package, which then trains and translates with them in a process of its own.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import letters, write_side_by_side

FOLDER = Path(__file__).parents[1]
PAGE = (FOLDER / "ARCHITECTURE.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^`(nmt/[\w/]+\.py)`\n\n```python\n(.*?)^```$", re.M | re.S)

SCRIPT = """
import sys
import numpy as np
import nmt
from nmt import configfile
from nmt.inference.guesser import Guesser
from nmt.info import describe, render
from nmt.inference.predictor import Predictor
from nmt.plotting.network import draw

blank = configfile.load("blank.yaml", sys.argv[1:])
run = nmt.train(blank)
print([record["train/free"] for record in run.records() if "train/free" in record])
description = describe(run)
assert "still" in draw(description, run.config.model).lower() and render(description)
print([repr(each.text) for each in nmt.Translator.load(run.path).translate(["a b", "c"])])
tokenizers = run.tokenizers()
guesser = Guesser(tokenizers.target.size)
assert isinstance(guesser, Predictor)
translator = nmt.Translator(guesser, tokenizers=tokenizers, config=blank.decoding)
forced = translator.align("a b", "c")
tokens = len(forced.target_pieces)
np.testing.assert_allclose(forced.log_prob, -tokens * np.log(guesser.vocabulary_size), rtol=1e-5)
print(repr(translator.translate("a b").text))
from flax import nnx
from nmt.config import SCORES, GlobalConfig
SCORES["flat"] = "nmt.attention.flat:FlatScore"
for name in ("flat", "nmt.attention.flat:FlatScore"):
    print(type(GlobalConfig(score=name).build(4, 6, rngs=nnx.Rngs(params=0)).score).__name__)
try:
    translator.explain(forced, method="saliency")
except nmt.DataError as error:
    print(error)
"""
CONFIG = """
data: {train: train, validation: val, batch: {sentences: 8, buckets: 1}}
tokenizer: {vocabulary_size: 21, byte_fallback: false}
model:
  embedding_size: 8
  cell: still
  encoder: blank
  decoder: {hidden_size: 8}
  attention: first
training: {max_steps: 2, validate_every: 2, log_every: 1, attention_images: 0, free: {}}
decoding: {beam: 2, max_extra: 1, strategy: second_best, anything: {}}
"""


def edited(text, example):
    """Returns a module with an example's statements in their places.

    An import or an assignment replaces that of the same name, a class of a name that is there adds
    its fields, and what is new stands before the statement after it in the example.
    """
    waiting = []
    for part in ast.parse(example).body:
        code = example.splitlines()[part.lineno - 1 : part.end_lineno]
        there = [each for each in ast.parse(text).body if _name(each) == _name(part)]
        if not there:
            waiting += [*code, "", ""]
            continue
        (old,), lines = there, text.splitlines()
        if isinstance(part, ast.ClassDef):
            first = next(each for each in old.body if isinstance(each, ast.AnnAssign))
            at = first.lineno - 1
            code = lines[old.lineno - 1 : at] + code[1:] + lines[at : old.end_lineno]
        text = "\n".join([*lines[: old.lineno - 1], *waiting, *code, *lines[old.end_lineno :], ""])
        waiting = []
    return text


def _name(statement):
    match statement:
        case ast.ClassDef(name=name) | ast.ImportFrom(module=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with a copy of the package, in which all examples have been added."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(FOLDER / "nmt", folder / "nmt", ignore=shutil.ignore_patterns("__pycache__"))
    for name, code in BLOCK.findall(PAGE):
        path = folder / name
        path.write_text(edited(path.read_text(), code) if path.exists() else code)
    return folder


def test_each_example_is_one_new_file_and_at_most_one_edit_of_the_configuration():
    sections = re.findall(r"^### A.*?(?=^### |^## )", PAGE, re.M | re.S)

    assert len(sections) == 8
    for section in sections:
        new, *edits = (name for name, _ in BLOCK.findall(section))
        assert not (FOLDER / new).exists()
        assert len(edits) <= 1
        assert all(edit.startswith("nmt/config/") and (FOLDER / edit).exists() for edit in edits)


@pytest.fixture(scope="module")
def said(package, tmp_path_factory):
    """The lines that one process prints, which uses the examples in every way."""
    folder = tmp_path_factory.mktemp("blank")
    parts = {"train": letters(40, longest=4, seed=1)}
    parts["val"] = letters(10, least=4, longest=4, seed=2)
    for name, part in parts.items():
        write_side_by_side(folder, name, part, part)
    (folder / "blank.yaml").write_text(CONFIG)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_a_model_of_nothing_but_examples_trains_and_translates(said):
    assert said[0] == "[0.0, 0.0]"
    assert said[-1] == (
        "Guesser is not one model, whose steps and gradients could be asked for: choose the method "
        "attention"
    )


def test_a_score_of_ones_own_and_a_name_for_it_work_in_the_same_way(said):
    assert said[-3:-1] == ["FlatScore", "FlatScore"]
