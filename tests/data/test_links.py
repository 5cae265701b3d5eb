"""Word links of a corpus: read beside their pairs, refused where they are wrong, cut to pieces."""

import re

import pytest
from datasets import Dataset

from nmt.config import CorpusConfig, SamplingConfig
from nmt.data import corpus, embedded
from nmt.errors import DataError

PAIRS = [("ein Hund", "a dog"), ("", ""), ("zwei  Katzen", "two cats sing")]


def load(folder, links, pairs=PAIRS):
    for place, language in enumerate(("de", "en")):
        text = "".join(f"{pair[place]}\n" for pair in pairs)
        (folder / f"train.{language}").write_text(text, encoding="utf-8")
    (folder / "a.align").write_text(links)
    where = CorpusConfig(path=str(folder / "train"), alignments=str(folder / "a.align"))
    return corpus.load(where, source="de", target="en")


def test_each_pair_has_the_links_of_its_line(tmp_path):
    text = load(tmp_path, "1-1 0-0\n\n1-2\n")

    assert list(zip(text["source"], text["target"], strict=True)) == PAIRS
    assert text["links"][:] == [[0, 0, 1, 1], [], [1, 2]]


def test_other_links_of_the_same_text_are_not_taken_from_the_cache(tmp_path):
    load(tmp_path, "0-0\n\n\n")

    assert load(tmp_path, "1-1\n\n\n")["links"][:] == [[1, 1], [], []]


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ("0-0\n\n", " has 2 lines of links and the corpus 3 pairs; they must correspond line"),
        ("0-0\n\n\n\n", " has 4 lines of links and the corpus 3 pairs; they must correspond line"),
        ("0-0\n\n0-0 0-3\n", ", line 3: link 0-3 lies outside the 3 target words; words are"),
        ("0-0\n0-0\n\n", ", line 2: link 0-0 lies outside the 0 source words; words are"),
        ("0:0\n\n\n", ", line 1: '0:0' is no link"),
        ("0-0\n\n0p1\n", ", line 3: '0p1' is a possible link"),
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
    text = load(tmp_path, "".join(f"{i}-{j}\n" for i, j in ends), pairs)

    encoded = corpus.encode(text, embedded_tokenizers, sampling=sampling, seed=3)

    for row, (source, target), (i, j) in zip(encoded, pairs, ends, strict=True):
        places = set(row["links"][::2]), set(row["links"][1::2])
        assert len(row["links"]) == 2 * len(places[0]) * len(places[1])
        model = embedded_tokenizers.source
        assert linked_text(model, row, "source", places[0]) == source.split()[i]
        assert linked_text(model, row, "target", places[1]) == target.split()[j]


def test_a_pair_whose_pieces_spell_other_words_has_no_links(embedded_tokenizers):
    # SentencePiece makes a space and an accent of U+00B4.
    text = Dataset.from_dict(
        {"source": ["das Haus", "das´ Haus"], "target": ["the house"] * 2, "links": [[1, 1]] * 2}
    )

    encoded = corpus.encode(text, embedded_tokenizers)

    assert [bool(links) for links in encoded["links"]] == [True, False]
