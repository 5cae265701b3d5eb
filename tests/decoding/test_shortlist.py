import random
import shutil
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.decoding import shortlist, translator
from nmt.decoding.shortlist import FILE, Lexicon, make, model_1
from nmt.decoding.translator import Translator
from nmt.errors import RunError
from nmt.run import Run

DAS, HAUS, BUCH, EIN = range(4)
THE, HOUSE, BOOK, A = range(4)
KOEHN = [((DAS, HAUS), (THE, HOUSE)), ((DAS, BUCH), (THE, BOOK)), ((EIN, BUCH), (A, BOOK))]


# Koehn (2010), Statistical Machine Translation, figure 4.4: the first three rounds.
@pytest.mark.parametrize(
    ("source", "target", "after"),
    [
        (DAS, THE, (0.5, 0.6364, 0.7479)),
        (DAS, BOOK, (0.25, 0.1818, 0.1208)),
        (DAS, HOUSE, (0.25, 0.1818, 0.1313)),
        (BUCH, THE, (0.25, 0.1818, 0.1208)),
        (BUCH, BOOK, (0.5, 0.6364, 0.7479)),
        (EIN, A, (0.5, 0.5714, 0.6534)),
        (HAUS, THE, (0.5, 0.4286, 0.3466)),
    ],
)
def test_model_1_gives_the_values_of_the_textbook(source, target, after):
    for rounds, expected in enumerate(after, start=1):
        sources, targets, chances = model_1(KOEHN, target_size=4, rounds=rounds)

        (found,) = chances[(sources == source) & (targets == target)]
        assert found == pytest.approx(expected, abs=1e-4)


def plain_model_1(pairs, rounds):
    chances = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        counts, totals = defaultdict(float), defaultdict(float)
        for source, target in pairs:
            for word in target:
                norm = sum(chances[piece, word] for piece in source)
                for piece in source:
                    counts[piece, word] += chances[piece, word] / norm
                    totals[piece] += chances[piece, word] / norm
        chances = {(piece, word): count / totals[piece] for (piece, word), count in counts.items()}
    return chances


sentences = st.lists(st.integers(0, 5), min_size=1, max_size=5)
corpora = st.lists(st.tuples(sentences, sentences), min_size=1, max_size=6)


@given(pairs=corpora, rounds=st.integers(1, 4))
def test_model_1_is_that_of_plain_loops(pairs, rounds):
    sources, targets, chances = model_1(pairs, target_size=6, rounds=rounds)

    expected = plain_model_1(pairs, rounds)
    assert set(zip(sources.tolist(), targets.tolist(), strict=True)) == set(expected)
    for source, target, chance in zip(sources, targets, chances, strict=True):
        assert chance == pytest.approx(expected[source, target], rel=1e-9)


@given(pairs=corpora)
def test_a_lexicon_ranks_translations_by_probability_and_pieces_by_frequency(pairs):
    lexicon = Lexicon.learn(pairs, source_size=7, target_size=6, rounds=3)

    expected = plain_model_1(pairs, 3)
    for source in range(7):
        found = [target for target in lexicon.translations[source].tolist() if target >= 0]
        chances = [expected[source, target] for target in found]
        assert sorted(found) == sorted(target for piece, target in expected if piece == source)
        assert all(one >= two - 1e-9 for one, two in pairwise(chances))
    counts = Counter(piece for _, target in pairs for piece in target)
    assert sorted(lexicon.common.tolist()) == list(range(6))
    frequencies = [counts[piece] for piece in lexicon.common.tolist()]
    assert frequencies == sorted(frequencies, reverse=True)


def test_a_table_is_learnt_from_as_many_pairs_as_its_memory_allows(monkeypatch):
    monkeypatch.setattr(shortlist, "LINKS", 8)  # the first two pairs have four links each

    lexicon = Lexicon.learn(KOEHN, source_size=4, target_size=4)

    assert lexicon.translations[EIN].max() == -1
    assert lexicon.translations[BUCH].max() == BOOK


LEXICON = Lexicon(
    translations=np.array([[-1, -1, -1], [7, 3, 5], [3, 4, -1], [6, 8, 9]], np.int32),
    common=np.array([2, 9, 3, 0, 1, 4, 5, 6, 7, 8], np.int32),
)


@pytest.mark.parametrize(
    ("likeliest", "size", "expected"),
    [
        (1, 5, [1, 2, 7, 3, 9]),  # best translations of 1 and 2, then the most common
        (2, 5, [1, 2, 7, 3, 4]),
        (3, 7, [1, 2, 7, 3, 4, 5, 9]),
        (3, 4, [1, 2, 7, 3]),  # the least likely do not fit
        (3, 50, [1, 2, 7, 3, 4, 5, 9, 0, 6, 8]),  # there are no more
    ],
)
def test_a_shortlist_has_the_likely_and_then_the_common(likeliest, size, expected):
    chosen = LEXICON.choose([[1, 2], [2, 0]], likeliest=likeliest, size=size, first=[1, 2])

    assert chosen.tolist() == expected


@pytest.fixture(scope="module")
def run(copy_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("shortlist") / "run"
    shutil.copytree(copy_run, path)
    make(Run.open(path))
    return path


def test_the_table_of_a_run_that_copies_says_so(run):
    opened = Run.open(run)
    tokenizer, lexicon = opened.tokenizers().source, Lexicon.of(opened)

    for letter in "abcdefgh":
        (piece,) = tokenizer.encode(letter)
        assert lexicon.translations[piece, 0] == piece


def test_a_shortlist_translates_as_the_whole_vocabulary_does(run, monkeypatch):
    monkeypatch.setattr(translator, "COLUMNS", 14)  # of 21: specials, eight letters and others
    draw = random.Random(2)
    lines = [" ".join(draw.choices("abcdefgh", k=draw.randint(1, 6))) for _ in range(20)]

    short = Translator.load(run, shortlist=2).translate(lines)
    whole = Translator.load(run).translate(lines)

    assert [each.text for each in short] == [each.text for each in whole]
    for one, two in zip(short, whole, strict=True):
        assert one.log_prob >= two.log_prob - 1e-4  # less to share the probability with
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)


def test_only_pieces_of_the_shortlist_are_written(run, monkeypatch):
    monkeypatch.setattr(translator, "COLUMNS", 6)
    loaded = Translator.load(run, shortlist=1)
    tokenizer = loaded.tokenizers.target

    for line in ["a b c d e f", "h g f e d c"]:
        (found,) = loaded.translate([line])
        allowed = loaded.lexicon.choose(
            [tokenizer.encode(line)],
            likeliest=1,
            size=6,
            first=[tokenizer.bos, tokenizer.eos, tokenizer.pad],
        )
        assert set(found.target_pieces) <= set(tokenizer.pieces(allowed.tolist()))


def test_a_run_without_a_table_says_how_to_make_one(copy_run):
    with pytest.raises(RunError, match=r"run: decoding.shortlist needs .*`nmt shortlist .*` makes"):
        Translator.load(copy_run, shortlist=5)


def test_a_shortlist_of_nothing_is_none(copy_run):
    assert Translator.load(copy_run, shortlist=0).lexicon is None


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off"])
def test_a_damaged_table_is_named(run, tmp_path, content):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / FILE).write_bytes(content)

    with pytest.raises(RunError, match=r"shortlist.npz: not a table of translations; `nmt short"):
        Translator.load(tmp_path / "run", shortlist=5)
