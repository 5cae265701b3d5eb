"""The estimator of hard attention's gradient against the sum over everything that can be drawn."""

from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nmt.attention.interface import AttentionOutput
from nmt.config import ModelConfig, ReinforceConfig
from nmt.model.seq2seq import build
from nmt.training.loss import cross_entropy
from nmt.training.reinforce import reinforce_loss

POSITIONS, STEPS = 3, 3
PLAIN = ReinforceConfig(reward_weight=1.0, entropy_weight=0.0, soft_fraction=0.0)


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _problem():
    """Probabilities of positions that depend on the last draw, and what each draw then costs."""
    rng = np.random.default_rng(0)
    logits = jnp.array(rng.normal(size=(STEPS, POSITIONS, POSITIONS)))
    costs = jnp.array(5 + rng.normal(size=(STEPS, POSITIONS, POSITIONS)))
    return logits, costs


def _follow(parameters, draws):
    """Returns the probabilities at each step, and the losses, of one sequence of draws."""
    logits, costs = parameters
    weights, losses, last = [], [], 0
    for step, draw in enumerate(draws):
        weights.append(jax.nn.softmax(logits[step, last]))
        losses.append(costs[step, last, draw])
        last = draw
    return jnp.stack(weights), jnp.stack(losses)


def _probability(parameters, draws):
    weights, _ = _follow(parameters, draws)
    return jnp.prod(jnp.stack([weights[step, draw] for step, draw in enumerate(draws)]))


EVERYTHING = jnp.array(list(product(range(POSITIONS), repeat=STEPS)))  # that can be drawn


def _estimates(baseline, config=PLAIN):
    """Returns the estimated gradient for everything that can be drawn, and its probabilities."""

    def estimated(parameters, draws):
        weights, losses = _follow(parameters, draws)
        log_choice = jnp.log(jnp.stack([weights[step, draw] for step, draw in enumerate(draws)]))
        return losses.sum() + reinforce_loss(
            AttentionOutput(weights[None], log_choice[None]),
            losses[None],
            jnp.array([STEPS]),
            baseline=jnp.asarray(baseline),
            config=config,
        )

    @jax.jit
    @partial(jax.vmap, in_axes=(None, 0))
    def estimate(parameters, draws):
        return jax.grad(estimated)(parameters, draws), _probability(parameters, draws)

    gradient, shares = estimate(_problem(), EVERYTHING)
    rows = [np.reshape(leaf, (len(EVERYTHING), -1)) for leaf in gradient]
    return np.concatenate(rows, axis=1), np.asarray(shares)


def _exact(bonus=0.0):
    def expected_loss(parameters):
        def share(draws):
            weights, losses = _follow(parameters, draws)
            entropy = -jnp.sum(jax.lax.stop_gradient(1.0) * weights * jnp.log(weights))
            probability = _probability(parameters, draws)
            return probability * losses.sum() - bonus * jax.lax.stop_gradient(probability) * entropy

        return jax.vmap(share)(EVERYTHING).sum()

    gradient = jax.jit(jax.grad(expected_loss))(_problem())
    return np.concatenate([np.ravel(leaf) for leaf in gradient])


@pytest.mark.parametrize("baseline", [0.0, pytest.param(-20.0, marks=pytest.mark.slow)])
def test_the_mean_of_the_estimates_is_the_gradient_of_the_expected_loss(baseline):
    estimates, shares = _estimates(baseline)

    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares @ estimates, _exact(), atol=1e-12)


def test_the_entropy_bonus_is_added_with_its_weight():
    estimates, shares = _estimates(
        5.0, ReinforceConfig(reward_weight=1.0, entropy_weight=0.3, soft_fraction=0.0)
    )

    np.testing.assert_allclose(shares @ estimates, _exact(bonus=0.3), atol=1e-12)


def test_a_baseline_near_the_loss_of_a_token_lowers_the_variance():
    def variance(baseline):
        estimates, shares = _estimates(baseline)
        return shares @ ((estimates - shares @ estimates) ** 2).sum(axis=1)

    assert variance(5.0) < 0.1 * variance(0.0)


