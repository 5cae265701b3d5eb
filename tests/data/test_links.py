"""Word links of a corpus: read beside their pairs, refused where they are wrong, cut to pieces."""

import re

import pytest
from datasets import Dataset

from nmt.config import CorpusConfig, SamplingConfig
from nmt.data import corpus, embedded
from nmt.errors import DataError

PAIRS = [("ein Hund", "a dog"), ("", ""), ("zwei  Katzen", "two cats sing")]


def load(folder, links, pairs=PAIRS, **choice):
    for place, language in enumerate(("de", "en")):
        text = "".join(f"{pair[place]}\n" for pair in pairs)
        (folder / f"train.{language}").write_text(text, encoding="utf-8")
    (folder / "a.align").write_text(links, encoding="utf-8")
    where = CorpusConfig(path=str(folder / "train"), alignments=str(folder / "a.align"))
    return corpus.load(where, source="de", target="en", **choice)


def test_each_pair_has_the_links_of_its_line(tmp_path):
    text = load(tmp_path, "1-1 0-0\n\n1-2\n")

    assert list(zip(text["source"], text["target"], strict=True)) == PAIRS
    assert text["links"][:] == [[0, 0, 1, 1], [], [1, 2]]


def test_other_links_of_the_same_text_are_not_taken_from_the_cache(tmp_path):
    load(tmp_path, "0-0\n\n\n")

    assert load(tmp_path, "0-1\n\n\n")["links"][:] == [[0, 1], [], []]


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ("0-0\n\n", " has 2 sentences and the corpus has 3; they must correspond sentence for sen"),
        ("0-0\n\n\n\n", " has 4 sentences and the corpus has 3; they must correspond sentence for"),
        (
            "4 1 1\n",
            " has 4 sentences and the corpus has 3; they must correspond sentence for sent",
        ),
        (
            "1 3 1\n",
            ", sentence 1: link 3-1 lies outside the 2 source words; words are counted from 1",
        ),
        ("1 1 1\n3 2 1 P\n", ", sentence 3: '3 2 1 P' is a possible link"),
        ("0-0\n\n0-0 0-3\n", ", sentence 3: link 0-3 lies outside the 3 target words; words are"),
        ("0-0\n0-0\n\n", ", sentence 2: link 0-0 lies outside the 0 source words; words are"),
        ("0:0\n\n\n", ", line 1: '0:0' is no link"),
        ("0-0\n\n0p1\n", ", sentence 3: '0p1' is a possible link"),
    ],
)
def test_links_that_are_not_those_of_the_text_are_refused(tmp_path, links, message):
    with pytest.raises(DataError, match=re.escape(f"{tmp_path / 'a.align'}{message}")):
        load(tmp_path, links)


def test_a_missing_file_of_links_is_named(tmp_path):
    where = CorpusConfig(path="embedded", alignments=str(tmp_path / "a.align"))
    with pytest.raises(DataError, match=r"a\.align: no such file"):
        corpus.load(where, source="de", target="en")


def linked_text(tokenizer, encoded, side, places):
    """What the pieces at those places spell, other places left out."""
    pieces = tokenizer.pieces(encoded[side])
    return "".join(piece for place, piece in enumerate(pieces) if place in places).strip("▁")


