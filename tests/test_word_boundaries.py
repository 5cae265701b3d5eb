"""Which words a run counts: its own choice, and what earlier versions counted."""

import pytest

from nmt import Run, Translator, configfile
from nmt.config.migration import migrated

TREE = {"data": {"train": {"path": "a"}, "validation": {"path": "b"}}}
LINKED = {"data": {**TREE["data"], "train": {"path": "a", "alignments": "a.align"}}}


@pytest.mark.parametrize(
    ("tree", "boundaries"),
    [
        (TREE, "spaces"),  # no links were trained with
        (LINKED, "unicode"),
        ({"data": {**LINKED["data"], "word_boundaries": "spaces"}}, "spaces"),
        ({"data": {**TREE["data"], "word_boundaries": "unicode"}}, "unicode"),
    ],
)
def test_a_run_that_was_trained_with_links_counts_words_as_it_did(tree, boundaries):
    assert configfile.validate(migrated(tree)).data.word_boundaries == boundaries
    assert configfile.validate(tree).data.word_boundaries in (boundaries, "spaces")


def test_a_resumed_run_keeps_its_words(tmp_path):
    stored = {**LINKED, "run": str(tmp_path / "run")}
    (tmp_path / "run").mkdir()
    config = configfile.dump(configfile.validate(stored)).replace("  word_boundaries: spaces\n", "")
    (tmp_path / "run" / "config.yaml").write_text(config, encoding="utf-8")

    resumed = Run.start(configfile.validate(stored))

    assert resumed.config.data.word_boundaries == "unicode"
    assert resumed.notes == [
        f"{tmp_path / 'run'}: data.word_boundaries stays unicode as in its config.yaml, not "
        "spaces; edit that file to change it"
    ]


@pytest.mark.parametrize(("boundaries", "words"), [("spaces", 2), ("unicode", 3)])
def test_translations_have_the_words_of_their_run(copy_run, boundaries, words):
    loaded = Translator.load(copy_run)
    translator = Translator(
        loaded.loaded,
        tokenizers=loaded.tokenizers,
        config=loaded.config,
        word_boundaries=boundaries,
    )

    forced = translator.align("a\u00a0b c", "a\u00a0b c")
    empty = translator.align("a\u00a0b c", "")

    assert loaded.word_boundaries == "spaces"
    assert forced.words.weights.shape == (words, words)
    assert len(translator.translate("a\u00a0b c").words.source) == words
    assert len(empty.words.source) == words
