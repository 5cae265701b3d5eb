"""What every objective promises, whatever it costs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmt import configfile
from nmt.attention.interface import AttentionOutput
from nmt.config import (
    DoublyStochasticConfig,
    GuidedAlignmentConfig,
    RDropConfig,
    ReinforceConfig,
)
from nmt.data.batching import Batch
from nmt.training.loss import LossSums
from nmt.training.objectives import Forward, Objective, build_objectives

ROWS, SRC, TGT = 4, 3, 5
CONFIGS = [
    GuidedAlignmentConfig(),
    GuidedAlignmentConfig(cost="mse", step="shifted"),
    ReinforceConfig(),
    RDropConfig(),
    DoublyStochasticConfig(),
]
PLAIN = {"train": "train", "validation": "val"}
DATA = {"train": {"path": "train", "alignments": "links"}, "validation": "val"}


@pytest.fixture(params=CONFIGS, ids=lambda each: f"{type(each).__name__}-{len(str(each))}")
def objective(request):
    return request.param.build()


def _given(objective, rows=slice(None)):
    """What a model has made of some rows, the last of which is padding, and these rows.

    With several passes, they are those of one pass after the other.
    """
    rng = np.random.default_rng(0)
    lengths = np.array([5, 3, 1, 0])
    real = np.arange(TGT) < lengths[:, None]
    weights = rng.dirichlet(np.ones(SRC), size=(ROWS, TGT)).astype(np.float32)
    choice = np.log(rng.uniform(0.1, 1, (ROWS, TGT))).astype(np.float32)
    losses = (rng.uniform(1, 9, (ROWS, TGT)) * real).astype(np.float32)
    links = (rng.random((ROWS, TGT, SRC)) < 0.4) & real[..., None]
    tokens = rng.integers(3, 9, (ROWS, TGT)).astype(np.int32)
    source = np.full((ROWS, SRC), 4, np.int32)
    sizes = np.full(ROWS, SRC, np.int32)
    batch = Batch(source, sizes, tokens, lengths.astype(np.int32), links)
    attended = AttentionOutput(jnp.array(weights), jnp.array(choice))
    layer = rng.normal(size=(9, 2)).astype(np.float32), np.zeros(9, np.float32)
    of_passes = [
        Forward(attended, jnp.array(losses), rng.normal(size=(ROWS, TGT, 2)).astype(np.float32), ())
        for _ in range(objective.config.passes)
    ]
    forward, batch = (
        jax.tree.map(lambda *leaves: jnp.concatenate([leaf[rows] for leaf in leaves]), *passes)
        for passes in (of_passes, [batch] * objective.config.passes)
    )
    return forward._replace(output_layer=tuple(map(jnp.array, layer))), batch


def test_it_is_an_objective_with_a_state_that_keeps_its_form(objective):
    state = objective.start(9)
    sums = LossSums(loss=jnp.array(8.0), nll=jnp.array(7.0), tokens=jnp.array(4.0))

    after = objective.update(state, sums)

    assert isinstance(objective, Objective)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    for one, other in zip(jax.tree.leaves(after), jax.tree.leaves(state), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)


def test_an_update_of_a_loss_that_is_no_number_leaves_the_state_a_number(objective):
    broken = LossSums(loss=jnp.array(jnp.nan), nll=jnp.array(jnp.nan), tokens=jnp.array(4.0))

    after = objective.update(objective.start(9), broken)

    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(after))


def test_costs_are_sums_over_rows_so_that_devices_can_add_them(objective):
    state = objective.start(9)
    whole, logged = objective(state, *_given(objective))
    parts = [objective(state, *_given(objective, slice(row, row + 1))) for row in range(ROWS)]

    np.testing.assert_allclose(whole, sum(cost for cost, _ in parts), rtol=1e-5)
    for name, value in logged.items():
        np.testing.assert_allclose(value, sum(costs[name] for _, costs in parts), rtol=1e-5)
    assert whole.shape == ()


def test_a_row_of_padding_costs_nothing(objective):
    state = objective.start(9)

    np.testing.assert_allclose(
        objective(state, *_given(objective))[0],
        objective(state, *_given(objective, slice(ROWS - 1)))[0],
        rtol=1e-6,
    )


def test_what_is_logged_is_what_is_added_or_nothing(objective):
    cost, logged = objective(objective.start(9), *_given(objective))

    assert logged in ({}, {objective.name: cost})


@pytest.mark.parametrize(
    ("data", "attention", "training", "names"),
    [
        (PLAIN, "global", {}, []),
        (PLAIN, "hard", {}, ["reinforce"]),
        (PLAIN, {"mechanism": "hard", "estimator": "gumbel"}, {}, []),
        (DATA, "global", {}, ["guided_alignment"]),
        (PLAIN, "global", {"r_drop": {"weight": 2}}, ["r_drop"]),
        (DATA, "global", {"r_drop": {}}, ["guided_alignment", "r_drop"]),
        (PLAIN, "hard", {"r_drop": {}}, ["r_drop", "reinforce"]),
        (PLAIN, "global", {"doubly_stochastic": {"weight": 2}}, ["doubly_stochastic"]),
    ],
)
def test_the_configuration_says_what_is_minimised_beside_the_cross_entropy(
    data, attention, training, names
):
    tree = {"data": data, "model": {"attention": attention}, "training": training}
    config = configfile.validate(tree)

    assert [each.name for each in build_objectives(config)] == names