@pytest.mark.parametrize("sampling", [None, SamplingConfig(alpha=0.1)])
def test_a_link_goes_to_all_pieces_of_its_words_however_they_are_cut(
    tmp_path, embedded_tokenizers, sampling
):
    pairs = [(pair.source, pair.target) for pair in embedded.pairs("train")[:50]]
    ends = [(len(source.split()) - 1, len(target.split()) // 2) for source, target in pairs]
    lines = "".join(f"{i}-{j}\n" for i, j in ends)
    with pytest.warns(UserWarning, match="no link has a 0; if words are counted from 1, subtract"):
        text = load(tmp_path, lines, pairs)

    encoded = corpus.encode(text, embedded_tokenizers, sampling=sampling, seed=3)

    for row, (source, target), (i, j) in zip(encoded, pairs, ends, strict=True):
        places = set(row["links"][::2]), set(row["links"][1::2])
        assert len(row["links"]) == 2 * len(places[0]) * len(places[1])
        model = embedded_tokenizers.source
        assert linked_text(model, row, "source", places[0]) == source.split()[i]
        assert linked_text(model, row, "target", places[1]) == target.split()[j]


@pytest.mark.parametrize("sampling", [None, SamplingConfig(alpha=0.1)])
def test_a_pair_whose_pieces_spell_other_words_keeps_its_links_if_their_places_are_known(
    embedded_tokenizers, sampling
):
    # The model makes a space and an accent of U+00B4, and has no piece for U+3000 in a word.
    source = ["das Haus", "das´ Haus"]
    text = Dataset.from_dict({"source": source, "target": ["the house"] * 2, "links": [[1, 1]] * 2})

    encoded = corpus.encode(text, embedded_tokenizers, sampling=sampling)

    assert [bool(links) for links in encoded["links"]] == [True, sampling is None]
    for row in encoded:
        places = set(row["links"][::2]), set(row["links"][1::2])
        if row["links"]:
            assert linked_text(embedded_tokenizers.source, row, "source", places[0]) == "Haus"
            assert linked_text(embedded_tokenizers.target, row, "target", places[1]) == "house"


# Links of the same words as the two kinds of tools number them.
ODD = [("ein\u00a0Hund bellt", "a dog barks"), ("Katze", "a\u3000cat"), ("ja \u2009 so", "yes")]


@pytest.mark.parametrize(
    ("choice", "links"),
    [
        ("spaces", "0-0 0-1 1-2\n0-0\n2-0\n"),
        ("unicode", "0-0 0-1 1-0 1-1 2-2\n0-0 0-1\n1-0\n"),
    ],
)
def test_links_mean_the_words_that_the_setting_counts(tmp_path, embedded_tokenizers, choice, links):
    message = r"a\.align: in 3 lines \(first in line 1, U\+00A0\) there are other words by"
    with pytest.warns(UserWarning, match=message):
        text = load(tmp_path, links, ODD, word_boundaries=choice)
    encoded = corpus.encode(text, embedded_tokenizers)

    model = embedded_tokenizers.source
    linked = [["einHundbellt", "adogbarks"], ["Katze", "acat"], ["so", "yes"]]
    for row, expected in zip(encoded, linked, strict=True):
        places = set(row["links"][::2]), set(row["links"][1::2])
        sides = zip(("source", "target"), places, strict=True)
        found = [linked_text(model, row, side, each).replace("▁", "") for side, each in sides]
        assert found == expected
    first = encoded[0]["links"]
    bellt = {j for i, j in zip(first[::2], first[1::2], strict=True) if i == max(first[::2])}
    assert linked_text(model, encoded[0], "target", bellt) == "barks"


def test_a_change_of_the_setting_is_not_lost_in_the_cache(tmp_path):
    pairs = [("a\u00a0b c", "x y")]
    with pytest.warns(UserWarning, match="there are other words by `data.word_boundaries: unicode"):
        spaces = load(tmp_path, "0-0 1-1\n", pairs)
    with pytest.warns(UserWarning, match="there are other words by `data.word_boundaries: spaces"):
        unicode = load(tmp_path, "0-0 1-1\n", pairs, word_boundaries="unicode")

    assert spaces["links"][:] == [[0, 0, 1, 0, 2, 1]]
    assert unicode["links"][:] == [[0, 0, 1, 1]]


def test_each_load_warns_of_links_that_may_count_other_words(tmp_path):
    pairs = [("a b\u00a0c", "x y z"), PAIRS[1], ("a b c", "x y z")]
    of_one = re.escape(
        f"{tmp_path / 'a.align'}: no link has a 0; if words are counted from 1, subtract 1"
    )
    of_words = re.escape(
        f"{tmp_path / 'a.align'}: in 1 line (first in line 1, U+00A0) there are other words by "
        "`data.word_boundaries: unicode` than by `spaces`, which this run counts"
    )
    for _ in range(2):  # the rows of the second load are in the cache
        with (
            pytest.warns(UserWarning, match=f"^{of_one}"),
            pytest.warns(UserWarning, match=f"^{of_words}"),
        ):
            load(tmp_path, "1-1\n\n2-2\n", pairs)


@pytest.mark.parametrize("links", ["\n\n\n", "1-1 0-1\n\n\n", "0001 2 2\n"])  # the last from 1
def test_links_that_count_from_0_or_are_none_are_loaded_without_a_warning(tmp_path, links):
    load(tmp_path, links)


def test_links_of_giza_and_of_the_shared_tasks_are_read(tmp_path):
    giza = [
        "# Sentence pair (1) source length 2 target length 2 alignment score : 0.5",
        "a dog", "NULL ({ }) ein ({ 1 }) Hund ({ 2 })",
        "# Sentence pair (2) source length 0 target length 0 alignment score : 1", "", "NULL ({ })",
        "# Sentence pair (3) source length 2 target length 3 alignment score : 0.5",
        "two cats sing", "NULL ({ 1 }) zwei ({ }) Katzen ({ 2 3 })",
    ]  # fmt: skip

    assert load(tmp_path, "\n".join(giza))["links"][:] == [[0, 0, 1, 1], [], [1, 1, 1, 2]]
    assert load(tmp_path, "0001 1 1\n0001 2 2 S 0.9\n")["links"][:] == [[0, 0, 1, 1], [], []]
