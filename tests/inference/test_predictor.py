"""What every predictor promises: of one model, and of an ensemble of several that differ."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nmt.config import ModelConfig
from nmt.inference.ensemble import LoadedEnsemble, _log_mean, members
from nmt.inference.predictor import LoadedModel, Predictor, Source
from nmt.model.seq2seq import build

BOS, VOCAB = 2, 9
SOURCE = np.array([[5, 7, 4, 3], [6, 3, 0, 0], [0, 0, 0, 0]], np.int32)
LENGTHS = np.array([4, 2, 0], np.int32)
TARGET = np.array([[6, 8, 3], [4, 3, 0], [0, 0, 0]], np.int32)
# What the steps read; that all tests read as many tokens has each model compiled once.
READ = np.concatenate([np.full((3, 1), BOS, np.int32), TARGET], axis=1)
MODELS = {
    "bahdanau": {"decoder": {"kind": "bahdanau", "hidden_size": 3}},
    "luong": {"decoder": {"hidden_size": 3}},
    "conditional": {"decoder": {"kind": "conditional", "hidden_size": 3}},
    "lstm": {"decoder": {"hidden_size": 3, "layers": 2}, "cell": "lstm"},
    "lexical": {"decoder": {"hidden_size": 3}, "lexical_model": True},
    "hard": {"decoder": {"hidden_size": 3}, "attention": "hard"},
    "no weights": {"decoder": {"hidden_size": 3}, "attention": "none"},
}


def model(name):
    config = ModelConfig(embedding_size=3, encoder={"hidden_size": 2}, **MODELS[name])
    graph, params = nnx.split(
        nnx.eval_shape(partial(build, config, source=VOCAB, target_size=VOCAB, seed=0))
    )
    rng = np.random.default_rng(3)
    params = jax.tree.map(lambda leaf: jnp.array(rng.normal(0, 0.6, leaf.shape)), params)
    return LoadedModel(params, graph)


@pytest.fixture(scope="module", params=[*MODELS, "ensemble"])
def loaded(request):
    if request.param == "ensemble":
        return LoadedEnsemble((model("bahdanau"), model("lexical"), model("no weights")))
    return model(request.param)


@jax.jit
def _stepped(loaded, source, tokens):
    """Log-probabilities and attention of one step after the other, which read given tokens."""
    predictor = loaded.predictor(seed=1)
    encoded, state = predictor.start(source)
    found = []
    for step in range(tokens.shape[1]):
        state, log_probs, attention = predictor.step(state, tokens[:, step], encoded)
        found.append((log_probs, attention))
    return jax.tree.map(lambda *each: jnp.stack(each, axis=1), *found)


@jax.jit
def _forced(loaded, source, target):
    return loaded.predictor(seed=1).force(source, target, bos=BOS)


def test_it_is_a_predictor_of_normalised_log_probabilities(loaded):
    assert isinstance(loaded.predictor(), Predictor)
    log_probs, attention = _stepped(loaded, Source(SOURCE, LENGTHS), READ)

    assert log_probs.shape == (3, 4, VOCAB)
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, rtol=1e-5)
    real = np.arange(SOURCE.shape[1]) < LENGTHS[:, None]
    assert not np.asarray(attention).swapaxes(1, 2)[~real].any()


def test_forcing_is_stepping_through_given_targets(loaded):
    source = Source(SOURCE, LENGTHS)

    log_probs, attention = (np.asarray(each)[:, :-1] for each in _stepped(loaded, source, READ))
    forced, weights = _forced(loaded, source, TARGET)

    chosen = np.take_along_axis(log_probs, TARGET[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(forced, chosen, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(weights, attention, atol=1e-5)


def test_reading_given_tokens_is_stepping_through_them(loaded):
    source, lengths = Source(SOURCE, LENGTHS), np.array([3, 1, 0], np.int32)

    @jax.jit
    def read(loaded):
        predictor = loaded.predictor(seed=1)
        encoded, state = predictor.start(source)
        tokens = jnp.array(TARGET)
        state, *found = predictor.read(state, tokens, jnp.array(lengths), encoded, bos=BOS)
        previous = jnp.where(lengths > 0, tokens[jnp.arange(3), lengths - 1], BOS)
        return *found, predictor.step(state, previous, encoded)[1:]

    log_probs, attention, behind = read(loaded)
    forced, weights = _forced(loaded, source, TARGET)

    inside = np.arange(3) < lengths[:, None]
    np.testing.assert_allclose(log_probs[inside], forced[inside], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(attention[inside], weights[inside], atol=1e-5)
    steps = _stepped(loaded, source, READ)
    for one, every in zip(behind, steps, strict=True):
        np.testing.assert_allclose(one, every[np.arange(3), lengths], rtol=1e-4, atol=1e-5)


def test_rows_do_not_know_of_each_other(loaded):
    together = _stepped(loaded, Source(SOURCE, LENGTHS), READ)
    others = np.array([2, 1, 2])  # rows of padding around the second
    alone = _stepped(loaded, Source(SOURCE[others], LENGTHS[others]), READ[others])

    for one, every in zip(alone, together, strict=True):
        np.testing.assert_allclose(one[1], every[1], rtol=1e-4, atol=1e-5)


def test_a_shortlist_is_normalised_over_its_own_entries(loaded):
    common, own = np.array([2, 3, 0, 1], np.int32), np.array([[7, -1], [8, 5], [-1, -1]], np.int32)

    @jax.jit
    def first(loaded):
        whole = [each.predictor() for each in members(loaded)]
        starts = [each.start(Source(SOURCE, LENGTHS)) for each in whole]
        everything = [
            each.step(state, jnp.full(3, BOS), encoded)[1]
            for each, (encoded, state) in zip(whole, starts, strict=True)
        ]
        predictor = loaded.predictor(common=jnp.asarray(common))
        encoded, state = predictor.start(Source(SOURCE, LENGTHS, jnp.asarray(own)))
        return everything, predictor.step(state, jnp.zeros(3, jnp.int32), encoded)[1]

    everything, listed = jax.tree.map(np.asarray, first(loaded))
    for row in range(3):
        tokens = [*common, *own[row]]
        allowed = [token for token in tokens if token >= 0]
        chances = [np.exp(each[row]) for each in everything]  # of each member
        for entry, token in enumerate(tokens):
            shares = [each[token] / each[allowed].sum() for each in chances if token >= 0]
            expected = np.mean(shares) if shares else 0.0
            found = np.exp(listed[row, entry])
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_an_ensemble_predicts_the_mean_of_probabilities_and_of_attention():
    single = [model(name) for name in ("bahdanau", "no weights", "lstm", "hard")]
    source, ensemble = Source(SOURCE, LENGTHS), LoadedEnsemble(tuple(single))

    for run, given in ((_stepped, READ), (_forced, TARGET)):
        log_probs, attention = zip(*(run(each, source, given) for each in single), strict=True)
        mean = np.log(np.mean([np.exp(np.asarray(each, np.float64)) for each in log_probs], axis=0))
        found, averaged = run(ensemble, source, given)
        np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-6)
        assert not np.asarray(attention[1]).any()  # the mean is of those that have weights
        of_others = np.mean([attention[0], *attention[2:]], axis=0)
        np.testing.assert_allclose(averaged, of_others, atol=1e-6)


def test_no_probability_is_lost_where_it_is_small_or_zero():
    far = [np.array([[-200.0, -np.inf, 0.0]]), np.array([[-201.0, -np.inf, -np.inf]])]

    found = _log_mean([jnp.array(each, jnp.float32) for each in far])

    # log((e^-200 + e^-201) / 2), which is no float32 before its logarithm; log(1/2)
    expected = -200 + np.log((1 + np.exp(-1)) / 2), -np.inf, np.log(0.5)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)
