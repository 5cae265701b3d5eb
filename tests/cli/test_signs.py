"""Signs, emoji and other scripts through the commands: a small model learns, and loses none."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PEOPLE = {
    "Der Hund": "The dog",
    "Die Katze": "The cat",
    "Das Kind": "The child",
    "Ein Mann": "A man",
}
VERBS = {"schläft": "sleeps", "rennt": "runs", "lacht": "laughs", "sitzt": "sits"}
SENTENCES = {
    f"{who} {does}.": f"{whom} {do}." for who, whom in PEOPLE.items() for does, do in VERBS.items()
}
HELD_OUT = "Der Hund schläft. Die Katze rennt."


pytestmark = pytest.mark.slow  # of half a minute, in which each model is trained


@pytest.fixture(
    scope="module",
    params=[pytest.param(True, id="bytes"), pytest.param(False, id="unk")],
)
def run(request, tmp_path_factory):
    """A run folder, and what training printed; trained on sizes and on pairs of sentences."""
    folder = tmp_path_factory.mktemp("signs")
    pairs = [(f"Größe {n} m² …", f"size {n} m² …") for n in range(500)]
    pairs += [
        (f"{one} {two}", f"{SENTENCES[one]} {SENTENCES[two]}")
        for one in SENTENCES
        for two in SENTENCES
        if f"{one} {two}" != HELD_OUT
    ]
    pairs = pairs * 4
    for name, part in {"train": pairs, "val": [*pairs[:50], ("漢 Größe 1", "漢 size 1")]}.items():
        for language, side in zip(("de", "en"), zip(*part, strict=True), strict=True):
            (folder / f"{name}.{language}").write_text("\n".join(side) + "\n", encoding="utf-8")
    config = {
        "run": str(folder / "run"),
        "data": {
            "train": str(folder / "train"),
            "validation": str(folder / "val"),
            "batch": {"sentences": 32, "buckets": 2},
        },
        "tokenizer": {
            "kind": "bpe",
            "vocabulary_size": 120 + 256 * request.param,
            "byte_fallback": request.param,
        },
        "model": {
            "embedding_size": 32,
            "encoder": {"hidden_size": 32},
            "decoder": {"kind": "luong", "hidden_size": 64},
            "dropout": 0.0,
        },
        "training": {
            "learning_rate": 1e-2,
            "max_epochs": 3,
            "validate_every": 280,
            "attention_images": 0,
            "patience": None,
        },
    }
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "nmt", "train", folder / "config.yaml"]
    done = subprocess.run(command, capture_output=True, check=True)
    return folder / "run", done.stderr.decode("utf-8"), request.param


def test_training_names_the_characters_that_its_vocabulary_lacks(run):
    folder, said, has_bytes = run
    report = f"{folder}: characters of the %s text that the tokenizer lacks or changes, "
    lines = said.splitlines()

    for side in ("source", "target"):
        named = f"{report % side}with how often they occur: U+6F22 漢 1"
        assert (named in lines) == (not has_bytes)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Größe 7 m² …", "size 7 m² …"),
        ("Der Hund schläft. Die Katze rennt.", "The dog sleeps. The cat runs."),
        ("Der Hund schläft. 😆 Die Katze rennt.", "The dog sleeps. 😆 The cat runs."),
        ("Der Hund schläft 😆. Die Katze rennt.", "The dog sleeps 😆. The cat runs."),
        ("Das Kind\u00a0lacht.\u200b Ein Mann sitzt. 漢字", "The child laughs. A man sits. 漢字"),
        ("Größe 12 m²\u2028…\u200e", "size 12 m² …"),
        ("😆", "😆"),
        ("\u200b\ufeff", ""),
    ],
)
def test_neither_signs_nor_the_sentences_around_them_are_lost(nmt, run, text, line, expected):
    code, out, _ = nmt("translate", run[0], text("in.txt", line))

    assert (code, out) == (0, f"{expected}\n")


def test_links_lead_around_what_was_copied(nmt, run, text, tmp_path):
    source = text("in.txt", "Der Hund schläft. 😆 Die Katze rennt.")

    nmt("translate", run[0], source, "--alignments", tmp_path / "links.txt")

    links = (tmp_path / "links.txt").read_text().split()
    assert not [link for link in links if "3" in link.split("-")]
    assert {"2-2", "6-6"} <= set(links)


def test_a_dictionary_has_words_that_the_vocabulary_lacks(nmt, run, text):
    source, dictionary = (
        text("in.txt", "Das Kind lacht. Ein Mann sitzt. 漢字"),
        text("d.tsv", "漢字\tkanji", "a\tb"),
    )

    code, out, _ = nmt("translate", run[0], source, "--dictionary", dictionary)

    assert (code, out) == (0, "The child laughs. A man sits. kanji\n")


@pytest.mark.parametrize("entry", ["漢字\tkan\tji", "漢字", "\tkanji", ""])
def test_a_dictionary_of_other_columns_is_refused(nmt, run, text, entry):
    source, dictionary = text("in.txt", "漢字"), text("d.tsv", "漢字\tkanji", entry)

    code, _, err = nmt("translate", run[0], source, "--dictionary", dictionary)

    assert code == 2
    assert err.startswith(f"nmt: {dictionary}, line 2: not WORD, one tab and its translation")
