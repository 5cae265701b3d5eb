"""R-Drop: the divergence of the paper, its gradient, and what becomes of the step with it."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from steps import (
    BOS,
    GATHERING,
    KEY,
    LENGTHS,
    SGD,
    VOCABULARY,
    assert_trees_close,
    batch,
    config,
    fresh,
    gatherer,
    network,
    nothing,
    trained,
)

from nmt import configfile
from nmt.attention.interface import AttentionOutput
from nmt.config import RDropConfig
from nmt.data.batching import Batch
from nmt.errors import ConfigError
from nmt.training import chunks
from nmt.training.objectives import Forward
from nmt.training.step import shard

SIZES = np.array([4, 1, 0], np.int32)  # of three rows, the last one of padding
DATA = {"train": "unused", "validation": "unused"}
LINKED = {"path": "unused", "alignments": "unused"}
NOTHING_DROPPED = (
    "`training.r_drop` compares two passes with different dropout, and `model.dropout` drops "
    "nothing: leave it out, or set `model.dropout`"
)
BETWEEN_LAYERS = {"rate": 0.3, "embeddings": 0, "annotations": 0, "readout": 0}


def cost(readouts, matrix, bias, lengths, *, weight=1.0):
    """The cost of both passes, whose readouts are (2, batch, tgt, readout)."""
    rows = 2 * len(lengths)
    forward = Forward(
        AttentionOutput(jnp.zeros((rows, readouts.shape[2], 1))),
        jnp.zeros((rows, readouts.shape[2])),
        jnp.concatenate(list(readouts)),
        (matrix, bias),
    )
    tokens = np.zeros((rows, readouts.shape[2]), np.int32)
    both = Batch(tokens, np.tile(lengths, 2), tokens, np.tile(lengths, 2), None)
    total, logged = RDropConfig(weight=weight).build()((), forward, both)
    assert logged == {"r_drop": total}
    return total


def by_loop(logits, lengths):
    """Equation 2 of Liang et al. (2021), summed over the target tokens."""
    total = 0.0
    for row, length in enumerate(lengths):
        for position in range(length):
            p, q = np.exp(np.asarray(logits, np.float64)[:, row, position])
            p, q = p / p.sum(), q / q.sum()
            total += (np.sum(p * np.log(p / q)) + np.sum(q * np.log(q / p))) / 2
    return total


@pytest.mark.parametrize(
    ("lengths", "vocabulary", "scale"),
    [
        (SIZES, 7, 1.0),
        (SIZES, 7, 30.0),
        (np.array([4, 4, 4]), 2, 1.0),
        (np.array([0, 0, 1]), 50, 3),
    ],
)
def test_the_cost_is_the_divergence_of_a_loop(lengths, vocabulary, scale):
    logits = np.random.default_rng(0).normal(0, scale, (2, 3, 4, vocabulary)).astype(np.float32)

    found = jax.jit(partial(cost, lengths=lengths, weight=2.5))(
        logits, jnp.eye(vocabulary), jnp.zeros(vocabulary)
    )

    np.testing.assert_allclose(found, 2.5 * by_loop(logits, lengths), rtol=1e-4)


def test_a_divergence_worked_out_by_hand():
    # P1 = (3/4, 1/4) and P2 = (1/4, 3/4): each divergence is 3/4 ln 3 - 1/4 ln 3 = ln(3) / 2
    logits = np.log(np.array([[[[3.0, 1.0]]], [[[1.0, 3.0]]]], np.float32))

    found = jax.jit(partial(cost, lengths=[1]))(logits, jnp.eye(2), jnp.zeros(2))

    assert found == pytest.approx(np.log(3) / 2)


def test_two_passes_that_drop_the_same_cost_nothing_and_have_no_gradient():
    readouts = np.random.default_rng(0).normal(size=(1, 3, 4, 5)).astype(np.float32)
    matrix = jnp.asarray(np.random.default_rng(1).normal(size=(7, 5)), jnp.float32)

    both = jax.jit(jax.value_and_grad(partial(cost, lengths=SIZES), argnums=(0, 1, 2)))
    value, gradients = both(np.concatenate([readouts, readouts]), matrix, jnp.zeros(7))

    assert value == 0
    assert not any(np.asarray(gradient).any() for gradient in gradients)


@pytest.mark.parametrize("rows_at_once", [12, 5, 1])
def test_in_chunks_of_any_size_the_gradients_are_those_of_autodiff(rows_at_once, monkeypatch):
    monkeypatch.setattr(chunks, "CPU_CHUNK", rows_at_once * 2 * 7)
    random = np.random.default_rng(3)
    real = np.arange(4) < SIZES[:, None]

    def plain(readouts, matrix, bias):
        one, other = jax.nn.log_softmax(readouts @ matrix.T + bias[None, None, None])
        both = jnp.exp(one) * (one - other) + jnp.exp(other) * (other - one)
        return (both.sum(axis=-1) / 2)[real].sum()

    with jax.enable_x64(True):
        arrays = [jnp.asarray(random.normal(size=s)) for s in ((2, 3, 4, 5), (7, 5), (7,))]
        found, expected = (
            jax.jit(jax.value_and_grad(lambda *a, f=f: -3 * f(*a), argnums=(0, 1, 2)))(*arrays)
            for f in (lambda *a: cost(*a, SIZES), plain)
        )
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-7), found, expected)


def test_the_step_minimizes_half_of_equation_4_with_dropout_of_its_own_in_each_pass():
    settings = config({**SGD, "r_drop": {"weight": 3.0}}, dropout=0.4)
    graph, before = nnx.split(network(settings), nnx.Param)
    rows = batch()
    real = np.arange(rows.target.shape[1]) < rows.target_lengths[:, None]
    keys = [jax.random.fold_in(jax.random.fold_in(KEY, 0), place) for place in range(len(LENGTHS))]
    keys = jnp.stack([jax.random.split(key, (2, 3)) for key in keys])  # (row, pass, use)

    def log_probs(model, number):
        previous = np.pad(rows.target[:, :-1], ((0, 0), (1, 0)), constant_values=BOS)
        encoded = model.encode(
            jnp.asarray(rows.source),
            jnp.asarray(rows.source_lengths),
            dropout_keys=keys[:, number, 0],
        )
        readouts, _ = model.teacher_forced(
            jnp.asarray(previous), encoded, dropout_keys=keys[:, number, 1]
        )
        return jax.nn.log_softmax(model.logits(readouts))[real]

    def loss(params):
        model = nnx.merge(graph, params)
        one, other = (log_probs(model, number) for number in range(2))
        labels = optax.smooth_labels(jax.nn.one_hot(rows.target[real], VOCABULARY), 0.3)
        nll = -(labels * one).sum() - (labels * other).sum()
        forth, back = (jnp.sum(jnp.exp(p) * (p - q)) for p, q in ((one, other), (other, one)))
        divergence = (forth + back) / 2
        return (nll + 3.0 * divergence) / 2 / real.sum(), divergence

    (value, divergence), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(before)

    state, [metrics] = trained(settings, [rows])

    assert_trees_close(jax.tree.map(jnp.subtract, before, state.params), gradient, atol=1e-5)
    np.testing.assert_allclose(metrics.sums.loss / metrics.sums.tokens, value, rtol=1e-5)
    np.testing.assert_allclose(metrics.costs["r_drop"], 3.0 / 2 * divergence, rtol=1e-4)
    assert metrics.sums.tokens == real.sum()


@pytest.mark.parametrize(
    ("training", "train", "model"),
    [
        pytest.param(
            {}, "unused", {"lexical_model": True}, id="lexical model", marks=pytest.mark.slow
        ),
        pytest.param({"guided_alignment": {}}, LINKED, {}, id="guided alignment"),
        pytest.param(
            {},
            "unused",
            {"decoder": {"kind": "luong"}, "cell": "lstm"},
            id="luong, lstm",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_where_nothing_is_dropped_the_step_is_that_of_one_pass(training, train, model):
    links = [np.array([[0, 0], [1, 0]], np.int32)] * len(LENGTHS)
    rows = batch(links=links if training else None)
    nearly_none = 1e-12  # 1 - rate is 1 in float32
    settings = (
        config({**SGD, **training, **extra}, dropout=nearly_none, train=train, **model)
        for extra in ({"r_drop": {}}, {})
    )

    (state, [metrics]), (expected, [plain]) = (trained(each, [rows]) for each in settings)

    assert_trees_close(state.params, expected.params)
    assert_trees_close(metrics.sums, plain.sums)
    assert metrics.costs.pop("r_drop") == pytest.approx(0, abs=1e-5)
    assert_trees_close(metrics.costs, plain.costs)


@pytest.fixture(scope="module")
def sampled():
    """State and metrics of a step whose passes sample positions of their own, without dropout."""
    estimator = {"kind": "reinforce", "baseline_decay": 0}
    settings = config(
        {**SGD, "label_smoothing": 0, "r_drop": {"weight": 3.0}, "doubly_stochastic": {}},
        attention={"mechanism": "hard", "estimator": estimator},
    )
    state, [metrics] = trained(settings, [batch()])
    return state, metrics


def test_passes_that_sample_other_positions_differ_without_dropout(sampled):
    state, metrics = sampled

    assert metrics.costs["r_drop"] > 0
    assert set(state.objectives) == {"r_drop", "reinforce", "doubly_stochastic"}
    assert np.isfinite(metrics.gradient_norm)


def test_accumulated_batches_add_their_divergence():
    settings = config({**GATHERING, "r_drop": {}}, dropout=0.4)

    _, gathered, first = gatherer(settings, update=False)(
        fresh(settings), nothing(settings), shard(batch()), KEY
    )

    assert float(gathered.tokens.sum()) == sum(target for _, target in LENGTHS)
    np.testing.assert_allclose(gathered.loss.sum(), first.sums.loss, rtol=1e-6)
    assert first.costs["r_drop"] > 0


def test_the_baseline_of_reinforce_is_the_cross_entropy_of_a_token_alone(sampled):
    state, metrics = sampled

    assert all(cost > 0.1 for cost in metrics.costs.values())
    np.testing.assert_allclose(
        state.objectives["reinforce"], metrics.sums.nll / metrics.sums.tokens, rtol=1e-4
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"dropout": 0}, NOTHING_DROPPED),
        ({"dropout": BETWEEN_LAYERS}, NOTHING_DROPPED),
        (
            {"dropout": 0, "attention": {"mechanism": "monotonic", "noise": 0}},
            NOTHING_DROPPED,
        ),
        ({"dropout": 0, "attention": "monotonic"}, None),
        ({"dropout": 0, "attention": "hard"}, None),
        ({"dropout": 0.1}, None),
        ({"dropout": BETWEEN_LAYERS, "encoder": {"layers": 2}}, None),
        ({"dropout": {"rate": 0, "source_words": 0.1}}, None),
    ],
)
def test_r_drop_that_would_do_nothing_is_refused(model, message):
    tree = {"data": DATA, "model": model, "training": {"r_drop": {"weight": 1}}}
    if message is None:
        assert configfile.validate(tree).training.r_drop.weight == 1
        return
    with pytest.raises(ConfigError, match=message):
        configfile.validate(tree)
