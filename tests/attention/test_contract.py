"""What every mechanism, with every score and normalizer, owes the decoder: a user's score too."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from memories import built

from nmt.attention.interface import EncodedSource
from nmt.config import SCORES

SRC, MORE, SIZE, STEPS = 5, 2, 6, 3
LENGTHS = np.array([SRC, 2, 1, 0])
ANY = LENGTHS > 0
PADDING = np.arange(SRC) >= LENGTHS[:, None]


class Distance(nnx.Module):
    """A score of the user's own, with an option, a parameter and no keys but the annotations."""

    def __init__(self, query_size, annotation_size, *, sharpness=1.0, rngs):
        self.sharpness = nnx.Param(jnp.array(sharpness))

    def keys(self, annotations):
        return annotations

    def __call__(self, query, keys):
        return -self.sharpness[...] * ((query[:, None, :] - keys) ** 2).sum(-1)


OWN = f"{__name__}:Distance"
# Location has a position less than the source; the window is narrower than the source.
OPTIONS = {"location": {"max_positions": SRC - 1}, OWN: {"sharpness": 0.5}}
PAIRS = [(score, "softmax") for score in (*SCORES, OWN)] + [
    ("additive", normalizer) for normalizer in ("sparsemax", "entmax15")
]
MECHANISMS = [
    *({"mechanism": name} for name in ("global", "hard", "monotonic")),
    *({"mechanism": name, "window": 1} for name in ("local_m", "local_p")),
    {"mechanism": "multi_head", "heads": 2},
    *({"mechanism": "global", "coverage": coverage} for coverage in ("linguistic", "neural")),
]


def _combines(config):
    """Returns whether a mechanism can read the score and the normalizer."""
    mechanism = config["mechanism"]
    compares = mechanism in ("local_m", "local_p", "monotonic") or "coverage" in config
    return (compares, config["score"]) != (True, "location") and (
        mechanism != "monotonic" or config["normalizer"] == "softmax"
    )


def _read(config):
    """Returns what of the score and the normalizer a mechanism can read."""
    unread = "normalizer" if config["mechanism"] == "monotonic" else None
    return {key: value for key, value in config.items() if key != unread}


def _is_slow(config):
    """Returns whether a mechanism but the plain one has a score of the package."""
    plain = config["mechanism"] == "global" and "coverage" not in config
    return not plain and config["score"] != OWN


CONFIGS = [
    _read(config)
    for mechanism in MECHANISMS
    for score, normalizer in PAIRS
    if _combines(config := {**mechanism, "score": score, "normalizer": normalizer})
]
CASES = [
    *(({"mechanism": mechanism}, "translating") for mechanism in ("none", "uniform")),
    *(
        pytest.param((config, "translating"), marks=pytest.mark.slow if _is_slow(config) else ())
        for config in CONFIGS
    ),
    *(({"mechanism": "monotonic", "score": score}, "training") for score in ("additive", OWN)),
    ({"mechanism": "monotonic"}, "drawing"),
    *(
        ({"mechanism": "hard", "estimator": estimator}, mode)
        for estimator in ("reinforce", "gumbel")
        for mode in ("drawing", "training")
    ),
]
AT_MOST_ONE = ("local_p", "monotonic")  # mechanisms whose weights may sum to less
MAYBE_NOTHING = ("monotonic",)  # and those that attend to nothing at times


def _name(case):
    config, mode = case
    keys = ("mechanism", "coverage", "score", "normalizer", "estimator")
    return "-".join(filter(None, [*(config.get(key) for key in keys), mode]))


