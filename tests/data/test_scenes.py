"""The embedded corpus of scenes: its splits, and its sentences in both languages."""

import gzip
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from captions import phrases, singular

from demo_corpus.scenes import generate
from nmt.data import embedded, scenes
from nmt.errors import DataError

TOOLS = Path(__file__).parents[2] / "tools"
SCRIPT = """
import sys
from demo_corpus.scenes import table
sys.stdout.buffer.write(table().encode())
"""
KINDS = {
    "Kreis": "circle",
    "Ring": "ring",
    "Quadrat": "square",
    "Dreieck": "triangle",
    "Kreuz": "cross",
    "Raute": "diamond",
}
FEMININE, NEUTER = {"Raute"}, {"Quadrat", "Dreieck", "Kreuz"}
GERMAN = {
    "klein": "small",
    "groß": "large",
    "rot": "red",
    "grün": "green",
    "blau": "blue",
    "gelb": "yellow",
    "violett": "purple",
    "schwarz": "black",
    "zwei": "two",
    "drei": "three",
}


@pytest.fixture(scope="module")
def splits():
    return {split: scenes.scenes(split) for split in embedded.SPLITS}


@pytest.fixture(scope="module")
def everything(splits):
    return [scene for split in splits.values() for scene in split]


def test_sizes_and_an_unknown_split(splits):
    assert [len(splits[name]) for name in ("train", "validation", "test")] == [8000, 300, 500]
    with pytest.raises(DataError, match="no split 'dev'; choose from train, validation, test"):
        scenes.scenes("dev")


def test_no_sentence_and_no_picture_is_twice(everything):
    for contents in (
        {scene.english.text for scene in everything},
        {scene.german.text for scene in everything},
        {frozenset(scene.shapes) for scene in everything},
    ):
        assert len(contents) == len(everything)


def test_splits_have_no_sentence_in_common_whatever_the_seed(splits):
    texts = {name: [scene.english.text for scene in split] for name, split in splits.items()}
    for name, size in (("train", 1000), ("test", 200)):
        drawn = generate(name, seed=2, size=size)
        texts[f"{name}-2"] = [" ".join(word.text for word in each.english) for each in drawn]

    assert len(texts["train-2"]) == 1000
    for (first, some), (second, others) in combinations(texts.items(), 2):
        if first.split("-")[0] != second.split("-")[0]:
            assert not set(some) & set(others)


def test_every_word_is_often_in_the_training_split(splits):
    for language in ("english", "german"):
        counts = {
            name: Counter(
                word
                for scene in split
                for word in re.findall(r"\w+", getattr(scene, language).text)
            )
            for name, split in splits.items()
        }

        assert min(counts["train"].values()) >= 60
        assert not (counts["test"] + counts["validation"]).keys() - counts["train"].keys()


def test_the_package_has_what_the_generator_writes():
    environment = {**os.environ, "PYTHONHASHSEED": "1"}  # which must not matter
    written = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=TOOLS, env=environment, capture_output=True, check=True
    )

    assert gzip.decompress(scenes.PATH.read_bytes()) == written.stdout
    assert scenes.PATH.stat().st_size < 400_000


def test_the_module_loads_neither_jax_nor_pillow():
    script = "import sys, nmt.data.scenes; print({'jax', 'PIL'} & sys.modules.keys())"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert printed.stdout.decode().strip() == "set()"


def test_each_shape_is_named_and_has_room(everything):
    for scene in everything:
        boxes = {shape.box for shape in scene.shapes}
        for caption in (scene.german, scene.english):
            assert {box for named in caption.boxes for box in named} == boxes
        taken = np.zeros((64, 64), int)
        for left, top, right, bottom in boxes:
            assert min(left, top) >= 1
            assert max(right, bottom) <= 63
            taken[top - 1 : bottom, left - 1 : right] += 1  # with a pixel between the shapes
        assert taken.max() == 1


def test_german_and_english_name_the_same_shapes_in_the_same_order(everything):
    for scene in everything:
        german, english = phrases(scene.german), phrases(scene.english)
        assert [boxes for _, boxes in german] == [boxes for _, boxes in english]
        for (german_words, _), (english_words, _) in zip(german, english, strict=True):
            *others, noun = german_words
            translated = [translation(word) for word in others]
            assert translated == [word.lower() for word in english_words[:-1]]
            assert KINDS[lemma(noun)] == singular(english_words[-1])


def lemma(noun):
    """Returns the nominative singular of a noun: Kreis for Kreisen."""
    return next(each for each in KINDS if noun.startswith(each))


def translation(word):
    word = word.lower()
    if word.startswith("ein"):
        return "a"
    if word in {"vom", "der", "den"}:
        return "the"
    stem = re.sub("(?:e|er|es|en)$", "", word)
    return GERMAN.get(word) or GERMAN[stem]


# The ending of ein, of the adjectives behind it, and of those behind a number.
ENDINGS = {
    ("nominative", "masculine"): ("", "er"),
    ("nominative", "feminine"): ("e", "e"),
    ("nominative", "neuter"): ("", "es"),
    ("nominative", "plural"): (None, "e"),
    ("accusative", "masculine"): ("en", "en"),
    ("accusative", "feminine"): ("e", "e"),
    ("accusative", "neuter"): ("", "es"),
    ("dative", "masculine"): ("em", "en"),
    ("dative", "feminine"): ("er", "en"),
    ("dative", "neuter"): ("em", "en"),
    ("dative", "plural"): (None, "en"),
}


def test_german_endings_agree_with_case_and_gender(everything):
    seen = set()
    for scene in everything:
        text = scene.german.text
        for match in re.finditer(r"(\w*,? ?)\b([Ee]in\w*|[Zz]wei|[Dd]rei) (\w+) (\w+) (\w+)", text):
            before, article, size, color, noun = match.groups()
            nominative = not before.strip() or (before == "und " and "zwischen" not in text)
            case = "nominative" if nominative else "dative"
            case = "accusative" if text.startswith("Es gibt") else case
            name = lemma(noun)
            gender = "feminine" if name in FEMININE else "neuter" if name in NEUTER else "masculine"
            number = gender if article.lower().startswith("ein") else "plural"
            of_article, of_adjectives = ENDINGS[case, number]
            assert of_article is None or article.lower() == f"ein{of_article}", text
            assert size in {f"klein{of_adjectives}", f"groß{of_adjectives}"}, text
            assert GERMAN[color.removesuffix(of_adjectives)], text
            seen.add((case, number))

    assert seen == ENDINGS.keys()


def test_the_verb_agrees_with_what_it_is_about(everything):
    for scene in everything:
        for german, verb in re.findall(r"(\w+) (?:\w+ ){3}(ist|sind)\b", scene.german.text):
            assert (verb == "ist") == german.lower().startswith("ein")
        for english, verb in re.findall(r"(\w+) (?:\w+ ){3}(is|are)\b", scene.english.text):
            assert (verb == "is") == (english.lower() == "a")
        assert scene.english.text.startswith("There is a ") == (len(scene.shapes) == 1)
        assert scene.german.text.startswith("Es gibt ") == (len(scene.shapes) == 1)
