"""Drawn segmentations: as likely as the papers say, and as SentencePiece has it."""

import io
import itertools
import math
from collections import Counter

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import SamplingConfig
from nmt.data.segmentation import Bpe, Unigram
from nmt.data.tokenizer import Tokenizer
from nmt.errors import DataError

SENTENCES = [
    f"{who} {does} {what}"
    for who in ("ein alter Mann", "eine alte Frau", "das kleine Kind")
    for does in ("sucht", "findet", "verliert", "braucht")
    for what in ("einen alten Ball", "ein neues Band", "kalte Milch")
]
ALPHABET = st.sampled_from("aeilnrstuwß漢 \u0301<x>")
DRAWS = 20_000


def model(kind, **options):
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=written,
        model_type=kind,
        pad_id=3,
        minloglevel=3,
        **{"vocab_size": 40, **options},
    )
    return Tokenizer(written.getvalue())


def assert_drawn_by(chances, drawn):
    """Holds frequencies to probabilities, within six standard deviations."""
    counts = Counter(map(tuple, drawn))
    assert counts.keys() <= chances.keys()
    for each, chance in chances.items():
        expected, deviation = len(drawn) * chance, math.sqrt(len(drawn) * chance * (1 - chance))
        assert abs(counts[each] - expected) <= 6 * deviation + 1


def segmentations(text):
    """Every way to cut a text."""
    for cuts in itertools.product([False, True], repeat=len(text) - 1):
        ends = [i for i, cut in enumerate(cuts, start=1) if cut] + [len(text)]
        yield tuple(text[i:j] for i, j in itertools.pairwise([0, *ends]))


def normalized(weights):
    total = sum(weights.values())
    return {each: weight / total for each, weight in weights.items()}


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_unigram_draws_by_the_smoothed_likelihood_of_kudo(alpha):
    scores = {"a": -2.0, "b": -2.5, "ab": -3.0, "ba": -3.5, "bab": -4.0}
    scored = {**scores, "c": -9.0}
    chances = normalized(
        {
            pieces: math.exp(alpha * sum(scored[piece] for piece in pieces))
            for pieces in segmentations("ababca")
            if all(piece in scored for piece in pieces)
        }
    )

    drawn = Unigram(scores, unknown=-9.0).sample(
        ["ababca", "a"] * DRAWS, alpha=alpha, rng=np.random.default_rng(1)
    )

    assert_drawn_by(chances, drawn[::2])
    assert drawn[1::2] == [["a"]] * DRAWS


@pytest.mark.parametrize(("nbest_size", "kept"), [(-1, 512), (3, 3)])
def test_unigram_draws_from_the_candidates_that_sentencepiece_scores(nbest_size, kept):
    unigram, alpha = model("unigram"), 0.5
    best = unigram._processor.nbest_encode_as_proto("alter", nbest_size=512).nbests
    chances = normalized(
        {
            tuple(piece.id for piece in each.pieces): math.exp(alpha * each.score)
            for each in best[:kept]
        }
    )
    assert 3 < len(best) < 512

    drawn = unigram.sample_batch(
        ["alter"] * DRAWS, sampling=SamplingConfig(alpha=alpha, nbest_size=nbest_size), seed=1
    )

    assert_drawn_by(chances, drawn)


def merges(scores, symbols, alpha, dropped=frozenset()):
    """The chance of each outcome of BPE-dropout, by trying both of every draw."""
    places = [0, *itertools.accumulate(map(len, symbols))]
    pairs = [
        (-scores[left + right], i)
        for i, (left, right) in enumerate(itertools.pairwise(symbols))
        if left + right in scores and tuple(places[i : i + 3]) not in dropped
    ]
    if not pairs:
        return Counter({symbols: 1.0})
    _, i = min(pairs)
    without = merges(scores, symbols, alpha, dropped | {tuple(places[i : i + 3])})
    joined = (*symbols[:i], symbols[i] + symbols[i + 1], *symbols[i + 2 :])
    merged = merges(scores, joined, alpha, dropped)
    both = without.keys() | merged.keys()
    return Counter({each: alpha * without[each] + (1 - alpha) * merged[each] for each in both})


def test_bpe_drops_merges_by_chance_as_sentencepiece_does():
    bpe, alpha, word = model("bpe"), 0.3, "▁alten"
    pieces = bpe.pieces(range(bpe.size))
    scores = {piece: bpe._processor.get_score(i) for i, piece in enumerate(pieces)}
    chances = merges(scores, tuple(word), alpha)
    assert len(chances) > 4

    drawn = bpe.sample_batch(["alten"] * DRAWS, sampling=SamplingConfig(alpha=alpha), seed=1)
    theirs = bpe._processor.encode(["alten"] * DRAWS, enable_sampling=True, alpha=alpha)

    assert_drawn_by(chances, [bpe.pieces(ids) for ids in drawn])
    assert_drawn_by(chances, [bpe.pieces(ids) for ids in theirs])


def test_bpe_merges_no_piece_that_is_whole():
    scores = {"ab": 0.0, "bc": -1.0}

    merged, whole = (Bpe(scores, whole=marked) for marked in ([], ["bc"]))

    rng = np.random.default_rng(1)
    assert merged.sample(["abc", "", "cab"], alpha=0.0, rng=rng) == [["ab", "c"], [], ["c", "ab"]]
    assert whole.sample(["abc"], alpha=0.0, rng=rng) == [["a", "bc"]]


MODELS = {
    "unigram": {},
    "bytes": {"byte_fallback": True, "vocab_size": 296},
    "symbols": {"user_defined_symbols": ["<x>", "alt"]},
    "suffix": {"treat_whitespace_as_suffix": True},
}


@pytest.fixture(scope="module", params=itertools.product(["unigram", "bpe"], MODELS), ids=str)
def any_model(request):
    kind, name = request.param
    return model(kind, **MODELS[name])


@given(st.text(ALPHABET, max_size=12) | st.sampled_from(SENTENCES))
def test_where_nothing_is_left_to_chance_it_is_the_likeliest(any_model, text):
    unigram = any_model.sample_batch([text, ""], sampling=SamplingConfig(alpha=1e9), seed=1)
    bpe = any_model.sample_batch([text, ""], sampling=SamplingConfig(alpha=1e-12), seed=1)

    assert [any_model.encode(text), []] in (unigram, bpe)


@pytest.mark.parametrize("kind", ["char", "word"])
def test_a_model_with_one_segmentation_is_refused(kind):
    options = {"vocab_size": 24} if kind == "char" else {"vocab_size": 14}
    only = model(kind, **options, hard_vocab_limit=False)

    message = f"this tokenizer model of kind {kind} has one segmentation of each text: leave out"
    with pytest.raises(DataError, match=message):
        only.sample_batch(SENTENCES, sampling=SamplingConfig(), seed=1)