@pytest.fixture(scope="module", params=CASES, ids=_name)
def found(request):
    """What attention gives for rows of some lengths in several surroundings, compiled at once."""
    config, mode = request.param
    options = OPTIONS.get(config.get("score"))
    attention = built(**config, **({"score_options": options} if options else {}))
    graph, state = nnx.split(attention)
    rng = np.random.default_rng(5)  # no parameter is left at a zero that it starts from
    state = jax.tree.map(lambda leaf: leaf + 0.3 * rng.normal(size=leaf.shape), state)

    def attend(state, queries, annotations, summary, mask, noise):
        """Returns contexts and weights of one target position after the other."""
        attention = nnx.merge(graph, state)
        encoded = EncodedSource(
            annotations=annotations,
            keys=attention.keys(annotations),
            mask=mask,
            summary=summary,
            sample_keys=None if mode == "translating" else noise,
            training=mode == "training",
        )

        def step(carried, query):
            context, attended, carried = attention(query, encoded, carried)
            return carried, (context, attended.weights)

        return jax.lax.scan(step, attention.initial_state(encoded), queries)[1]

    def loss(floats, mask, noise):
        context, weights = attend(*floats, mask, noise)
        return (context**2).sum() + (weights**2).sum()

    @jax.jit
    def everything(state, queries, annotations, summary, mask, noise):
        short = (annotations[:, :SRC], summary, mask[:, :SRC], noise)
        rows = (queries.swapaxes(0, 1), *short)
        rounded, *floats = jax.tree.map(
            lambda leaf: leaf.astype(jnp.bfloat16), (state, queries, *short[:2])
        )
        return {
            "together": attend(state, queries, *short),
            "alone": jax.lax.map(
                lambda row: attend(state, row[0][:, None], *(part[None] for part in row[1:])), rows
            ),
            "padded": attend(state, queries, annotations, summary, mask, noise),
            "rounded": attend(rounded, *floats, *short[2:]),
            "gradients": jax.grad(loss)((state, queries, *short[:2]), *short[2:]),
        }

    queries, annotations, summary = (
        jnp.array(rng.normal(size=(*shape, SIZE)), jnp.float32)
        for shape in ((STEPS, len(LENGTHS)), (len(LENGTHS), SRC + MORE), (len(LENGTHS),))
    )
    mask = jnp.arange(SRC + MORE)[None, :] < LENGTHS[:, None]
    noise = jax.random.split(jax.random.key(1), len(LENGTHS))
    outcome = everything(state, queries, annotations, summary, mask, noise)
    return SimpleNamespace(mechanism=config["mechanism"], **outcome)


def _assert_sums(mechanism, weights, *, rtol):
    sums = np.asarray(weights).sum(axis=-1)
    if mechanism == "none":
        np.testing.assert_array_equal(sums, 0)
    elif mechanism in AT_MOST_ONE:
        assert (sums <= 1 + rtol).all()
        assert (sums[:, ~ANY] == 0).all()
        assert mechanism in MAYBE_NOTHING or (sums[:, ANY] > 0).all()
    else:
        np.testing.assert_allclose(sums, np.broadcast_to(ANY, sums.shape), rtol=rtol)


def test_weights_sum_to_one_over_real_positions_and_are_zero_on_padding(found):
    weights = np.asarray(found.together[1])

    _assert_sums(found.mechanism, weights, rtol=1e-6)
    np.testing.assert_array_equal(weights[:, PADDING], 0)
    assert (weights >= 0).all()


def test_a_row_does_not_depend_on_the_batch_around_it(found):
    for alone, together in zip(found.alone, found.together, strict=True):
        np.testing.assert_allclose(alone[:, :, 0].swapaxes(0, 1), together, rtol=1e-5, atol=1e-6)


def test_padding_to_a_longer_width_changes_nothing(found):
    (context, weights), (padded_context, padded_weights) = found.together, found.padded

    np.testing.assert_allclose(padded_context, context, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(padded_weights[..., :SRC], weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(padded_weights[..., SRC:], 0)


def test_gradients_are_finite_for_one_real_position_and_for_none(found):
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found.gradients))

    _, queries, annotations, _ = found.gradients
    np.testing.assert_array_equal(queries[:, ~ANY], 0)
    np.testing.assert_array_equal(annotations[~ANY], 0)


def test_weights_are_float32_when_all_else_is_bfloat16(found):
    context, weights = found.rounded

    assert context.dtype == jnp.bfloat16
    assert weights.dtype == jnp.float32
    _assert_sums(found.mechanism, weights, rtol=1e-6)
