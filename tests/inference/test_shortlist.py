import random
import shutil
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nmt import configfile
from nmt.errors import DataError, RunError
from nmt.inference import ibm_model_1, shortlist
from nmt.inference.batches import SentenceBatch
from nmt.inference.ibm_model_1 import model_1, pairings
from nmt.inference.shortlist import FILE, Lexicon, make
from nmt.inference.translator import Translator
from nmt.run import Run
from nmt.training.session import train

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
        sources, targets, chances = model_1(pairings(KOEHN, 4), 4, rounds)

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
    sources, targets, chances = model_1(pairings(pairs, 6), 6, rounds)

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
    monkeypatch.setattr(ibm_model_1, "LINKS", 8)  # the first two pairs have four links each

    lexicon = Lexicon.learn(KOEHN, source_size=4, target_size=4)

    assert lexicon.translations[EIN].max() == -1
    assert lexicon.translations[BUCH].max() == BOOK


LEXICON = Lexicon(
    translations=np.array([[-1, -1, -1], [7, 3, 5], [3, 4, -1], [6, 8, 9]], np.int32),
    common=np.array([2, 9, 3, 0, 1, 4, 5, 6, 7, 8], np.int32),
)


@pytest.mark.parametrize(
    ("likeliest", "joint", "expected"),
    [
        (1, False, [[3, 7], [3], []]),  # the best translations of pieces 1 and 2, of 2, of 0
        (2, False, [[3, 4, 7], [3, 4], []]),
        (3, False, [[3, 4, 5, 7], [3, 4], []]),
        (1, True, [[3, 7], [0, 3], [0]]),  # 1 and 2 are common
    ],
)
def test_a_sentence_has_its_own_pieces_beside_the_common(monkeypatch, likeliest, joint, expected):
    monkeypatch.setattr(shortlist, "COMMON", 3)
    batch = SentenceBatch(numbers=(0, 1, 2), size=4, width=2)

    common, own = LEXICON.choose(
        [[1, 2], [2, 0], [0, 0]], batch, likeliest=likeliest, first=[1, 2], joint=joint
    )

    assert common.tolist() == [1, 2, 9]
    assert own.shape == (4, (likeliest + joint) * 2)
    assert [[piece for piece in row if piece >= 0] for row in own.tolist()] == [*expected, []]


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


def lines(number):
    draw = random.Random(2)
    return [" ".join(draw.choices("abcdefgh", k=draw.randint(1, 6))) for _ in range(number)]


def test_a_shortlist_translates_as_the_whole_vocabulary_does(run, monkeypatch):
    monkeypatch.setattr(shortlist, "COMMON", 6)  # of 21: specials, two letters

    short = Translator.load(run, shortlist=2).translate(lines(20))
    whole = Translator.load(run).translate(lines(20))

    assert [each.text for each in short] == [each.text for each in whole]
    for one, two in zip(short, whole, strict=True):
        assert one.log_prob >= two.log_prob - 1e-4  # less to share the probability with
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)


def test_only_pieces_of_a_sentences_own_list_are_written(run, monkeypatch):
    monkeypatch.setattr(shortlist, "COMMON", 4)  # the specials alone
    loaded = Translator.load(run, shortlist=1, unknown="forbid")
    # As if every letter were translated by the next one, and none may be copied.
    tokenizer = loaded.tokenizers.target
    letters = [tokenizer.encode(letter)[0] for letter in "abcdefgh"]
    following = dict(zip(letters, letters[1:] + letters[:1], strict=True))
    table = np.array([[following.get(piece, -1)] for piece in range(tokenizer.size)], np.int32)
    loaded.lexicon = Lexicon(table, loaded.lexicon.common)
    monkeypatch.setattr(type(loaded.tokenizers), "joint", False)

    found = loaded.translate(["a b a", "c d", "e"])

    for each, allowed in zip(found, ["bc", "de", "f"], strict=True):
        assert set(each.text.split()) <= set(allowed)


@pytest.mark.parametrize("beam", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_with_a_shortlist_too_a_translation_does_not_depend_on_its_neighbours(
    run, monkeypatch, beam
):
    monkeypatch.setattr(shortlist, "COMMON", 5)
    text = lines(40)

    alone, few, together = (
        Translator.load(run, shortlist=1, beam=beam, batch=batch).translate(text)
        for batch in (1, 7, 64)
    )

    for one, two, three in zip(alone, few, together, strict=True):
        assert one.text == two.text == three.text
        assert one.score == pytest.approx(two.score, abs=1e-5)
        assert two.score == pytest.approx(three.score, abs=1e-5)


def test_a_run_without_a_table_says_how_to_make_one(copy_run):
    with pytest.raises(RunError, match=r"run: decoding.shortlist needs .*`nmt shortlist .*` makes"):
        Translator.load(copy_run, shortlist=5)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off"])
def test_a_damaged_table_is_named(run, tmp_path, content):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / FILE).write_bytes(content)

    with pytest.raises(RunError, match=r"shortlist.npz: not a table of translations; `nmt short"):
        Translator.load(tmp_path / "run", shortlist=5)


def test_a_table_that_cannot_be_written_is_named(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / f"part-{FILE}").mkdir()

    with pytest.raises(RunError, match=rf"^{copy / FILE}: the table cannot be written \(Is a dir"):
        make(Run.open(copy))


def test_a_stream_has_no_table(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    settings = yaml.safe_load((copy / "config.yaml").read_text())
    settings["data"]["stream"] = True
    settings["training"] |= {"max_steps": 9, "max_epochs": None}
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))

    with pytest.raises(DataError, match="make it in a copy of the run with `stream: null` in conf"):
        make(Run.open(copy))


@pytest.mark.slow
@pytest.mark.parametrize("beam", [1, 5])
@pytest.mark.filterwarnings("ignore:.*cut at its longest length")
def test_eight_thousand_pieces_make_no_neighbours(shared_data, trained_on_captions, beam):
    source = (shared_data / "multi30k" / "test_2016_flickr.de").read_text("utf-8").splitlines()

    alone, few, backwards = (
        Translator.load(trained_on_captions, shortlist=3, beam=beam, batch=batch).translate(lines)
        for batch, lines in ((1, source[:80]), (7, source[:80]), (64, source[79::-1]))
    )

    texts = [each.text for each in alone]
    assert len(set(texts)) > 40
    assert texts == [each.text for each in few] == [each.text for each in backwards[::-1]]


@pytest.fixture(scope="module")
def trained_on_captions(shared_data, tmp_path_factory):
    """A run of a small network with 8,000 joint pieces, and its table of translations."""
    run = train(
        configfile.load(
            Path(__file__).parents[2] / "configs" / "multi30k-de-en-small.yaml",
            [
                f"run={tmp_path_factory.mktemp('captions') / 'run'}",
                f"data.train={shared_data / 'multi30k' / 'train'}",
                f"data.validation={shared_data / 'multi30k' / 'val'}",
                "data.batch.buckets=2",
                "model.embedding_size=64",
                "model.encoder.hidden_size=64",
                "model.decoder.hidden_size=128",
                "training.max_steps=400",
                "training.validate_every=400",
                "training.attention_images=0",
                "training.learning_rate=3e-3",
                "training.ema=null",
            ],
        )
    )
    assert run.tokenizers().target.size == 8000
    make(run)
    return run.path
