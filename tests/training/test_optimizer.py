"""Updates against loops of the papers' algorithms, rates against values written by hand."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nmt.config import ModelConfig, TrainingConfig
from nmt.model.seq2seq import build
from nmt.training.optimizer import build_optimizer, depends_on_the_end, learning_rate

START = np.array([0.5, -1.0, 2.0])
GRADIENTS = [np.array([0.3, -0.2, 0.1]), np.array([-0.4, 0.0, 0.5]), np.array([1.5, 0.7, -0.6])]


def updated(config, gradients=GRADIENTS, *, rate, shape=(3,)):
    """Returns the parameters, which have this shape, after a step of the rule on each gradient."""
    rule = build_optimizer(config)
    params = {"w": jnp.asarray(START, jnp.float32).reshape(shape)}
    state = rule.init(params)
    for gradient in gradients:
        gradient = jnp.asarray(gradient, jnp.float32).reshape(shape)
        updates, state = rule.update({"w": gradient}, state, params)
        params = {"w": params["w"] - rate * updates["w"]}
    return np.asarray(params["w"]).reshape(3)


def adam(*, rate, weight_decay=0.0):
    """Kingma and Ba (2015), algorithm 1; with decay Loshchilov and Hutter (2019), algorithm 2."""
    beta1, beta2, epsilon = 0.9, 0.98, 1e-8
    theta, m, v = START.copy(), np.zeros(3), np.zeros(3)
    for t, gradient in enumerate(GRADIENTS, start=1):
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        theta = theta - rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * theta)
    return theta


def adadelta(*, rate):
    """Zeiler (2012), algorithm 1, with the constants of Bahdanau et al. (2015), appendix B.2."""
    rho, epsilon = 0.95, 1e-6
    x, squares, deltas = START.copy(), np.zeros(3), np.zeros(3)
    for gradient in GRADIENTS:
        squares = rho * squares + (1 - rho) * gradient**2
        delta = -np.sqrt(deltas + epsilon) / np.sqrt(squares + epsilon) * gradient
        deltas = rho * deltas + (1 - rho) * delta**2
        x = x + rate * delta
    return x


def test_adam_follows_the_paper():
    config = TrainingConfig(optimizer="adam", clip_norm=None)

    np.testing.assert_allclose(updated(config, rate=0.1), adam(rate=0.1), rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "decay"),
    [
        pytest.param((3, 1), 0.2, id="a matrix"),
        pytest.param((1, 3), 0.2, id="a matrix of one row"),
        pytest.param((3,), 0.0, id="a bias"),
    ],
)
def test_adamw_decays_matrices_beside_the_update(shape, decay):
    config = TrainingConfig(optimizer={"kind": "adamw", "weight_decay": 0.2}, clip_norm=None)

    found = updated(config, rate=0.1, shape=shape)

    np.testing.assert_allclose(found, adam(rate=0.1, weight_decay=decay), rtol=1e-5)


@pytest.mark.parametrize(
    "tied",
    [
        pytest.param("none", marks=pytest.mark.slow),
        pytest.param("target", marks=pytest.mark.slow),
        "all",
    ],
)
def test_adamw_decays_each_embedding_once_and_no_bias(tied):
    model = build(
        ModelConfig(embedding_size=4, decoder={"readout_size": 4}, tied_embeddings=tied),
        source=9,
        target_size=9,
        seed=1,
    )
    params = jax.tree.map(jnp.ones_like, nnx.state(model, nnx.Param))
    config = TrainingConfig(optimizer={"kind": "adamw", "weight_decay": 0.2})
    rule = build_optimizer(config)

    @jax.jit
    def updated(params):
        return rule.update(jax.tree.map(jnp.zeros_like, params), rule.init(params), params)[0]

    updates = updated(params)

    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(updates)]
    for name, update in zip(names, jax.tree.leaves(updates), strict=True):
        np.testing.assert_allclose(update, 0.0 if "bias" in name else 0.2, rtol=1e-6)
    assert sum("embedding" in name for name in names) == {"none": 3, "target": 2, "all": 1}[tied]


@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_adadelta_follows_the_paper(rate):
    config = TrainingConfig(optimizer="adadelta", clip_norm=None)

    np.testing.assert_allclose(updated(config, rate=rate), adadelta(rate=rate), rtol=1e-5)


def test_sgd_walks_down_the_gradients():
    config = TrainingConfig(optimizer="sgd", clip_norm=None)

    np.testing.assert_allclose(updated(config, rate=0.1), START - 0.1 * sum(GRADIENTS), rtol=1e-5)


def test_a_gradient_longer_than_the_norm_is_cut_to_it():
    config = TrainingConfig(optimizer="sgd", clip_norm=1.0)
    long, short = np.array([3.0, 0.0, -4.0]), np.array([0.3, 0.0, -0.4])

    np.testing.assert_allclose(START - updated(config, [long], rate=1.0), long / 5, atol=1e-6)
    np.testing.assert_allclose(START - updated(config, [short], rate=1.0), short, atol=1e-6)


def test_the_norm_is_taken_over_all_parameters_together():
    rule = build_optimizer(TrainingConfig(optimizer="sgd", clip_norm=1.0))
    gradients = {"a": jnp.array([3.0]), "b": jnp.array([[4.0]])}

    updates, _ = rule.update(gradients, rule.init(gradients), gradients)

    np.testing.assert_allclose(updates["a"], [0.6], rtol=1e-6)
    np.testing.assert_allclose(updates["b"], [[0.8]], rtol=1e-6)


def test_adam_sees_the_clipped_gradient():
    clipped = [gradient * min(1, 0.5 / np.linalg.norm(gradient)) for gradient in GRADIENTS]

    found = updated(TrainingConfig(optimizer="adam", clip_norm=0.5), rate=0.1)

    np.testing.assert_allclose(
        found, updated(TrainingConfig(clip_norm=None), clipped, rate=0.1), rtol=1e-5
    )


def rates(steps, *, total=24, rate=1.0, **schedule):
    """Returns the rate of the updates with these numbers, the first one being number 1."""
    config = TrainingConfig(learning_rate=rate, schedule=schedule)
    at = learning_rate(config, total_steps=total)
    return [float(at(jnp.asarray(step - 1))) for step in steps]


@pytest.mark.parametrize("kind", ["constant", "plateau"])
def test_a_constant_rate_stays(kind):
    assert rates([1, 2, 24, 1000], rate=0.25, kind=kind) == [0.25] * 4


@pytest.mark.parametrize("kind", ["constant", "plateau", "inverse_sqrt", "luong", "cosine"])
def test_the_warm_up_is_a_straight_line_to_the_rate(kind):
    found = rates([1, 2, 3, 4], rate=0.8, kind=kind, warmup_steps=4)

    assert found == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_the_inverse_square_root_falls_after_the_warm_up():
    # Vaswani et al. (2017), eq. 3: min(step ** -0.5, step * warmup ** -1.5), here 1 at its peak
    steps = [1, 2, 4, 5, 16, 64, 400]

    found = rates(steps, kind="inverse_sqrt", warmup_steps=4)

    paper = [math.sqrt(4) * min(step**-0.5, step * 4**-1.5) for step in steps]
    assert found == pytest.approx(paper)
    assert found == pytest.approx([0.25, 0.5, 1.0, 2 / math.sqrt(5), 0.5, 0.25, 0.1])


def test_after_a_warm_up_of_one_step_the_inverse_square_root_falls_from_the_first_step():
    found = rates([1, 4, 100], kind="inverse_sqrt", warmup_steps=1)

    assert found == pytest.approx([1.0, 0.5, 0.1])


def test_the_inverse_square_root_warms_up_for_4000_steps_as_in_its_paper():
    # Vaswani et al. (2017), section 5.3
    assert rates([1, 4000, 16000], kind="inverse_sqrt") == pytest.approx([1 / 4000, 1.0, 0.5])


def test_luong_halves_at_the_start_step_and_every_so_many_after_it():
    # Luong et al. (2015), section 4.1: 12 epochs, halved every epoch after the eighth
    epoch = 10

    found = rates([1, 80, 81, 90, 91, 101, 111, 120], total=12 * epoch, kind="luong")

    assert found == [1, 1, 1 / 2, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16]


def test_luong_takes_its_steps_and_factor_from_the_configuration():
    found = rates([5, 6, 8, 9, 12], kind="luong", start_step=5, every_steps=3, factor=0.1)

    assert found == pytest.approx([1, 0.1, 0.1, 0.01, 0.001])


def test_luong_may_start_at_once():
    assert rates([1, 3, 4], kind="luong", start_step=0, every_steps=3) == [0.5, 0.5, 0.25]


def test_the_cosine_ends_at_zero_with_the_last_step():
    # Loshchilov and Hutter (2017), eq. 5, without restarts: (1 + cos(pi * t / T)) / 2
    found = rates([4, 9, 14, 19, 24, 30], kind="cosine", warmup_steps=4, rate=2.0)

    assert found == pytest.approx(
        [2.0, 1 + math.sqrt(0.5), 1.0, 1 - math.sqrt(0.5), 0.0, 0.0], abs=1e-6
    )


@pytest.mark.parametrize(
    ("schedule", "moves"),
    [
        ({"kind": "constant"}, False),
        ({"kind": "plateau"}, False),
        ({"kind": "inverse_sqrt", "warmup_steps": 5}, False),
        ({"kind": "cosine"}, True),
        ({"kind": "luong"}, True),
        ({"kind": "luong", "start_step": 40}, True),
        ({"kind": "luong", "every_steps": 10}, True),
        ({"kind": "luong", "start_step": 40, "every_steps": 10}, False),
    ],
)
def test_a_schedule_depends_on_the_end_if_another_end_moves_a_rate(schedule, moves):
    config = TrainingConfig(schedule=schedule)
    earlier, later = (
        [float(learning_rate(config, total_steps=total)(jnp.asarray(step))) for step in range(100)]
        for total in (100, 200)
    )

    assert depends_on_the_end(config.schedule) == moves == (earlier != later)
