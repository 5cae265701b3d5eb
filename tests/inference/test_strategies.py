"""What every strategy promises, with every processor; then what each promises alone."""

from collections import Counter
from itertools import chain

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from tables import EOS, TableModel, all_sequences, assert_found, plain_beam, ranked

from nmt.errors import DataError
from nmt.inference.diverse import DiverseBeamSearch
from nmt.inference.hypotheses import BLOCK
from nmt.inference.sampling import Sampling, drawn, floor
from nmt.inference.search import FEWEST
from nmt.inference.strategy import Strategy
from nmt.inference.translator import Translator

# Settings of `decoding` and the number of translations: one row for a strategy or a processor.
CASES = {
    "greedy": ({"strategy": "greedy"}, 1),
    "beam": ({"strategy": "beam"}, 3),
    "diverse beam": ({"strategy": {"kind": "diverse_beam", "groups": 2}, "beam": 4}, 4),
    "sample": ({"strategy": {"kind": "sample", "temperature": 1.5}}, 3),
    "truncated sample": (
        {
            "strategy": {"kind": "sample", "top_k": 9, "top_p": 0.9, "epsilon": 0.01},
            "coverage_penalty": 0.2,
        },
        2,
    ),
    "minimum length": ({"min_output_ratio": 1.2}, 3),
    "no repeated n-grams": ({"no_repeat_ngram": 2, "strategy": "greedy"}, 1),
}
LINES = ["a b c", "", "h g f e d c", "b", "a h b g c f", "a " * 12]  # the last makes it wider


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def translator(noisy_run, case):
    return Translator.load(noisy_run, **case[0])


@pytest.fixture(scope="module")
def found(translator, case):
    return list(translator.stream(LINES, n_best=case[1]))


def test_each_line_has_its_translations_and_an_empty_one_is_empty(found, case):
    assert [{each.source for each in ranked} for ranked in found] == [{line} for line in LINES]
    assert [each.text for each in found[1]] == [""]
    for translations in found:
        assert 1 <= len(translations) <= case[1]
        assert len({each.text for each in translations}) == len(translations)
        order = [(each.is_cut, -each.score) for each in translations]
        assert order == sorted(order)


def test_batch_and_order_change_nothing(translator, found, case):
    backwards = list(translator.stream(LINES[::-1], n_best=case[1]))[::-1]
    alone = [next(translator.stream([line], n_best=case[1])) for line in LINES[:5]]

    for together, others in ((found, backwards), (found[:5], alone)):
        for one, two in zip(chain(*together), chain(*others), strict=True):
            assert (one.source, one.target_pieces) == (two.source, two.target_pieces)
            assert one.score == pytest.approx(two.score, abs=1e-5)
            np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)


def test_scores_and_attention_are_those_of_forced_decoding(translator, found):
    each_found = [each for ranked in found for each in ranked if each.source]
    source, target = translator.tokenizers.source, translator.tokenizers.target
    pairs = [
        (source.ids(each.source_pieces), target.ids(each.target_pieces)) for each in each_found
    ]

    forced = translator.force(pairs, range(len(pairs)), method="attention")

    for each in forced:
        one = each_found[each.number]
        assert one.log_prob == pytest.approx(each.log_prob, abs=1e-4)
        assert one.score == pytest.approx(each.score, abs=1e-4)
        np.testing.assert_allclose(one.piece_log_probs, each.log_probs, atol=1e-4)
        np.testing.assert_allclose(one.attention, each.matrix, atol=1e-5)


def test_it_has_the_members_of_a_strategy(translator, case):
    config = translator.config
    built = config.strategy.build(config, n_best=case[1])

    assert isinstance(built, Strategy)
    assert built.first().shape == (built.width,)
    assert config.strategy.most(config.beam) in (None, built.width)


