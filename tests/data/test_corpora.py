"""The corpora of a configuration together: tags, languages, links of some, cleaning, order."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nmt import configfile
from nmt.config import TrainedTokenizerConfig
from nmt.data import corpora, corpus, tokenizer_training
from nmt.errors import DataError


def write(folder, name, *lines):
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(folder / name)


@pytest.fixture
def folder(tmp_path):
    """Two corpora of other languages, links of the first, and a validation set."""
    write(tmp_path, "one.de", "Der Hund schläft.", "", "Die Katze singt.")
    write(tmp_path, "one.en", "The dog is asleep.", "", "The cat sings.")
    write(tmp_path, "one.align", "0-0 1-1 2-3", "", "2-2")
    write(tmp_path, "two.de", "Ein Vogel fliegt.", "Der Hund schläft.")
    write(tmp_path, "two.fr", "Un oiseau vole.", "Le chien dort.")
    write(tmp_path, "val.de", "Ein Vogel fliegt!")
    write(tmp_path, "val.en", "A bird is flying!")
    return tmp_path


def settings(folder, *train, **data):
    return configfile.validate(
        {"data": {"train": list(train), "validation": str(folder / "val"), **data}}
    ).data


def first(folder, **keys):
    return {"path": str(folder / "one"), **keys}


def second(folder, **keys):
    return {"path": str(folder / "two"), "languages": ["de", "fr"], **keys}


def test_corpora_follow_one_another_and_each_has_its_own_languages(folder):
    data = settings(folder, first(folder), second(folder))

    found = corpora.training(data)

    assert found.text["target"][:] == [
        *("The dog is asleep.", "", "The cat sings."),
        *("Un oiseau vole.", "Le chien dort."),
    ]
    assert found.text["corpus"][:] == [0, 0, 0, 1, 1]
    assert found.report is None
    assert list(found.removed()) == []


def test_a_parquet_file_of_large_strings_is_joined_to_text(folder):
    columns = {"de": ["Ein Vogel singt."], "en": ["A bird sings."]}
    text = {name: pa.array(values, pa.large_string()) for name, values in columns.items()}
    pq.write_table(pa.table(text), folder / "pandas.parquet")  # as pandas 3 writes it

    found = corpora.training(settings(folder, first(folder), {"path": f"{folder}/pandas.parquet"}))

    assert found.text["source"][-2:] == ["Die Katze singt.", "Ein Vogel singt."]
    assert found.text["target"][-2:] == ["The cat sings.", "A bird sings."]


def test_a_single_corpus_is_as_it_is_loaded(folder):
    data = settings(folder, first(folder))

    found = corpora.training(data).text

    alone = corpus.load(data.corpora[0], source="de", target="en")
    assert found.column_names == ["source", "target"]
    assert found._fingerprint == alone._fingerprint


def test_a_tag_is_the_first_word_of_each_source_that_is_not_empty(folder):
    data = settings(folder, first(folder, source_tag="<2en>"), second(folder))

    assert corpora.training(data).text["source"][:] == [
        *("<2en> Der Hund schläft.", "", "<2en> Die Katze singt."),
        *("Ein Vogel fliegt.", "Der Hund schläft."),
    ]


@pytest.mark.parametrize("name", ["validation", "test"])
def test_held_out_corpora_have_tags_and_languages_too(folder, name):
    write(folder, "more.de", "Ein Vogel fliegt!")
    write(folder, "more.fr", "Un oiseau vole !")
    held_out = {"path": str(folder / "more"), "languages": ["de", "fr"], "source_tag": "<2fr>"}
    data = settings(folder, first(folder), second(folder, source_tag="<2fr>"), **{name: held_out})

    found = corpora.held_out(data, name)

    assert found["source"][:] == ["<2fr> Ein Vogel fliegt!"]
    assert found["target"][:] == ["Un oiseau vole !"]


def test_links_are_those_of_the_words_after_the_tag_and_others_have_none(folder):
    linked = first(folder, alignments=str(folder / "one.align"), source_tag="<2en>")

    text = corpora.training(settings(folder, linked, second(folder))).text

    assert text["links"][:] == [[1, 0, 2, 1, 3, 3], [], [3, 2], [], []]
    for line, links, word in [(0, 0, "Der"), (0, 4, "schläft."), (2, 0, "singt.")]:
        assert text["source"][line].split()[text["links"][line][links]] == word


def test_a_tag_is_one_piece_and_linked_pieces_are_those_of_the_words(folder):
    linked = first(folder, alignments=str(folder / "one.align"), source_tag="<2en>")
    data = settings(folder, linked, second(folder, source_tag="<2fr>"), validation={
        "path": str(folder / "val"), "source_tag": "<2fr>"
    })  # fmt: skip
    text = corpora.training(data).text
    tokenizers = tokenizer_training.train(
        text["source"],
        text["target"],
        TrainedTokenizerConfig(vocabulary_size=40, byte_fallback=False),
        symbols=data.tags,
    )

    encoded = corpus.encode(text, tokenizers)

    model = tokenizers.source
    assert model.pieces(model.encode("<2fr> Ein Hund"))[:2] == ["▁", "<2fr>"]
    assert model.pieces(encoded["source"][0])[1] == "<2en>"
    linked = sorted(set(encoded["links"][2][::2]))
    assert "".join(model.pieces([encoded["source"][2][place] for place in linked])) == "▁singt."
    assert encoded["links"][3] == encoded["links"][4] == []


def test_a_tag_that_a_given_tokenizer_divides_is_told(folder):
    data = settings(folder, first(folder, source_tag="<2en>"), second(folder))
    lines = ["Der Hund schläft.", "Die Katze singt."]
    given = tokenizer_training.train(
        lines, lines, TrainedTokenizerConfig(vocabulary_size=26, byte_fallback=False)
    ).source
    known = tokenizer_training.train(
        lines,
        lines,
        TrainedTokenizerConfig(vocabulary_size=26, byte_fallback=False),
        symbols=data.tags,
    ).source

    message = r"the tokenizer has no piece <2en>, and reads this tag as \d+ pieces; train a"
    with pytest.warns(match=message):
        corpora.check_tags(data, given)
    corpora.check_tags(data, known)


def test_cleaning_counts_all_corpora_and_leaves_out_what_validation_has(folder):
    other = second(folder, path=None, source=str(folder / "two.de"), target=str(folder / "one.en"))
    write(folder, "two.de", "Ein Vogel fliegt.", "x", "Der Hund schläft.")
    write(folder, "one.en", "The dog is asleep.", "", "The cat sings.")
    write(folder, "one.de", "Der Hund schläft.", "Hund", "Der Hund schläft.")
    del other["path"]
    data = settings(folder, first(folder, source_tag="<2en>"), other, clean=True)

    found = corpora.training(data)

    assert found.text["source"][:] == ["<2en> Der Hund schläft.", "<2en> Der Hund schläft."]
    assert found.text["corpus"][:] == [0, 0]
    assert found.report.left_out | {"empty": 2, "in validation or test": 1, "repeated": 1} == (
        found.report.left_out
    )
    assert (found.report.total, found.report.kept) == (6, 2)
    assert list(found.removed()) == [
        ("empty", "Hund", ""),
        ("in validation or test", "Ein Vogel fliegt.", "The dog is asleep."),
        ("empty", "x", ""),
        ("repeated", "Der Hund schläft.", "The cat sings."),
    ]


def test_nothing_left_after_cleaning_is_refused(folder):
    data = settings(folder, {"path": str(folder / "val")}, clean=True)

    message = "data.clean: no pair is left to train on: 0 of 1 pairs kept; left out: 0 empty"
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        corpora.training(data)


def test_the_same_corpora_are_the_same_text_when_they_are_read_again(folder):
    linked = first(folder, alignments=str(folder / "one.align"), source_tag="<2en>")
    data = settings(folder, linked, second(folder), clean={})

    once, again = (corpora.training(data).text for _ in range(2))

    assert once._fingerprint == again._fingerprint
