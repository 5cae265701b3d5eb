"""Beam search is held against what it promises: see the module's docstring, and `tables`."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import (
    BOS,
    EOS,
    MASK,
    PAD,
    PENALTIES,
    PROCESSORS,
    SPECIALS,
    SRC,
    TableModel,
    all_sequences,
    assert_found,
    beam_search,
)

from nmt.inference.beam import BeamSearch
from nmt.inference.hypotheses import BLOCK
from nmt.inference.prefix import Begun
from nmt.inference.processors import Forbid
from nmt.inference.ranking import Ranking
from nmt.inference.search import FEWEST, Search, Settings

PLAIN = Ranking(k=0.0, alpha=0.0, beta=0.0)


@pytest.mark.parametrize("beta", [0.0, 0.7])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_beam_that_holds_all_sequences_finds_and_ranks_them_all(penalty, beta):
    model, sentences, length = TableModel(seed=1), [5, 17], 4
    everything = 3**4 + 3**3 + 3**2 + 3 + 1  # three words: cut, or ended after 3, 2, 1, 0 of them

    found = model.search(sentences, [length] * 2, beam=130, n_best=130, penalty=penalty, beta=beta)

    for row, sentence in enumerate(sentences):
        expected = all_sequences(model, sentence, length, penalty=penalty, beta=beta)
        assert len(expected) == everything
        assert_found(found, row, expected)


@pytest.mark.parametrize("n_best", [1, 3])
@pytest.mark.parametrize("beta", [0.0, 0.5])
@pytest.mark.parametrize("penalty", PENALTIES)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**20))
def test_the_best_of_all_sequences_are_found_before_all_are_read(penalty, beta, n_best, seed):
    model, sentences, length = TableModel(seed), [3, 5, 8], 4

    found = model.search(
        sentences, [length] * 3, beam=81, n_best=n_best, penalty=penalty, beta=beta
    )

    for row, sentence in enumerate(sentences):
        expected = all_sequences(model, sentence, length, penalty=penalty, beta=beta)
        assert_found(found, row, expected[:n_best])


# The rarer the end, the longer the translations: up to 60 tokens, which short ones compete with.
@pytest.mark.parametrize(
    ("beam", "n_best", "penalty", "options"),
    [
        (1, 1, "average", {}),
        (2, 1, "average", {}),
        (3, 1, "none", {}),
        (4, 1, "root", {"prune": 2.0}),
        (3, 2, "gnmt", {"prune": 3.0}),
        (4, 4, "average", {}),
        (4, 2, "average", {"beta": 0.4}),
        (3, 1, "gnmt", {"beta": 0.2, "prune": 2.0}),
        (4, 1, "average", {"patience": 1}),
        (3, 3, "gnmt", {"patience": 2, "prune": 4.0}),
        (5, 2, "root", {"patience": 0.5, "beta": 0.3}),
    ],
)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**20), ends=st.sampled_from([1.0, 0.2, 0.03]))
def test_search_finds_the_best_that_its_beam_can_reach(beam, n_best, penalty, options, seed, ends):
    model, sentences, max_length = TableModel(seed, ends=ends), [3, 5, 8, 13, 21], [60, 33, 4, 1, 0]
    options = {"beam": beam, "penalty": penalty, **options}

    found = model.search(sentences, max_length, limit=60, n_best=n_best, **options)

    for row, (sentence, length) in enumerate(zip(sentences, max_length, strict=True)):
        expected = beam_search(model, sentence, length, **options, n_best=n_best + 1)
        assert_found(found, row, expected[:n_best], beyond=expected[n_best:])


def test_short_and_long_endings_compete_in_these_models():
    # Otherwise the property above would say nothing about when a search may stop.
    model, lengths = TableModel(seed=4, ends=0.03), {}
    for penalty in ("none", "average"):
        options = {"beam": 4, "n_best": 1, "penalty": penalty}
        best = [beam_search(model, sentence, 60, **options)[0][1] for sentence in range(20)]
        lengths[penalty] = [len(tokens) for tokens in best]

    assert min(lengths["none"]) < 10 < 40 < max(lengths["average"])
    assert sum(a != b for a, b in zip(lengths["none"], lengths["average"], strict=True)) > 10


def _scripted(table):
    """A model whose log-probabilities depend on the time alone: rows of `table`."""

    def step(times, tokens, encoded):
        shape = (len(tokens), SRC)
        return times + 1, jnp.log(table)[times], jnp.full(shape, 1 / SRC)

    return step


def _search(table, *, beam, n_best=1, penalty="average", **changed):
    table = jnp.array(table)
    k, alpha = PENALTIES[penalty]
    ranking = Ranking(k=float(k), alpha=alpha, beta=0.0)
    numbers = Settings(BeamSearch(beam, **changed), ranking)
    search = partial(Search(n_best=n_best, **SPECIALS), processors=PROCESSORS)
    run = partial(search, _scripted(table), limit=len(table), source_mask=_mask(1))
    return jax.jit(run)(
        jnp.zeros(1, jnp.int32), (), settings=numbers, max_length=jnp.full(1, len(table))
    )


def _mask(batch):
    return jnp.ones((batch, SRC), bool)


# Three steps of p(end), p(3), p(4); then only the end.
SHORT_OR_LONG = [[0, 0, 0.3, 0.6, 0.1], *[[0, 0, 1e-3, 0.98, 0.019]] * 19, [0, 0, 1.0, 0, 0]]


@pytest.mark.parametrize("prune", [2.0, 3.0])
def test_what_ended_early_prunes_nothing_that_goes_on(prune):
    # log 0.3 is more than a long translation of 21 tokens has; by the average it loses.
    found = _search(SHORT_OR_LONG, beam=3, prune=prune)

    assert found.lengths.tolist() == [[21]]
    expected = (np.log(0.6) + 19 * np.log(0.98)) / 21
    np.testing.assert_allclose(found.scores, [[expected]], rtol=1e-5)


def test_a_search_does_not_end_because_what_has_finished_is_more_probable():
    # Two hypotheses finish at once, of log p -0.7; what lives has less, but a better average.
    table = [[0, 0, 0.5, 0.5, 0], [0, 0, 0.45, 0.55, 0], *[[0, 0, 1e-3, 0.999, 0]] * 7]
    table = [*table, [0, 0, 1.0, 0, 0]]

    found = _search(table, beam=2)

    assert found.lengths.tolist() == [[10]]
    expected = (np.log(0.5) + np.log(0.55) + 7 * np.log(0.999)) / 10
    np.testing.assert_allclose(found.scores, [[expected]], rtol=1e-5)


def test_patience_ends_a_search_when_so_many_have_finished():
    # One hypothesis finishes at each step, and the average of the next one is better.
    table = [*[[0, 0, 0.1, 0.9, 0]] * 9, [0, 0, 1.0, 0, 0]]

    lengths = [
        _search(table, beam=2, patience=patience).lengths.item()
        for patience in (0.5, 1.0, 2.0, 3.5, np.inf)
    ]

    assert lengths == [1, 2, 4, 7, 10]


def test_pruning_drops_what_is_far_behind_the_likeliest_of_its_length():
    # After one token, the second best hypothesis is log 4 less probable than the best one.
    table = [[0, 0, 0, 0.8, 0.2]] * 3

    assert _search(table, beam=2, n_best=2, prune=1.5).lengths.tolist() == [[3, 3]]
    assert _search(table, beam=2, n_best=2, prune=1.3).lengths.tolist() == [[3, 0]]


def test_coverage_ranks_what_has_finished_and_not_what_is_live():
    # Of the first tokens 3 is likelier; whoever reads it attends to the first position again,
    # whoever reads 4 to the second one.
    def step(times, tokens, encoded):
        table = jnp.log(jnp.array([[0, 0, 0, 0.7, 0.3], [0, 0, 0, 0.6, 0.4]]))
        attention = jax.nn.one_hot(jnp.where(tokens == 4, 1, 0), SRC)
        return times + 1, table[times], attention

    def best(beam):
        search = partial(Search(n_best=1, covers=True, **SPECIALS), processors=PROCESSORS)
        numbers = Settings(BeamSearch(beam), Ranking(k=0.0, alpha=0.0, beta=0.1))
        run = jax.jit(partial(search, step, limit=2, source_mask=jnp.array([MASK])))
        return run(jnp.zeros(1, jnp.int32), (), numbers, max_length=jnp.full(1, 2))

    # Both continuations of 3 are likelier than those of 4, which cover both positions.
    assert best(beam=2).tokens[0, 0].tolist() == [3, 3]
    found = best(beam=4)
    assert found.tokens[0, 0].tolist() == [4, 3]
    np.testing.assert_allclose(found.scores, [[np.log(0.3 * 0.6)]], rtol=1e-5)


def test_a_large_vocabulary_is_searched_like_a_small_one():
    model, sentences = TableModel(seed=2, vocab=10 * BLOCK + 7), [3, 5]
    options = {"beam": 3, "n_best": 3, "penalty": "gnmt"}

    found = model.search(sentences, [5, 5], **options)

    for row, sentence in enumerate(sentences):
        assert_found(found, row, beam_search(model, sentence, 5, **options))


def test_tokens_that_are_never_written_are_not_and_keep_their_probability():
    table = [[0, 0, 0.1, 0.7, 0.2]] * 2
    search = partial(Search(n_best=1, **SPECIALS), processors=(Forbid((BOS, PAD, 3)),))

    run = partial(search, _scripted(jnp.array(table)), limit=2, source_mask=_mask(1))
    found = jax.jit(run)(
        jnp.zeros(1, jnp.int32), (), Settings(BeamSearch(1), PLAIN), max_length=jnp.full(1, 2)
    )

    assert found.tokens[0, 0].tolist() == [4, 4]
    np.testing.assert_allclose(found.log_probs, [[2 * np.log(0.2)]], rtol=1e-6)


def test_each_hypothesis_replays_to_its_log_probability_and_attention():
    model, sentences = TableModel(seed=4, ends=0.2), [0, 1, 2, 3]

    found = model.search(sentences, [20] * 4, limit=20, beam=4, n_best=4, penalty="root")

    for row, place in itertools.product(sentences, range(4)):
        length = found.lengths[row, place]
        log_probs, attention = model.replay(row, found.tokens[row, place, :length].tolist())
        np.testing.assert_allclose(found.log_probs[row, place], log_probs.sum(), rtol=1e-5)
        np.testing.assert_array_equal(found.attention[row, place, :length], attention)
        np.testing.assert_array_equal(found.attention[row, place, length:], 0)


@pytest.mark.parametrize("number", [2 * FEWEST - 1, 2 * FEWEST, 72])
def test_a_sentence_is_found_alike_alone_and_in_a_batch_that_others_leave(number):
    model = TableModel(seed=5, ends=0.2)
    options = {"beam": 4, "n_best": 4, "penalty": "root", "limit": 20}
    max_length = ([20, 3, 18, 5, 0, 1, 7, 8, 2] * 8)[:number]
    together = model.search(list(range(number)), max_length, **options)

    for row, length in enumerate(max_length):
        alone = model.search([row], [length], **options)
        np.testing.assert_array_equal(together.tokens[row], alone.tokens[0])
        np.testing.assert_allclose(together.scores[row], alone.scores[0], rtol=1e-6)
        np.testing.assert_array_equal(together.attention[row], alone.attention[0])


def _say(times, tokens, script):
    """A model that predicts the tokens of a script, its encoded, with near certainty."""
    said = jnp.take_along_axis(script, times[:, None], axis=1)[:, 0]
    log_probs = jax.nn.log_softmax(20 * jax.nn.one_hot(said, 8))
    return times + 1, log_probs, jnp.full((len(tokens), SRC), 1 / SRC)


@pytest.mark.parametrize("batches", [1, 18])
def test_search_says_what_the_script_says(batches):
    script = [[4, 5, 6, EOS, 3], [7, EOS, 3, 3, 3], [EOS, 3, 3, 3, 3], [6, 6, 6, 6, EOS]] * batches
    plain = Settings(BeamSearch(2), PLAIN)
    search = partial(Search(n_best=1, **SPECIALS), processors=PROCESSORS)

    run = partial(search, _say, settings=plain, limit=5, source_mask=_mask(len(script)))
    found = jax.jit(run)(
        jnp.zeros(len(script), jnp.int32), jnp.array(script), max_length=jnp.full(len(script), 5)
    )

    expected = [
        [4, 5, 6, EOS, PAD],
        [7, EOS, PAD, PAD, PAD],
        [EOS, PAD, PAD, PAD, PAD],
        [6, 6, 6, 6, EOS],
    ]
    assert found.tokens[:, 0].tolist() == expected * batches
    assert found.lengths[:, 0].tolist() == [4, 2, 1, 5] * batches


def test_a_sentence_is_done_when_nothing_can_win_and_then_stays_as_it_is():
    script = jnp.array([[4, EOS, *[5] * 48], [4, 4, 4, EOS, *[5] * 46]])
    search, plain = Search(n_best=1, **SPECIALS), Settings(BeamSearch(4), PLAIN)
    rows = script, PROCESSORS
    advance = jax.jit(partial(search.step, step=_say, rows=rows, settings=plain))

    nothing = Begun.nothing(2, SRC, processors=((),))
    start = jnp.zeros(2, jnp.int32), plain.strategy, jnp.full(2, 50)
    states = [search.init(*start, prefix=nothing, limit=50, source_mask=_mask(2))]
    for _ in range(8):
        states.append(advance(states[-1]))

    done = [state.done.tolist() for state in states[:5]]
    assert done == [[False, False], [False, False], [True, False], [True, False], [True, True]]
    at_once, later = (jax.jit(search.finish)(states[time], PLAIN) for time in (4, 8))
    assert at_once.lengths.tolist() == [[2], [4]]
    for before, after in zip(jax.tree.leaves(at_once), jax.tree.leaves(later), strict=True):
        np.testing.assert_array_equal(before, after)


def test_when_half_of_the_sentences_are_done_the_others_are_read_in_half_the_rows():
    script = jnp.array([[EOS, *[5] * 9]] * 70 + [[4] * 8 + [EOS, 5]] * 30)
    search, rows_read = Search(n_best=1, **SPECIALS), []
    plain = Settings(BeamSearch(1), PLAIN)

    def read(times, tokens, script):
        jax.debug.callback(lambda: rows_read.append(len(tokens)))
        return _say(times, tokens, script)

    search = partial(search, processors=PROCESSORS)
    run = partial(search, read, settings=plain, limit=10, source_mask=_mask(100))
    found = jax.jit(run)(jnp.zeros(100, jnp.int32), script, max_length=jnp.full(100, 10))
    jax.block_until_ready(found)
    jax.effects_barrier()

    assert found.lengths[:, 0].tolist() == [1] * 70 + [9] * 30
    assert rows_read == [100] + [50] * 8


def test_random_keys_travel_with_their_hypotheses():
    # The key of a hypothesis is folded with each token it reads: it knows the whole prefix.
    def read(key, token):
        key = jax.random.fold_in(key, token)
        drawn = jax.random.uniform(key, (5 + SRC,))
        return key, jax.nn.log_softmax(4 * drawn[:5]), drawn[5:]

    keys = jax.random.split(jax.random.key(6), 3)
    each = jax.vmap(read)
    search = partial(Search(n_best=3, **SPECIALS), processors=PROCESSORS)
    numbers = Settings(BeamSearch(3), Ranking(k=5.0, alpha=1.0, beta=0.0))

    def step(keys, tokens, encoded):
        return each(keys, tokens)

    found = jax.jit(partial(search, step, limit=6, source_mask=_mask(3)))(
        keys, (), numbers, max_length=jnp.full(3, 6)
    )

    def read_on(key, token):
        key, *predicted = read(key, token)
        return key, predicted

    def follow(key, tokens):
        return jax.lax.scan(read_on, key, tokens)

    previous = jnp.pad(found.tokens[:, :, :-1], ((0, 0), (0, 0), (1, 0)), constant_values=BOS)
    each_hypothesis = jax.vmap(jax.vmap(follow, in_axes=(None, 0)))
    _, (log_probs, attention) = jax.jit(each_hypothesis)(keys, previous)
    gained = np.take_along_axis(np.asarray(log_probs), np.asarray(found.tokens)[..., None], axis=-1)
    inside = np.arange(6) < np.asarray(found.lengths)[..., None]
    np.testing.assert_allclose(found.log_probs, (gained[..., 0] * inside).sum(-1), rtol=1e-5)
    np.testing.assert_allclose(found.attention, attention * inside[..., None], rtol=1e-6)