@pytest.mark.parametrize(
    ("decoding", "n_best", "message"),
    [
        ({"strategy": "greedy"}, 2, "2 translations .* by greedy search; ask for 1, or choose"),
        (
            {"strategy": "beam", "beam": 3},
            4,
            "4 translations of a line need a beam of 4 at least, ",
        ),
        (
            {"strategy": {"kind": "diverse_beam", "groups": 3}, "beam": 3},
            4,
            "and it is 3; set decoding.beam=4, as --beam 4",
        ),
        ({"strategy": "sample"}, 0, "0 translations of a line cannot be had; ask for 1 at least"),
        ({"strategy": "greedy"}, 0, "0 translations of a line cannot be had; ask for 1 at least"),
    ],
)
def test_more_translations_than_a_strategy_can_give_are_refused(
    copy_run, decoding, n_best, message
):
    translator = Translator.load(copy_run, **decoding)

    with pytest.raises(DataError, match=message):
        list(translator.stream(["a b"], n_best=n_best))


def test_greedy_search_is_a_beam_of_one_with_a_patience_of_one(noisy_run):
    greedy = Translator.load(noisy_run, strategy="greedy", beam=7, patience=None, prune=0.1)
    beam = Translator.load(noisy_run, beam=1, patience=1)

    for one, two in zip(greedy.translate(LINES), beam.translate(LINES), strict=True):
        assert (one.target_pieces, one.score) == (two.target_pieces, two.score)


# Diverse beam search


def diverse(groups, width, penalty, *, patience=None, prune=None):
    group = plain_beam(width, patience=patience, prune=prune)
    return DiverseBeamSearch(groups=groups, group=group, penalty=penalty)


def diverse_beam_search(model, sentence, length, *, groups, width, penalty, patience=None):
    """Algorithm 1 of the paper, in Python; each group ends as a beam does, by its own patience."""
    words = [EOS, *range(3, model.log_probs.shape[1])]
    live = [[model.start(sentence)] for _ in range(groups)]
    finished = [[] for _ in range(groups)]
    for _ in range(length):
        chosen = Counter()
        for group in range(groups):
            candidates = [model.extended(each, word) for each in live[group] for word in words]
            candidates.sort(key=lambda each: penalty * chosen[each.tokens[-1]] - each.log_prob)
            ended = [each for each in candidates[:width] if each.ended]
            live[group] = [each for each in candidates if not each.ended][:width]
            finished[group] += ended
            if patience is not None and len(finished[group]) >= patience * width:
                live[group] = []
            chosen.update(each.tokens[-1] for each in (*ended, *live[group]))
    return ranked(chain(*finished), chain(*live), penalty="average", beta=0.0)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**20), penalty=st.floats(0, 3, width=32))
def test_one_diverse_group_is_the_beam(seed, penalty):
    model, sentences, lengths = TableModel(seed, vocab=9, ends=0.2), [3, 5, 8], [10, 4, 0]

    one = model.search(sentences, lengths, strategy=diverse(1, 3, penalty), n_best=3, limit=10)
    beam = model.search(sentences, lengths, beam=3, n_best=3, limit=10)

    for field in ("tokens", "lengths", "log_probs", "scores", "attention"):
        np.testing.assert_array_equal(getattr(one, field), getattr(beam, field))


@pytest.mark.parametrize(
    ("groups", "width", "patience"), [(3, 1, 1), (2, 2, None), (3, 2, 1), (4, 1, None)]
)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**20), penalty=st.floats(0, 3, width=32))
def test_diverse_beam_search_is_the_algorithm_of_the_paper(groups, width, patience, seed, penalty):
    model, sentences, lengths = TableModel(seed, vocab=9, ends=0.5), [3, 5, 8], [10, 4, 1]
    strategy, n_best = diverse(groups, width, penalty, patience=patience), groups * width

    found = model.search(sentences, lengths, strategy=strategy, n_best=n_best, limit=10)

    options = {"groups": groups, "width": width, "penalty": penalty, "patience": patience}
    for row, (sentence, length) in enumerate(zip(sentences, lengths, strict=True)):
        expected = diverse_beam_search(model, sentence, length, **options)
        assert_found(found, row, expected[:n_best], beyond=expected[n_best:])


