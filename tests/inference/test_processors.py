"""What every processor promises, and that its state travels with its hypothesis."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import struct
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import BOS, EOS, PROCESSORS, SPECIALS, SRC

from nmt.inference.beam import BeamSearch
from nmt.inference.prefix import Completion
from nmt.inference.processors import (
    Forbid,
    MinimumLength,
    NoRepeatedNgrams,
    Processor,
    process,
)
from nmt.inference.ranking import Ranking
from nmt.inference.search import Search, Settings

VOCAB, ROWS = 6, 3


@struct.dataclass
class NoRepeats:
    """Forbids what a hypothesis has written before, but for its end."""

    vocabulary: int = struct.field(pytree_node=False)

    def start(self, rows, length):
        return jnp.zeros((rows, self.vocabulary), bool)

    def __call__(self, state, tokens, log_probs):
        state = state.at[jnp.arange(len(tokens)), tokens].set(True)
        return state, jnp.where(state, -jnp.inf, log_probs)


@struct.dataclass
class Prefer:
    """Makes one token of each row likelier than all others, without forbidding any."""

    tokens: jax.Array

    def start(self, rows, length):
        return ()

    def __call__(self, state, tokens, log_probs):
        return state, log_probs.at[jnp.arange(len(tokens)), self.tokens].add(10.0)


def _log_probs(rows=ROWS):
    rng = np.random.default_rng(0)
    return jnp.array(np.log(rng.dirichlet(np.ones(VOCAB), size=rows)), jnp.float32)


CASES = {
    "forbid": Forbid((0, 5)),
    "forbid nothing": Forbid(()),
    "no repeats": NoRepeats(VOCAB),
    "prefer": Prefer(jnp.array([3, 1, 4])),
    "minimum length": MinimumLength(jnp.array([0, 1, 2]), EOS),
    "no repeated 1-grams": NoRepeatedNgrams(1),
    "no repeated 2-grams": NoRepeatedNgrams(2),
    "completion": Completion(
        begins=jnp.array([0, 1, 2]),
        ends=jnp.array([2, 2, 2]),
        allowed=jnp.array([[-1 << 31, 1, 2, 3, 4, 5 - (1 << 31)]] * 3),
        lengths=jnp.array([[1, 0, 1, 2, 1, 1]] * 3),
    ),
}


@pytest.mark.parametrize("processor", CASES.values(), ids=CASES)
def test_a_processor_keeps_shapes_and_rows_apart_and_can_be_a_compiled_argument(processor):
    log_probs, tokens = _log_probs(), jnp.array([4, 2, 1])
    states = processor.start(ROWS, 4)

    after, changed = processor(states, tokens, log_probs)

    assert isinstance(processor, Processor)
    assert hash(jax.tree.structure(processor)) is not None
    assert jax.tree.structure(after) == jax.tree.structure(states)
    assert changed.shape == log_probs.shape
    for row in range(ROWS):
        own = jax.tree.map(lambda leaf, row=row: leaf[row : row + 1], processor)
        alone = own(own.start(1, 4), tokens[row : row + 1], log_probs[row : row + 1])
        np.testing.assert_array_equal(alone[1][0], changed[row])
        for one, all_rows in zip(*map(jax.tree.leaves, (alone[0], after)), strict=True):
            np.testing.assert_array_equal(one[0], all_rows[row])


def test_forbidden_tokens_become_impossible_and_the_rest_stays():
    log_probs = jnp.array([[-1.0, -2.0, -3.0, -4.0]])

    _, changed = Forbid((1, 3))((), jnp.array([BOS]), log_probs)

    np.testing.assert_array_equal(changed, [[-1.0, -np.inf, -3.0, -np.inf]])


def allowed(processor, tokens):
    """Yields the tokens that a processor allows after `bos` and each of the tokens."""
    state, step = processor.start(1, len(tokens) + 1), jax.jit(type(processor).__call__)
    for token in (BOS, *tokens):
        state, log_probs = step(processor, state, jnp.array([token]), jnp.zeros((1, VOCAB)))
        yield set(np.flatnonzero(np.asarray(log_probs[0]) == 0).tolist())


@pytest.mark.parametrize("length", [0, 1, 2, 4])
def test_a_translation_ends_when_it_is_as_long_as_it_must_be(length):
    found = list(allowed(MinimumLength(jnp.array([length]), EOS), [3, 4, 3, 5]))

    # After so many tokens, the end would be one more.
    assert [EOS in each for each in found] == [number + 1 >= length for number in range(5)]
    assert all(each >= {0, 1, 3, 4, 5} for each in found)


@settings(max_examples=60)
@given(tokens=st.lists(st.integers(3, 5), max_size=9), n=st.integers(1, 4))
def test_a_token_is_allowed_unless_it_repeats_an_n_gram(tokens, n):
    found = list(allowed(NoRepeatedNgrams(n), tokens))

    for number, each in enumerate(found):
        written = tokens[:number]
        ngrams = [tuple(written[i : i + n]) for i in range(len(written) - n + 1)]
        last = written[len(written) - n + 1 :] if n > 1 else []
        repeated = {t for t in range(VOCAB) if len(last) == n - 1 and (*last, t) in ngrams}
        assert each == set(range(VOCAB)) - repeated


def test_each_processor_reads_what_those_before_it_leave():
    pair = Prefer(jnp.array([3])), Forbid((3,))
    found, other = (
        process(each, ((), ()), jnp.array([BOS]), _log_probs(1))[1] for each in (pair, pair[::-1])
    )

    assert found[0, 3] == other[0, 3] == -np.inf
    np.testing.assert_array_equal(found, other)


def _search(table, *, beam, length, processors):
    """Searches by one row of log-probabilities, the same whatever was written."""

    def step(state, tokens, encoded):
        rows = jnp.broadcast_to(table, (len(tokens), len(table)))
        return state, rows, jnp.full((len(tokens), SRC), 1 / SRC)

    plain = Settings(BeamSearch(beam), Ranking(k=0.0, alpha=0.0, beta=0.0))
    search = partial(Search(n_best=beam, **SPECIALS), processors=(*PROCESSORS, *processors))
    run = partial(search, step, limit=length, source_mask=jnp.ones((1, SRC), bool))
    start = jnp.zeros(1, jnp.int32), ()
    return jax.jit(partial(run, *start, plain))(max_length=jnp.full(1, length))


def test_the_state_of_a_processor_is_that_of_its_own_hypothesis():
    # The beam's two hypotheses change places at each step: 3 4 5 and 4 3 5 are the likeliest.
    table = jnp.log(jnp.array([1e-9, 1e-9, 0.01, 0.4, 0.35, 0.24]))

    found = _search(table, beam=2, length=4, processors=[NoRepeats(VOCAB)])

    written = {tuple(each) for each in found.tokens[0].tolist()}
    assert written == {(3, 4, 5, EOS), (4, 3, 5, EOS)}


def test_the_score_of_a_hypothesis_stays_the_models_own():
    table = jnp.log(jnp.array([1e-9, 1e-9, 0.3, 0.5, 0.15, 0.05]))

    found = _search(table, beam=1, length=3, processors=[Prefer(jnp.array([5]))])

    assert found.tokens[0, 0].tolist() == [5, 5, 5]
    np.testing.assert_allclose(found.log_probs, [[3 * np.log(0.05)]], rtol=1e-6)
