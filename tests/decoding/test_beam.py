"""Search is held against two searches in plain Python: over all sequences, and over a beam."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.decoding.beam import BeamSearch, search
from nmt.decoding.hypotheses import BLOCK
from nmt.decoding.sampling import greedy

PAD, BOS, EOS = 0, 1, 2
SPECIALS = {"bos": BOS, "eos": EOS, "pad": PAD}
SEARCH_OPTIONS = ("beam", "n_best", "normalisation", "alpha", "coverage", "prune", "rows")
SRC = 3
MASK = (True, True, False)  # the last position is padding
ROWS = 997  # a prime, so that prefixes spread over the table


class TableModel:
    """Random tables, read at a row that depends on the sentence and the whole prefix."""

    def __init__(self, seed, vocab=6):
        rng = np.random.default_rng(seed)
        probabilities = rng.dirichlet(np.full(vocab, 0.5), size=ROWS) + 1e-4
        self.log_probs = np.log(probabilities).astype(np.float32)
        self.log_probs -= np.log(np.exp(self.log_probs).sum(axis=1, keepdims=True))
        self.shift = rng.normal(size=(ROWS, 1)).astype(np.float32)  # logits are good enough
        self.attention = rng.dirichlet(np.ones(SRC), size=ROWS).astype(np.float32)

    @staticmethod
    def next_row(row, token):
        return (row * 31 + token * 7 + 5) % ROWS

    def search(self, sentences, max_length, *, limit=8, **options):
        tables = (self.log_probs + self.shift, self.attention)
        sentences, max_length = jnp.array(sentences), jnp.array(max_length)
        options["source_mask"] = jnp.tile(jnp.array(MASK)[None, :], (len(sentences), 1))
        found = _run(search, tables, sentences, max_length, limit=limit, **options)
        return jax.tree.map(np.asarray, found)

    def replay(self, sentence, tokens):
        """Returns the log-probability of each token and the attention it was predicted with."""
        row, log_probs, attention = sentence, [], []
        for previous, token in zip((BOS, *tokens), tokens, strict=False):
            row = self.next_row(row, previous)
            log_probs.append(self.log_probs[row, token])
            attention.append(self.attention[row])
        return np.array(log_probs, np.float64), np.array(attention)

    def log_prob(self, sentence, tokens):
        return self.replay(sentence, tokens)[0].sum()


def _table_step(tables):
    log_probs, attention = tables

    def step(rows, tokens, memory):
        rows = TableModel.next_row(rows, tokens)
        return rows, log_probs[rows], attention[rows]

    return step


@partial(jax.jit, static_argnums=0, static_argnames=("limit", *SEARCH_OPTIONS))
def _run(method, tables, sentences, max_length, **options):
    options |= SPECIALS | {"max_length": max_length}
    return method(_table_step(tables), sentences, (), **options)


def score(log_prob, length, kind, alpha):
    divisor = {"none": 1, "average": length**alpha, "gnmt": ((5 + length) / 6) ** alpha}
    return log_prob / divisor[kind]


def search_everything(model, sentence, length, *, kind, alpha):
    """Returns (score, tokens) of all that end, best first, then of all that are cut."""
    words = range(3, model.log_probs.shape[1])
    ended = [
        (*prefix, EOS) for size in range(length) for prefix in itertools.product(words, repeat=size)
    ]
    cut = list(itertools.product(words, repeat=length))
    ranked = [
        sorted(
            (
                (score(model.log_prob(sentence, tokens), len(tokens), kind, alpha), tokens)
                for tokens in group
            ),
            reverse=True,
        )
        for group in (ended, cut)
    ]
    return ranked[0] + ranked[1]


def search_beam(model, sentence, length, *, beam, n_best, kind, alpha, prune=None, give_up=True):
    """Returns (score, tokens) of the finished hypotheses, then of the cut."""
    if length == 0:
        return []
    live, finished = [(0.0, ())], []
    vocab = [EOS, *range(3, model.log_probs.shape[1])]
    for _ in range(length):
        extended = [(*tokens, token) for _, tokens in live for token in vocab]
        candidates = sorted(
            ((model.log_prob(sentence, tokens), tokens) for tokens in extended), reverse=True
        )
        finished += [found for found in candidates[:beam] if found[1][-1] == EOS]
        live = [found for found in candidates if found[1][-1] != EOS][:beam]
        finished.sort(key=lambda found: -score(found[0], len(found[1]), kind, alpha))
        finished = finished[:beam]
        if len(finished) == beam and min(finished)[0] >= live[0][0]:
            live = []
        if give_up and len(finished) >= n_best:
            log_prob, tokens = finished[n_best - 1]
            worst = score(log_prob, len(tokens), kind, alpha)
            live = [found for found in live if score(found[0], length, kind, alpha) > worst]
        if prune is not None and live:
            least = max(live + finished)[0] - prune
            live = [found for found in live if found[0] >= least]
        if not live:
            break
    return [
        (score(log_prob, len(tokens), kind, alpha), tokens) for log_prob, tokens in finished + live
    ]


def assert_found(found, row, expected):
    """The hypotheses of a row are the expected (score, tokens), in order, and no others."""
    places, limit = found.tokens.shape[1:]
    expected = expected[:places]
    absent = places - len(expected)
    padded = [list(tokens) + [PAD] * (limit - len(tokens)) for _, tokens in expected]
    assert found.tokens[row].tolist() == padded + [[PAD] * limit] * absent
    assert found.lengths[row].tolist() == [len(tokens) for _, tokens in expected] + [0] * absent
    scores = [score for score, _ in expected] + [-np.inf] * absent
    np.testing.assert_allclose(found.scores[row], scores, rtol=1e-5)


@pytest.mark.parametrize(("kind", "alpha"), [("none", 1.0), ("average", 1.0), ("gnmt", 0.6)])
def test_a_beam_that_holds_all_sequences_finds_and_ranks_them_all(kind, alpha):
    model, sentences, length = TableModel(seed=1), [5, 17], 4
    everything = 3**4 + 3**3 + 3**2 + 3 + 1  # three words: cut, or ended after 3, 2, 1, 0 of them

    found = model.search(
        sentences, [length] * 2, beam=130, n_best=130, normalisation=kind, alpha=alpha
    )

    for row, sentence in enumerate(sentences):
        expected = search_everything(model, sentence, length, kind=kind, alpha=alpha)
        assert len(expected) == everything
        assert_found(found, row, expected)


@pytest.mark.parametrize("rows", [5, 12])  # some sentences wait, or none
@pytest.mark.parametrize(
    ("beam", "n_best", "kind", "prune"),
    [
        (1, 1, "average", None),
        (3, 1, "none", None),
        (3, 1, "average", 1.5),
        (3, 2, "gnmt", 3.0),
        (4, 4, "average", None),
    ],
)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**20))
def test_search_finds_what_a_plain_beam_finds(beam, n_best, kind, prune, rows, seed):
    model, sentences, max_length = TableModel(seed), [3, 5, 8, 13], [8, 4, 1, 0]
    options = {"beam": beam, "n_best": n_best, "alpha": 0.8, "prune": prune}

    found = model.search(sentences, max_length, rows=rows, normalisation=kind, **options)

    for row, (sentence, length) in enumerate(zip(sentences, max_length, strict=True)):
        assert_found(found, row, search_beam(model, sentence, length, kind=kind, **options))


@settings(max_examples=15)
@given(seed=st.integers(0, 2**20))
def test_hypotheses_are_given_up_only_when_they_could_not_win(seed):
    model, sentences, options = TableModel(seed), range(8), {"n_best": 2, "alpha": 1.0}

    found = model.search(sentences, [8] * 8, beam=3, normalisation="average", **options)

    for row in sentences:
        plain = search_beam(model, row, 8, beam=3, kind="average", give_up=False, **options)
        for place, (least, tokens) in enumerate(plain[:2]):
            if tokens[-1] == EOS:
                assert found.scores[row, place] >= least - 1e-5


def coverage(model, sentence, tokens):
    """The penalty of Wu et al. (2016), equation 14, without its weight."""
    summed = model.replay(sentence, tokens)[1].sum(axis=0)
    return sum(np.log(min(c, 1.0)) for c, real in zip(summed, MASK, strict=True) if real)


@pytest.mark.parametrize("kind", ["average", "gnmt"])
def test_coverage_ranks_all_sequences_as_its_equation_does(kind):
    model, sentences, length, beta = TableModel(seed=7), [5, 17], 4, 0.7

    found = model.search(
        sentences,
        [length] * 2,
        beam=130,
        n_best=130,
        normalisation=kind,
        alpha=0.9,
        coverage=beta,
    )

    for row, sentence in enumerate(sentences):
        plain = search_everything(model, sentence, length, kind=kind, alpha=0.9)
        weighed = [
            (value + beta * coverage(model, sentence, tokens), tokens) for value, tokens in plain
        ]
        assert weighed != sorted(weighed, key=lambda one: (one[1][-1] != EOS, -one[0]))
        weighed.sort(key=lambda one: (one[1][-1] != EOS, -one[0]))
        assert_found(found, row, weighed)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**20))
def test_with_coverage_too_the_best_is_found_before_all_is_read(seed):
    model, sentences, length, beta = TableModel(seed), [3, 5, 8], 4, 0.5

    found = model.search(
        sentences,
        [length] * 3,
        beam=81,
        n_best=1,
        normalisation="average",
        alpha=1.0,
        coverage=beta,
    )

    for row, sentence in enumerate(sentences):
        plain = search_everything(model, sentence, length, kind="average", alpha=1.0)
        best = max(
            value + beta * coverage(model, sentence, tokens)
            for value, tokens in plain
            if tokens[-1] == EOS
        )
        np.testing.assert_allclose(found.scores[row, 0], best, rtol=1e-5)


def test_a_large_vocabulary_is_searched_like_a_small_one():
    model, sentences = TableModel(seed=2, vocab=10 * BLOCK + 7), [3, 5]
    options = {"beam": 3, "n_best": 3, "alpha": 1.0}

    found = model.search(sentences, [5, 5], normalisation="gnmt", **options)

    for row, sentence in enumerate(sentences):
        assert_found(found, row, search_beam(model, sentence, 5, kind="gnmt", **options))


@pytest.mark.parametrize("kind", ["none", "average"])
def test_a_beam_of_one_is_greedy(kind):
    model, sentences, max_length = TableModel(seed=3), jnp.arange(40), jnp.full(40, 9)

    found = model.search(
        range(40), [9] * 40, limit=9, beam=1, n_best=1, normalisation=kind, alpha=1.0
    )
    tables = jnp.array(model.log_probs), jnp.array(model.attention)
    drawn = jax.jit(partial(greedy, _table_step(tables), **SPECIALS, limit=9, source_length=SRC))(
        sentences, (), max_length=max_length
    )

    assert len(set(found.lengths[:, 0].tolist())) > 4
    np.testing.assert_array_equal(found.tokens, drawn.tokens)
    np.testing.assert_array_equal(found.lengths, drawn.lengths)
    np.testing.assert_allclose(found.log_probs, drawn.log_probs, rtol=1e-6)
    np.testing.assert_array_equal(found.attention, drawn.attention)


def test_each_hypothesis_replays_to_its_log_probability_and_attention():
    model, sentences = TableModel(seed=4), [0, 1, 2, 3]

    found = model.search(sentences, [8] * 4, beam=4, n_best=4, normalisation="average", alpha=0.8)

    for row, place in itertools.product(sentences, range(4)):
        length = found.lengths[row, place]
        log_probs, attention = model.replay(row, found.tokens[row, place, :length].tolist())
        np.testing.assert_allclose(found.log_probs[row, place], log_probs.sum(), rtol=1e-5)
        np.testing.assert_array_equal(found.attention[row, place, :length], attention)
        np.testing.assert_array_equal(found.attention[row, place, length:], 0)


def test_a_sentence_is_found_alike_alone_and_in_a_batch_that_others_leave():
    model = TableModel(seed=5)
    options = {"beam": 4, "n_best": 4, "normalisation": "average", "alpha": 0.8}
    max_length = [8, 3, 8, 5, 0, 1, 7, 8, 2] * 8
    together = model.search(list(range(len(max_length))), max_length, rows=50, **options)

    for row, length in enumerate(max_length):
        alone = model.search([row], [length], **options)
        np.testing.assert_array_equal(together.tokens[row], alone.tokens[0])
        np.testing.assert_allclose(together.scores[row], alone.scores[0], rtol=1e-6)
        np.testing.assert_array_equal(together.attention[row], alone.attention[0])


def _say(times, tokens, script):
    """A model that predicts the tokens of a script, its memory, with near certainty."""
    said = jnp.take_along_axis(script, times[:, None], axis=1)[:, 0]
    log_probs = jax.nn.log_softmax(20 * jax.nn.one_hot(said, 8))
    return times + 1, log_probs, jnp.full((len(tokens), SRC), 1 / SRC)


def _mask(batch):
    return jnp.ones((batch, SRC), bool)


@pytest.mark.parametrize("batches", [1, 18])
def test_search_says_what_the_script_says(batches):
    script = [[4, 5, 6, EOS, 3], [7, EOS, 3, 3, 3], [EOS, 3, 3, 3, 3], [6, 6, 6, 6, EOS]] * batches
    options = {"normalisation": "none", "alpha": 1.0, "limit": 5, **SPECIALS}

    found = jax.jit(partial(search, _say, beam=2, source_mask=_mask(len(script)), **options))(
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
    rules = BeamSearch(beam=4, n_best=1, normalisation="average", alpha=1.0, **SPECIALS)
    advance = jax.jit(partial(rules.step, step=_say, memory=script, rows=8))

    start = jnp.zeros(2, jnp.int32), jnp.full(2, 50)
    states = [rules.init(*start, limit=50, source_mask=_mask(2), rows=8)]
    for _ in range(8):
        states.append(advance(states[-1]))

    done = [state.done.tolist() for state in states[:5]]
    assert done == [[False, False], [False, False], [True, False], [True, False], [True, True]]
    finish = jax.jit(partial(rules.finish, limit=50))
    at_once, later = finish(states[4]), finish(states[8])
    assert at_once.lengths.tolist() == [[2], [4]]
    for before, after in zip(jax.tree.leaves(at_once), jax.tree.leaves(later), strict=True):
        np.testing.assert_array_equal(before, after)


def test_sentences_that_are_done_leave_their_rows_to_those_that_wait():
    # Each of 100 sentences has one live hypothesis of ten tokens: 1,000 tokens are read.
    script = jnp.array([[4] * 9 + [EOS]] * 100)
    options = {"normalisation": "none", "alpha": 1.0, "limit": 10, **SPECIALS}
    rows_read = []

    def read(times, tokens, script):
        jax.debug.callback(lambda: rows_read.append(len(tokens)))
        return _say(times, tokens, script)

    find = partial(search, read, beam=2, prune=1.0, rows=20, source_mask=_mask(100), **options)
    found = jax.jit(find)(jnp.zeros(100, jnp.int32), script, max_length=jnp.full(100, 10))
    jax.block_until_ready(found)
    jax.effects_barrier()

    assert found.lengths[:, 0].tolist() == [10] * 100
    assert rows_read == [20] * 50


def test_a_few_sentences_that_are_left_are_read_in_fewer_rows():
    script = jnp.array([[EOS, *[5] * 9]] * 250 + [[4] * 8 + [EOS, 5]] * 50)
    options = {"normalisation": "none", "alpha": 1.0, "limit": 10, **SPECIALS}
    rows_read = []

    def read(times, tokens, script):
        jax.debug.callback(lambda: rows_read.append(len(tokens)))
        return _say(times, tokens, script)

    find = partial(search, read, beam=1, rows=300, source_mask=_mask(300), **options)
    found = jax.jit(find)(jnp.zeros(300, jnp.int32), script, max_length=jnp.full(300, 10))
    jax.block_until_ready(found)
    jax.effects_barrier()

    assert found.lengths[:, 0].tolist() == [1] * 250 + [9] * 50
    assert rows_read == [300] + [75] * 8


def test_pruning_gives_up_what_is_far_behind():
    # After one token, the second best hypothesis is log 4 less probable than the best one.
    table = jnp.log(jnp.array([0.0, 0.0, 0.0, 0.8, 0.2]))
    options = {"normalisation": "none", "alpha": 1.0, "limit": 3, **SPECIALS}

    def step(state, tokens, memory):
        shape = (len(tokens), 1)
        return state, jnp.tile(table[None, :], shape), jnp.ones((len(tokens), SRC))

    def search_with(prune):
        find = partial(search, step, beam=2, n_best=2, prune=prune, **options)
        start = jnp.zeros(1), ()
        return jax.jit(find)(*start, max_length=jnp.full(1, 3), source_mask=_mask(1))

    assert search_with(1.5).lengths.tolist() == [[3, 3]]
    assert search_with(1.3).lengths.tolist() == [[3, 0]]


def test_random_keys_travel_with_their_hypotheses():
    # The key of a hypothesis is folded with each token it reads: it knows the whole prefix.
    def read(key, token):
        key = jax.random.fold_in(key, token)
        drawn = jax.random.uniform(key, (5 + SRC,))
        return key, jax.nn.log_softmax(4 * drawn[:5]), drawn[5:]

    keys = jax.random.split(jax.random.key(6), 3)
    each = jax.vmap(read)
    options = {"normalisation": "gnmt", "alpha": 1.0, "limit": 6, **SPECIALS}

    def step(keys, tokens, memory):
        return each(keys, tokens)

    found = jax.jit(partial(search, step, beam=3, n_best=3, **options))(
        keys, (), max_length=jnp.full(3, 6), source_mask=_mask(3)
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