def test_a_high_penalty_makes_the_groups_differ_from_the_first_token_on():
    model, options = TableModel(seed=3, vocab=9), {"n_best": 3, "limit": 10}
    strategy = diverse(3, 1, 100.0, patience=1)

    found = model.search([1, 2, 4], [6] * 3, strategy=strategy, **options)
    beam = model.search([1, 2, 4], [6] * 3, beam=3, patience=1, **options)

    assert [len(set(row)) for row in found.tokens[:, :, 0].tolist()] == [3, 3, 3]
    assert min(len(set(row)) for row in beam.tokens[:, :, 0].tolist()) < 3


# Sampling


DRAWS = 4000


def truncated(probabilities, *, temperature=1.0, top_k=None, top_p=None, epsilon=None):
    """The distribution that is drawn from: by a sort, as the papers define it."""
    powers = probabilities ** (1 / temperature)
    powers /= powers.sum()
    order = np.argsort(-powers, kind="stable")
    kept = np.ones(len(powers), bool)
    if top_k is not None:
        kept[order[top_k:]] = False
    if top_p is not None:
        before = np.cumsum(powers[order]) - powers[order]
        kept[order[before >= top_p]] = False
    if epsilon is not None:
        kept &= powers > epsilon
    kept[order[0]] = True
    return np.where(kept, powers, 0) / powers[kept].sum()


def probabilities_of_sequences(model, sentence, length, **limits):
    """Returns the probability of each sequence that ends, or is cut at a length."""
    expected = {}
    for _, tokens in all_sequences(model, sentence, length, penalty="none"):
        row, probability = sentence, 1.0
        for previous, token in zip((1, *tokens), tokens, strict=False):
            row = model.next_row(row, previous)
            allowed = np.exp(model.log_probs[row].astype(np.float64))
            allowed[:2] = 0  # what is never written
            probability *= truncated(allowed / allowed.sum(), **limits)[token]
        expected[tokens] = probability
    return expected


def sample(model, sentences, length, *, width=DRAWS, seed=1, **limits):
    strategy = Sampling(width=width, seed=seed, **limits)
    return model.search(
        sentences, [length] * len(sentences), strategy=strategy, n_best=width, limit=length
    )


def written(found, row):
    return [
        tuple(tokens[:length].tolist())
        for tokens, length in zip(found.tokens[row], found.lengths[row], strict=True)
    ]


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 3.0},
        {"top_k": 2},
        {"top_k": 1},
        {"top_p": 0.8},
        {"top_p": 0.3, "temperature": 2.0},
        {"epsilon": 0.1},
        {"epsilon": 0.9},
        {"top_k": 3, "top_p": 0.9, "epsilon": 0.05, "temperature": 1.5},
    ],
    ids=str,
)
def test_samples_are_as_frequent_as_they_are_probable(limits):
    model, sentences = TableModel(seed=8), [5, 17]

    found = sample(model, sentences, 3, **limits)

    for row, sentence in enumerate(sentences):
        expected = probabilities_of_sequences(model, sentence, 3, **limits)
        assert sum(expected.values()) == pytest.approx(1)
        counts = Counter(written(found, row))
        assert all(expected[tokens] > 0 for tokens in counts)
        possible = [tokens for tokens, share in expected.items() if share > 0]
        # Rare ones together: the test needs some five expected counts in each cell.
        rare = [tokens for tokens in possible if expected[tokens] * DRAWS < 5]
        cells = [[tokens] for tokens in possible if tokens not in rare] + ([rare] if rare else [])
        observed = [sum(counts[tokens] for tokens in cell) for cell in cells]
        wanted = [DRAWS * sum(expected[tokens] for tokens in cell) for cell in cells]
        assert len(cells) == 1 or chisquare(observed, wanted).pvalue > 1e-3


