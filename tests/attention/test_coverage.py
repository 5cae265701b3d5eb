"""Coverage against the equations of Tu et al. (2016) in NumPy, one source position at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import gru_step
from flax import nnx
from memories import SIZE, built, memory_of
from pydantic import ValidationError

from nmt.config import GlobalConfig
from nmt.errors import ConfigError

STEPS, LENGTHS = 4, [5, 2, 1]
BOTH = pytest.mark.parametrize("coverage", ["linguistic", "neural"])


class Keyless(nnx.Module):
    """A score that reads no annotation."""

    def __init__(self, query_size, annotation_size, *, rngs):
        pass

    def keys(self, annotations):
        return annotations[..., :0]

    def __call__(self, query, keys):
        return jnp.zeros(keys.shape[:2])


def _randomised(**options):
    """Returns a mechanism and its parameters in NumPy; none is left at a zero that it starts from.

    Coverage is read strongly, so that it changes the weights.
    """
    attention = built(**options)
    rng = np.random.default_rng(4)
    graph, state = nnx.split(attention)
    state = jax.tree.map(lambda leaf: jnp.array(rng.normal(size=leaf.shape), leaf.dtype), state)
    parameters = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), nnx.to_pure_dict(state))
    return nnx.merge(graph, state), parameters


def _queries():
    rng = np.random.default_rng(6)
    return jnp.array(rng.normal(size=(STEPS, len(LENGTHS), SIZE)), jnp.float32)


def _attend(attention, encoded):
    """Returns contexts and weights of each target position."""

    @jax.jit
    def attend(encoded):
        state, found = attention.initial_state(encoded), []
        for query in _queries():
            context, attended, state = attention(query, encoded, state)
            found.append((context, attended.weights))
        return found

    return attend(encoded)


def _score(name, score, s, h, added):
    """Returns the score of a key that coverage has been added to."""
    if name == "additive":
        hidden = np.tanh(s @ score["query"]["kernel"] + h @ score["key"]["kernel"] + added)
        return hidden @ score["energy"]["kernel"][:, 0]
    return s @ (h @ score["key"]["kernel"] + added)  # general


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _linguistic(part, c, alpha, h, s):
    return c + alpha / (2 * _sigmoid(h @ part["fertility"]["kernel"]))


def _neural(part, c, alpha, h, s):
    """Returns a GRU's next state, whose input is the weight, the annotation and the query."""
    cell = part["cell"]
    kernels = (part["weight"]["kernel"], cell["input"]["kernel"], part["query"]["kernel"])
    whole = {"kernel": np.concatenate(kernels), "bias": cell["input"]["bias"]}
    return gru_step(cell | {"input": whole}, c, np.concatenate([[alpha], h, s]))


@pytest.mark.parametrize(
    ("coverage", "size", "follow"),
    [("linguistic", 1, _linguistic), ({"kind": "neural", "size": 3}, 3, _neural)],
    ids=["linguistic", "neural"],
)
@pytest.mark.parametrize("score", ["additive", "general"])
def test_weights_follow_the_equations_over_several_target_positions(coverage, size, follow, score):
    attention, parameters = _randomised(score=score, coverage=coverage)
    encoded = memory_of(attention, LENGTHS, src=5)

    found = _attend(attention, encoded)

    queries, annotations = (np.asarray(x, np.float64) for x in (_queries(), encoded.annotations))
    for row, length in enumerate(LENGTHS):
        covered = [np.zeros(size)] * length
        for query, (context, weights) in zip(queries[:, row], found, strict=True):
            scores = [
                _score(score, parameters["score"], query, h, c @ parameters["added"]["kernel"])
                for h, c in zip(annotations[row], covered, strict=False)
            ]
            shares = np.exp(scores) / np.exp(scores).sum()
            np.testing.assert_allclose(weights[row, :length], shares, rtol=1e-3, atol=1e-6)
            np.testing.assert_array_equal(weights[row, length:], 0)
            expected = shares @ annotations[row, :length]
            np.testing.assert_allclose(context[row], expected, rtol=1e-3, atol=1e-4)
            covered = [
                follow(parameters["coverage"], c, alpha, h, query)
                for c, alpha, h in zip(covered, shares, annotations[row], strict=False)
            ]


