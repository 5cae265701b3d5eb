"""What every mechanism, with every score and normaliser, owes the decoder: a user's score too."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nmt.attention.mechanisms import Memory, build_attention
from nmt.config import SCORES, AttentionConfig

SRC, MORE, SIZE = 5, 2, 6
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
CONFIGS = [{"mechanism": "none"}, {"mechanism": "uniform"}] + [
    {
        "mechanism": mechanism,
        "score": score,
        "score_options": OPTIONS.get(score, {}),
        "normaliser": normaliser,
        "window": 1,
    }
    for mechanism in ("global", "local_p")
    for score in (*SCORES, OWN)
    for normaliser in ("softmax", "sparsemax", "entmax15")
    if (mechanism, score) != ("local_p", "location")
]


def _name(config):
    return "-".join(
        str(config[key]) for key in ("mechanism", "score", "normaliser") if key in config
    )


@pytest.fixture(scope="module", params=CONFIGS, ids=_name)
def found(request):
    """What attention gives for rows of some lengths in several surroundings, compiled at once."""
    attention = build_attention(
        AttentionConfig(**request.param), SIZE, SIZE, rngs=nnx.Rngs(params=0)
    )
    graph, state = nnx.split(attention)

    def attend(state, query, annotations, summary, mask):
        attention = nnx.merge(graph, state)
        keys = attention.keys(annotations)
        return attention(query, Memory(annotations, keys, mask, summary))

    def loss(floats, mask):
        context, weights = attend(*floats, mask)
        return (context**2).sum() + (weights**2).sum()

    @jax.jit
    def everything(state, queries, annotations, summary, mask):
        query, short = queries[0], (annotations[:, :SRC], summary, mask[:, :SRC])
        rows = (query, *short)
        rounded, *floats = jax.tree.map(
            lambda leaf: leaf.astype(jnp.bfloat16), (state, query, short[0], summary)
        )
        return {
            "together": attend(state, *rows),
            "alone": jax.lax.map(lambda row: attend(state, *(part[None] for part in row)), rows),
            "padded": attend(state, query, annotations, summary, mask),
            "rounded": attend(rounded, *floats, short[2]),
            "at_once": jax.vmap(lambda query: attend(state, query, *short))(queries),
            "later": attend(state, queries[1], *short),
            "gradients": jax.grad(loss)((state, query, *short[:2]), short[2]),
        }

    rng = np.random.default_rng(5)
    queries, annotations, summary = (
        jnp.array(rng.normal(size=(*shape, SIZE)), jnp.float32)
        for shape in ((2, len(LENGTHS)), (len(LENGTHS), SRC + MORE), (len(LENGTHS),))
    )
    mask = jnp.arange(SRC + MORE)[None, :] < LENGTHS[:, None]
    outcome = everything(state, queries, annotations, summary, mask)
    return SimpleNamespace(mechanism=request.param["mechanism"], **outcome)


def _assert_sums(mechanism, weights, *, rtol):
    sums = np.asarray(weights).sum(axis=-1)
    match mechanism:
        case "none":
            np.testing.assert_array_equal(sums, 0)
        case "local_p":
            assert (sums <= 1 + rtol).all()
            np.testing.assert_array_equal(sums > 0, ANY)
        case _:
            np.testing.assert_allclose(sums, ANY, rtol=rtol)


def test_weights_sum_to_one_over_real_positions_and_are_zero_on_padding(found):
    weights = np.asarray(found.together[1])

    _assert_sums(found.mechanism, weights, rtol=1e-6)
    np.testing.assert_array_equal(weights[PADDING], 0)
    assert (weights >= 0).all()


def test_a_row_does_not_depend_on_the_batch_around_it(found):
    for alone, together in zip(found.alone, found.together, strict=True):
        np.testing.assert_allclose(alone[:, 0], together, rtol=1e-5, atol=1e-6)


def test_padding_to_a_longer_width_changes_nothing(found):
    (context, weights), (padded_context, padded_weights) = found.together, found.padded

    np.testing.assert_allclose(padded_context, context, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(padded_weights[:, :SRC], weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(padded_weights[:, SRC:], 0)


def test_all_target_positions_at_once_are_the_same_as_one_after_the_other(found):
    for at_once, now, later in zip(found.at_once, found.together, found.later, strict=True):
        np.testing.assert_allclose(at_once, np.stack([now, later]), rtol=1e-5, atol=1e-6)


def test_gradients_are_finite_for_one_real_position_and_for_none(found):
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found.gradients))

    _, query, annotations, _ = found.gradients
    np.testing.assert_array_equal(query[~ANY], 0)
    np.testing.assert_array_equal(annotations[~ANY], 0)


def test_weights_are_float32_when_all_else_is_bfloat16(found):
    context, weights = found.rounded

    assert context.dtype == jnp.bfloat16
    assert weights.dtype == jnp.float32
    _assert_sums(found.mechanism, weights, rtol=1e-6)
