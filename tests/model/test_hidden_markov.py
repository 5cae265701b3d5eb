"""The hidden Markov model of alignments against sums over each of them, one at a time."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.model.hidden_markov import Emissions, posteriors

SOURCE, TARGET = 5, 6  # with one position of padding, or more
LENGTHS = [(source, target) for source in range(1, 5) for target in range(1, 5)]
NOTHING = [(0, 0), (3, 0), (0, 3)]


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(rows, *, longest=2, seed=0, spread=2.0, size=(TARGET, SOURCE)):
    """Random emissions, scores and jumps, padding too."""
    random = np.random.default_rng(seed)
    words, scores = (random.normal(0, spread, (rows, *size)) for _ in range(2))
    empty = random.normal(0, spread, (rows, size[0]))
    return words, empty, scores, random.normal(0, spread, 2 * longest + 1)


@partial(jax.jit, static_argnames="e")
def found(words, empty, scores, jumps, e, lengths):
    target, source = (jnp.arange(size)[None] for size in words.shape[1:])
    masks = {
        "source_mask": source < lengths[:, :1],
        "target_mask": target < lengths[:, 1:],
    }
    return posteriors(Emissions(words, empty), scores, jumps, empty=e, **masks)


def joined(words, empty, scores, jumps, e, lengths):
    """What `posteriors` finds, as NumPy arrays."""
    arrays = map(jnp.asarray, (words, empty, scores, jumps))
    return jax.tree.map(np.asarray, found(*arrays, e=e, lengths=jnp.asarray(lengths)))


def enumerated(words, empty, scores, jumps, e):
    """Sums p(y, a) over all states and all ways to emit, for one pair without padding."""
    target, source = words.shape
    longest = len(jumps) // 2

    def moved(t, before, to):
        def exponent(k):
            if before is None:
                return scores[t, k]
            return scores[t, k] + jumps[longest + min(max(k - before, -longest), longest)]

        return np.exp(exponent(to)) / sum(np.exp(exponent(k)) for k in range(source))

    moves = {
        (t, i, j): moved(t, i, j)
        for t in range(target)
        for i in ([None] if t == 0 else range(source))
        for j in range(source)
    }
    total, links = 0.0, np.zeros((target, source))
    for states in itertools.product(range(source), repeat=target):
        path = 1.0
        for t, j in enumerate(states):
            path *= moves[t, states[t - 1] if t else None, j]
        for from_words in itertools.product([True, False], repeat=target):
            p = path
            for t, (j, from_word) in enumerate(zip(states, from_words, strict=True)):
                p *= (1 - e) * np.exp(words[t, j]) if from_word else e * np.exp(empty[t])
            total += p
            for t, (j, from_word) in enumerate(zip(states, from_words, strict=True)):
                links[t, j] += p * from_word
    return np.log(total), links / total


def assert_enumerated(result, row, inputs, e, lengths):
    """Holds one row of a result to the sums over all alignments; padding has no links."""
    words, empty, scores, jumps = inputs
    source, target = lengths
    likelihood, links = enumerated(
        words[row, :target, :source], empty[row, :target], scores[row, :target, :source], jumps, e
    )
    np.testing.assert_allclose(result.log_likelihood[row], likelihood, rtol=1e-9, atol=1e-12)
    expected = np.zeros(result.links.shape[1:])
    expected[:target, :source] = links
    np.testing.assert_allclose(result.links[row], expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("longest", [1, 4])
def test_likelihood_and_links_are_sums_over_all_alignments(longest):
    inputs = drawn(len(LENGTHS), longest=longest)

    result = joined(*inputs, 0.3, LENGTHS)

    for row, lengths in enumerate(LENGTHS):
        assert_enumerated(result, row, inputs, 0.3, lengths)


@given(
    lengths=st.tuples(*[st.integers(1, 4)] * 2),
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 0.5, 3.0]),
    e=st.sampled_from([0.001, 0.2, 0.9]),
)
def test_any_pair_is_summed_over_all_alignments(lengths, seed, spread, e):
    inputs = drawn(1, seed=seed, spread=spread)

    result = joined(*inputs, e, [lengths])

    assert_enumerated(result, 0, inputs, e, lengths)
    assert (result.links.sum(axis=-1) <= 1 + 1e-9).all()


def test_padding_changes_nothing_whatever_it_holds():
    words, empty, scores, jumps = drawn(len(LENGTHS), size=(4, 4))
    expected = joined(words, empty, scores, jumps, 0.2, LENGTHS)

    for padding in (0.0, 700.0, -1e4):
        longer = ((0, 1), (0, 2), (0, 1))
        padded = [
            np.pad(array, longer[: array.ndim], constant_values=padding)
            for array in (words, empty, scores)
        ]
        for row, (source, target) in enumerate(LENGTHS):
            for array in padded:
                array[row, target:] = padding
            for array in (padded[0], padded[2]):
                array[row, :, source:] = padding
        result = joined(*padded, jumps, 0.2, [*LENGTHS, (0, 0)])

        rows = len(LENGTHS)
        np.testing.assert_allclose(result.log_likelihood[:rows], expected.log_likelihood)
        np.testing.assert_allclose(result.links[:rows, :4, :4], expected.links, atol=1e-12)
        assert not result.links[:, 4:].any()
        assert not result.links[:, :, 4:].any()
        assert result.log_likelihood[rows] == 0
        assert not result.links[rows].any()


def test_a_side_without_words_has_no_links_and_is_finite():
    result = joined(*drawn(len(NOTHING)), 0.2, NOTHING)

    assert not result.links.any()
    np.testing.assert_array_equal(result.log_likelihood[:2], 0)
    assert np.isfinite(result.log_likelihood).all()


@jax.jit
def gradients(words, empty, scores, jumps, lengths):
    @partial(jax.grad, argnums=(0, 1, 2, 3))
    def of(words, empty, scores, jumps):
        result = found(words, empty, scores, jumps, e=0.2, lengths=lengths)
        return jnp.sum(result.log_likelihood) + jnp.sum(result.links**2)

    return of(words, empty, scores, jumps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("extreme", [0.0, 60.0])
def test_gradients_are_finite_and_padding_has_none(dtype, extreme):
    lengths = [*LENGTHS, *NOTHING]
    inputs = list(drawn(len(lengths), spread=1.0))
    random = np.random.default_rng(1)
    for place in range(3):  # all but the jumps
        signs = random.choice([-1, 0, 1], inputs[place].shape)
        inputs[place] = inputs[place] + extreme * signs
    arrays = [jnp.asarray(each, dtype) for each in inputs]

    *found, jumps = map(np.asarray, gradients(*arrays, jnp.asarray(lengths)))

    assert np.isfinite(jumps).all()
    for each in found:
        assert each.dtype == dtype
        assert np.isfinite(each).all()
        for row, (source, target) in enumerate(lengths):
            assert not each[row, target:].any()
            if each.ndim == 3:
                assert not each[row, :, source:].any()


def test_the_gradient_is_that_of_small_differences():
    inputs, lengths = drawn(2), np.array([(3, 4), (4, 2)])

    def value(changed):
        result = joined(*changed, 0.2, lengths)
        return result.log_likelihood.sum() + (result.links**2).sum()

    gradient = gradients(*map(jnp.asarray, inputs), jnp.asarray(lengths))

    random = np.random.default_rng(2)
    for place, array in enumerate(inputs):
        direction = random.normal(0, 1, array.shape)
        ends = [
            value([*inputs[:place], array + step * direction, *inputs[place + 1 :]])
            for step in (1e-6, -1e-6)
        ]
        slope = np.sum(np.asarray(gradient[place]) * direction)
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, slope, rtol=1e-6)


def test_unlikely_words_are_as_unlikely_in_float32():
    random = np.random.default_rng(3)
    rows = 32
    words, empty = random.uniform(-60, 0, (rows, 4, 4)), random.uniform(-60, 0, (rows, 4))
    scores, jumps = random.uniform(-10, 10, (rows, 4, 4)), random.uniform(-3, 3, 5)
    arrays = [jnp.asarray(each, "float32") for each in (words, empty, scores, jumps)]

    result = found(*arrays, e=0.2, lengths=jnp.full((rows, 2), 4))

    for row in range(rows):
        likelihood, links = enumerated(words[row], empty[row], scores[row], jumps, 0.2)
        np.testing.assert_allclose(result.log_likelihood[row], likelihood, rtol=1e-4)
        np.testing.assert_allclose(result.links[row], links, atol=1e-3)


def test_jumps_that_are_far_apart_have_finite_gradients():
    jumps = jnp.array([-300.0, 0.0, 200.0], jnp.float32)

    def likelihood(jumps):
        return posteriors(
            Emissions(jnp.zeros((1, 3, 4), jnp.float32), jnp.zeros((1, 3), jnp.float32)),
            jnp.zeros((1, 3, 4), jnp.float32),
            jumps,
            empty=0.1,
            source_mask=jnp.ones((1, 4), bool),
            target_mask=jnp.ones((1, 3), bool),
        ).log_likelihood.sum()

    assert bool(jnp.isfinite(jax.jit(jax.grad(likelihood))(jumps)).all())