def test_the_reward_weight_scales_what_the_draws_learn_alone():
    once, _ = _estimates(5.0)
    twice, _ = _estimates(
        5.0, ReinforceConfig(reward_weight=2.0, entropy_weight=0.0, soft_fraction=0.0)
    )
    of_logits = slice(0, STEPS * POSITIONS**2)
    of_costs = slice(STEPS * POSITIONS**2, None)

    np.testing.assert_allclose(twice[:, of_logits], 2 * once[:, of_logits], atol=1e-12)
    np.testing.assert_allclose(twice[:, of_costs], once[:, of_costs], atol=1e-12)


def test_positions_beyond_a_target_have_no_say():
    rng = np.random.default_rng(1)
    weights = jnp.array(rng.dirichlet(np.ones(4), size=(2, 5)))
    log_choice, losses = jnp.log(weights[..., 0]), jnp.array(rng.uniform(size=(2, 5)))
    lengths, config = jnp.array([5, 2]), ReinforceConfig(entropy_weight=0.1)
    real = jnp.arange(5)[None, :] < lengths[:, None]

    def of(padding):
        attended = AttentionOutput(
            jnp.where(real[..., None], weights, padding), jnp.where(real, log_choice, -padding)
        )
        return reinforce_loss(
            attended, losses * real, lengths, baseline=jnp.ones(()), config=config
        )

    assert of(0.25) == of(0.5)


def _model():
    config = ModelConfig(
        embedding_size=3,
        encoder={"hidden_size": 2},
        decoder={"hidden_size": 3, "input_feeding": True},
        attention={"mechanism": "hard", "score": "general", "estimator": PLAIN},
        dropout=0.0,
    )
    model = build(config, source=5, target_size=5, seed=0)
    graph, state = nnx.split(model)
    rng = np.random.default_rng(2)
    return graph, jax.tree.map(lambda leaf: jnp.array(rng.normal(size=leaf.shape)), state)


SOURCE, PREVIOUS, TARGET = jnp.array([[3, 4]]), jnp.array([[1, 2]]), jnp.array([[2, 4]])


def _enumerated_loss(graph, state):
    """The expected loss of a model: a mask of one position makes it draw that one."""
    model = nnx.merge(graph, state)
    whole = model.encode(SOURCE, jnp.array([2]))
    total = 0.0
    for draws in product(range(2), repeat=2):
        decoder, probability, loss = model.initial_state(whole), 1.0, 0.0
        for step, draw in enumerate(draws):
            token = PREVIOUS[:, step]
            _, _, weights = model.decode_step(decoder, token, whole)
            one = whole.replace(mask=jnp.arange(2)[None, :] == draw)
            decoder, log_probs, _ = model.decode_step(decoder, token, one)
            probability *= weights[0, draw]
            loss -= log_probs[0, TARGET[0, step]]
        total += probability * loss
    return total


@pytest.mark.slow
def test_the_mean_gradient_of_a_model_converges_to_the_enumerated_one():
    graph, state = _model()
    groups, rows = 100, 200

    @jax.jit
    @jax.vmap
    def estimate(keys):
        def loss(state):
            model = nnx.merge(graph, state)
            lengths = jnp.full(rows, 2)
            repeat = lambda tokens: jnp.broadcast_to(tokens, (rows, 2))  # noqa: E731
            encoded = model.encode(repeat(SOURCE), lengths, dropout_keys=keys, sample_keys=keys)
            readouts, attended = model.teacher_forced(repeat(PREVIOUS), encoded)
            sums, losses = cross_entropy(readouts, *model.output_layer, repeat(TARGET), lengths)
            return (
                sums.loss / rows
                + reinforce_loss(attended, losses, lengths, baseline=jnp.array(1.6), config=PLAIN)
                / rows
            )

        return jax.tree.leaves(jax.grad(loss)(state))

    estimates = estimate(jax.random.split(jax.random.key(0), (groups, rows)))
    exact = jax.tree.leaves(jax.grad(lambda state: _enumerated_loss(graph, state))(state))

    estimated, wanted = (
        np.concatenate([np.reshape(leaf, (*lead, -1)) for leaf in leaves], axis=-1)
        for leaves, lead in ((estimates, (groups,)), (exact, ()))
    )
    deviation = estimated.std(axis=0) / np.sqrt(groups)
    assert (np.abs(estimated.mean(axis=0) - wanted) <= 5 * deviation + 1e-9).all()
    assert np.linalg.norm(estimated.mean(axis=0) - wanted) < 0.05 * np.linalg.norm(wanted)