@BOTH
def test_at_the_start_attention_is_as_it_would_be_without_coverage(coverage):
    attention, plain = built(coverage=coverage), built()
    nnx.update(plain.score, nnx.state(attention.score))
    encoded = memory_of(attention, LENGTHS, src=5)

    for found, expected in zip(_attend(attention, encoded), _attend(plain, encoded), strict=True):
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)


@BOTH
def test_every_parameter_of_coverage_learns_once_it_is_read(coverage):
    attention, _ = _randomised(coverage=coverage)
    encoded = memory_of(attention, LENGTHS, src=5)
    graph, state = nnx.split(attention)

    @jax.jit
    @jax.grad
    def gradient(state):
        found = _attend(nnx.merge(graph, state), encoded)
        return sum((context**2).sum() for context, _ in found)

    gradients = gradient(state)
    for part in ("coverage", "added"):
        assert all((np.abs(leaf) > 0).any() for leaf in jax.tree.leaves(gradients[part])), part


def test_a_fertile_position_is_covered_more_slowly():
    """At a fertility of N sigmoid(0) = N / 2, all weights in it add up to 2 / N."""
    attention = built(coverage={"kind": "linguistic", "max_fertility": 4.0})
    attention.coverage.fertility.kernel[...] = jnp.zeros((SIZE, 1))
    encoded = memory_of(attention, [1, 1, 1])

    @jax.jit
    def covered(encoded):
        state = attention.initial_state(encoded)
        for query in _queries():
            _, _, state = attention(query, encoded, state)
        return state

    state = covered(encoded)
    np.testing.assert_allclose(state[:, 0, 0], STEPS * 2 / 4, rtol=1e-6)
    np.testing.assert_array_equal(state[:, 1:], 0)


def test_coverage_is_as_wide_as_the_keys_of_the_score():
    attention = built(coverage={"kind": "neural", "size": 7}, score_options={"hidden_size": 5})

    assert attention.added.kernel.shape == (7, 5)


@pytest.mark.parametrize("coverage", ["linguistic", {"kind": "neural", "size": 2}])
def test_coverage_keeps_no_array_of_target_source_and_key(coverage):
    key, steps, src = 37, 11, 13
    attention = built(coverage=coverage, score_options={"hidden_size": key})
    graph, state = nnx.split(attention)
    encoded = memory_of(attention, [src], src=src)
    queries = jnp.ones((steps, 1, SIZE))

    def loss(state):
        attention = nnx.merge(graph, state)

        def step(covered, query):
            context, _, covered = attention(query, encoded, covered)
            return covered, context

        return jax.lax.scan(step, attention.initial_state(encoded), queries)[1].sum()

    kept = jax.tree.leaves(jax.eval_shape(lambda state: jax.vjp(loss, state)[1], state))
    assert max(leaf.size for leaf in kept) < steps * src * key


def test_coverage_over_the_location_score_is_refused():
    message = (
        "`coverage: linguistic` is added to what a score compares, and `score: location` "
        "compares nothing: choose another score, or `coverage: none`"
    )
    with pytest.raises(ValidationError, match=message):
        GlobalConfig(score="location", coverage="linguistic")


def test_coverage_over_a_score_without_keys_is_refused():
    config = GlobalConfig(score=f"{__name__}:Keyless", coverage="neural")

    message = r"attention\.coverage is added to the keys .*:Keyless has none; choose another score"
    with pytest.raises(ConfigError, match=message):
        config.build(SIZE, SIZE, rngs=nnx.Rngs(params=0))