def test_the_scores_of_samples_are_those_of_the_model_without_temperature_and_limits():
    model = TableModel(seed=8)

    found = sample(model, [5, 17], 3, temperature=2.0, top_k=2)

    for place, tokens in enumerate(written(found, 0)[:50]):
        log_probs, attention = model.replay(5, tokens)
        np.testing.assert_allclose(found.log_probs[0, place], log_probs.sum(), rtol=1e-5)
        np.testing.assert_allclose(found.scores[0, place], log_probs.mean(), rtol=1e-5)
        np.testing.assert_array_equal(found.attention[0, place, : len(tokens)], attention)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**20))
def test_sampling_at_a_temperature_of_almost_zero_is_greedy(seed):
    model, sentences = TableModel(seed), [3, 5, 8]

    cold = sample(model, sentences, 8, width=2, temperature=1e-6)
    greedy = model.search(sentences, [8] * 3, beam=1, patience=1, n_best=1, limit=8)

    np.testing.assert_array_equal(cold.tokens, np.repeat(greedy.tokens, 2, axis=1))


def test_a_seed_and_a_sentence_decide_a_draw():
    number = 2 * FEWEST
    model, sentences = TableModel(seed=8, ends=0.3), list(range(number))

    found = sample(model, sentences, 8, width=3)
    wider = sample(model, sentences[::-1], 8, width=5)
    other = sample(model, sentences, 8, width=3, seed=2)

    for row in range(number):
        assert not Counter(written(found, row)) - Counter(written(wider, number - 1 - row))
    texts = [sorted(written(found, row)) for row in range(number)]
    assert texts != [sorted(written(other, row)) for row in range(number)]


@pytest.mark.parametrize("size", [5, 2 * BLOCK, 3 * BLOCK + 7])
def test_what_is_drawn_is_where_the_sum_passes_a_share_and_never_impossible(size):
    rng, rows = np.random.default_rng(size), 400
    weights = rng.choice([0.0, 0.0, 1e-9, 0.1, 2.0], (rows, size)).astype(np.float32)
    weights[:, size // 2] = 0.3
    points = rng.choice([0, 1 - 2**-24, *rng.random(4)], rows).astype(np.float32)

    places = np.asarray(drawn(jnp.array(weights), jnp.array(points)))

    sums = np.cumsum(weights, axis=1, dtype=np.float64)
    each, wanted = np.arange(rows), points * sums[:, -1]
    assert weights[each, places].all()
    assert (sums[each, places] >= wanted - 1e-4).all()
    assert (sums[each, places] - weights[each, places] <= wanted + 1e-4).all()


def test_the_floor_is_the_value_at_which_a_sorted_list_reaches_what_is_wanted():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(30, 0.1), 200).astype(np.float32)
    ordered = np.sort(probabilities, axis=1)[:, ::-1]
    values, ones = jnp.array(probabilities), jnp.ones(probabilities.shape)

    for number in (1, 2, 29, 30):
        np.testing.assert_array_equal(floor(values, ones, number)[:, 0], ordered[:, number - 1])
    assert not floor(values, ones, 31).any()
    for share in (0.1, 0.5, 0.9):
        first = (np.cumsum(ordered, axis=1) >= share).argmax(axis=1)
        np.testing.assert_array_equal(
            floor(values, values, share)[:, 0], ordered[np.arange(200), first]
        )


def test_ties_at_the_limit_are_all_inside():
    log_probs = jnp.log(jnp.array([[0.4, 0.2, 0.2, 0.2]]))

    for limits in ({"top_k": 2}, {"top_p": 0.5}, {"epsilon": 0.19}):
        found = Sampling(width=1, seed=1, **limits).probabilities(log_probs)
        np.testing.assert_allclose(found, jnp.exp(log_probs), rtol=1e-6)
