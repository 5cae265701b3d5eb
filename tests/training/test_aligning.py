"""Training a network that aligns: its loss, what is not counted, validation, and its ends."""

import math
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import aligning_runs
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from steps import BOS, KEY, LENGTHS, VOCABULARY, assert_trees_close, batch, leaves

from nmt import configfile, devices
from nmt.model.aligner import AlignerNetwork
from nmt.model.build import build_model, outline
from nmt.run import Run
from nmt.training.aligning import disagreement
from nmt.training.session import train
from nmt.training.state import init_state
from nmt.training.step import make_eval_step, make_train_step, shard

SGD = {"optimizer": "sgd", "learning_rate": 1.0, "clip_norm": None}
ADAM = {"learning_rate": 0.01}
WORDS = sum(map(sum, LENGTHS)) - 2 * len(LENGTHS)  # both sides, without the ends of sentences


def config(training, **aligner):
    return configfile.validate(
        {
            "data": {"train": "unused", "validation": "unused"},
            "aligner": {"embedding_size": 6, "hidden_size": 4, "longest_jump": 2, **aligner},
            "training": {"metric": "perplexity", **training},
        }
    )


def network(settings):
    sizes = VOCABULARY, VOCABULARY
    return AlignerNetwork(settings.aligner, *sizes, rngs=nnx.Rngs(params=3))


@cache
def stepper(dumped):
    settings = configfile.Config.model_validate_json(dumped)
    graph = nnx.graphdef(network(settings))
    return make_train_step(settings, graph, bos=BOS, total_steps=100)


def stepped(settings, batches):
    """Returns the state after an update on each batch, and the metrics of each."""
    step = stepper(settings.model_dump_json())
    state, metrics = init_state(settings, network(settings)), []
    for each in batches:
        state, _, last = step(state, None, shard(each), KEY)
        metrics.append(last)
    return state, metrics


@cache
def evaluator(dtype):
    settings = config({**ADAM, "dtype": dtype})
    return make_eval_step(settings, nnx.graphdef(network(settings)), bos=BOS)


def drawn(rows, *, sharp=False):
    """Random probabilities of links in both directions, of two and of three words."""
    random = np.random.default_rng(0)
    there, back = random.uniform(0, 1, (rows, 2, 3)), random.uniform(0, 1, (rows, 3, 2))
    return (there.round(), back.round()) if sharp else (there, back)


def test_disagreement_is_the_logarithm_of_what_both_directions_draw():
    there, back = drawn(4)
    expected = 0.0
    for row, target, source in np.ndindex(there.shape):
        p, q = there[row, target, source], back[row, source, target]
        expected -= math.log(p * q + (1 - p) * (1 - q))

    found = disagreement(jnp.asarray(there), jnp.asarray(back))

    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_disagreement_is_the_same_from_both_sides():
    there, back = map(jnp.asarray, drawn(4))
    measured = jax.value_and_grad(disagreement, argnums=(0, 1))

    value, (of_there, of_back) = measured(there, back)
    turned, (also_back, also_there) = measured(back, there)

    assert float(value) == pytest.approx(float(turned), rel=1e-6)
    np.testing.assert_allclose(of_there, also_there, rtol=1e-5)
    np.testing.assert_allclose(of_back, also_back, rtol=1e-5)
    assert np.abs(of_there).min() > 0


def test_only_links_that_both_directions_know_for_sure_cost_nothing():
    there, _ = drawn(4, sharp=True)
    back = there.swapaxes(1, 2).copy()
    assert 0 < there.sum() < there.size

    assert float(disagreement(jnp.array(there), jnp.array(back))) == 0
    back[0, 0, 0] = 1 - back[0, 0, 0]  # the opposite is as unlikely as it gets, but not infinite
    found = float(disagreement(jnp.array(there), jnp.array(back)))
    assert found == pytest.approx(-math.log(1e-6), rel=1e-5)


def test_the_gradient_is_that_of_both_directions_over_the_words_of_both_sides():
    settings = config({**SGD, "label_smoothing": 0.3}, agreement=0.7, dropout=0.0)
    given = batch([*LENGTHS[:2], LENGTHS[3]])  # the last row is padding
    graph, before = nnx.split(network(settings), nnx.Param)
    words = tuple(
        jnp.array([word for row, length in zip(*side, strict=True) for word in row[: length - 1]])
        for side in (
            (given.source[:3], given.source_lengths[:3]),
            (given.target[:3], given.target_lengths[:3]),
        )
    )

    def loss(params):
        """In the rows of sentences alone, compared with the words of all sentences."""
        model = nnx.merge(graph, params)
        source, target = jnp.asarray(given.source), jnp.asarray(given.target)
        totals = model.totals(among=words)
        sides = (
            (tokens[:3], jnp.asarray(lengths[:3]) - 1)
            for tokens, lengths in ((source, given.source_lengths), (target, given.target_lengths))
        )
        found = model(*sides, totals)
        total = -jnp.sum(found.forward.log_likelihood) - jnp.sum(found.backward.log_likelihood)
        cost = 0.7 * disagreement(found.forward.links, found.backward.links)
        return (total + cost) / WORDS, (total, cost)

    (expected, (total, cost)), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(before)

    state, [metrics] = stepped(settings, [given])

    assert metrics.sums.tokens == WORDS
    np.testing.assert_allclose(metrics.sums.nll, total, rtol=1e-5)
    np.testing.assert_allclose(metrics.costs["agreement"], cost, rtol=1e-5)
    np.testing.assert_allclose(metrics.sums.loss / WORDS, expected, rtol=1e-5)
    assert_trees_close(jax.tree.map(jnp.subtract, before, state.params), gradient, atol=1e-5)
    assert not np.allclose(gradient["forward"]["jumps"][...], 0)


def three_steps_with_dropout():
    state, _ = stepped(config(ADAM, dropout=0.4), [batch(seed=seed) for seed in range(3)])
    return leaves(state.params)


def save_three_steps(path):
    """What the process with one device runs."""
    assert devices.count() == 1
    np.savez(path, *three_steps_with_dropout())


@pytest.mark.slow
def test_one_device_finds_the_parameters_of_two(tmp_path):
    flags = os.environ["XLA_FLAGS"].replace("device_count=2", "device_count=1")
    program = "import sys; sys.path.append('..'); import test_aligning as here; "
    program += "here.save_three_steps(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "one.npz")],
        cwd=Path(__file__).parent,
        env={**os.environ, "XLA_FLAGS": flags},
        check=True,
    )

    assert devices.count() == 2
    found = three_steps_with_dropout()

    with np.load(tmp_path / "one.npz") as arrays:
        expected = [arrays[name] for name in arrays.files]
    assert_trees_close(found, expected)


def test_a_batch_of_padding_alone_changes_nothing():
    settings = config(ADAM, dropout=0.4)
    expected, _ = stepped(settings, [batch()])

    state, [_, metrics] = stepped(settings, [batch(), batch([])])

    assert metrics.sums.tokens == 0
    assert_trees_close(state, expected, rtol=0, atol=0)


def test_ends_of_sentences_are_neither_aligned_nor_counted():
    _, params = nnx.split(network(config(ADAM)), nnx.Param)
    params = jax.tree.map(lambda leaf: leaf + 0.3, params)  # biases, too
    given, other = batch(), batch()
    for tokens, lengths in (
        (other.source, other.source_lengths),
        (other.target, other.target_lengths),
    ):
        tokens[np.arange(4), lengths - 1] = 1
    assert not np.array_equal(given.source, other.source)
    step = evaluator("float32")

    found, changed = (step(params, shard(each)) for each in (given, other))

    assert found.tokens == WORDS
    assert float(found.nll) > WORDS
    assert_trees_close(changed, found, rtol=1e-6)


def validations(run):
    return [each for each in run.records() if "validation/perplexity" in each]


def test_it_is_validated_by_the_perplexity_of_the_words_of_both_sides(aligning_run):
    run = Run.open(aligning_run)
    tokenizers = run.tokenizers()
    graph, template = outline(run.config, tokenizers)
    model = nnx.merge(graph, run.restore("best", {"params": template})["params"])
    lines = aligning_runs.pairs(60, seed=2, least=6)  # those of `aligning_runs.learned`
    sides = [
        jnp.asarray(side.encode_batch([line[number] for line in lines]), jnp.int32)
        for number, side in enumerate((tokenizers.source, tokenizers.target))
    ]

    @jax.jit
    def likelihood(source, target):
        lengths = (jnp.full(len(lines), each.shape[1]) for each in (source, target))
        found = model(*zip((source, target), lengths, strict=True), model.totals())
        return jnp.sum(found.forward.log_likelihood) + jnp.sum(found.backward.log_likelihood)

    records = validations(run)

    assert [each["step"] for each in records] == [20, 40, 60]
    assert {name for each in records for name in each if name.startswith("validation/")} == {
        "validation/perplexity",
        "validation/seconds",
    }
    expected = math.exp(-float(likelihood(*sides)) / sum(side.size for side in sides))
    best = run.progress("best")
    assert records[-1]["validation/perplexity"] == pytest.approx(expected, rel=1e-4)
    assert (best.step, best.best) == (60, -records[-1]["validation/perplexity"])
    assert run.records()[-1]["step"] == 60


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    aligning_runs.write(folder, "train", aligning_runs.pairs(48, seed=3, least=6))
    aligning_runs.write(folder, "val", aligning_runs.pairs(8, seed=4, least=6))
    return folder


RISING = {"learning_rate": 0.5, "max_epochs": None, "validate_every": 1, "log_every": 1}


def trained(folder, corpus, *, data=(), **training):
    how = {"sentences": 8, **RISING, **training}
    given = aligning_runs.settings(folder, corpus, **how)
    given["data"] |= dict(data)
    return train(configfile.validate(given))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, corpus, compiled_once):
    """A run of eight steps, in epochs of six, whose rate is so high that it soon becomes worse."""
    return trained(tmp_path_factory.mktemp("whole") / "run", corpus, max_steps=8)


def parameters(run, which):
    template = nnx.state(build_model(run.config, run.tokenizers()), nnx.Param)
    return leaves(run.restore(which, {"params": template}))


def perplexities(run):
    return [each["validation/perplexity"] for each in validations(run)]


def test_the_best_is_that_of_the_lowest_perplexity(whole):
    found = perplexities(whole)

    best = 1 + found.index(min(found))
    assert len(found) == 8
    assert min(found) < found[-1]
    assert whole.progress("best").step == whole.progress("last").best_step == best
    pairs = zip(parameters(whole, "best"), parameters(whole, "last"), strict=True)
    assert not any(np.array_equal(one, other) for one, other in pairs)


def test_training_stops_when_the_perplexity_has_not_fallen_for_long_enough(
    tmp_path, corpus, whole, compiled_once
):
    found = perplexities(whole)
    fallen = [number for number, each in enumerate(found) if each == min(found[: number + 1])]
    last = next(
        number
        for number in range(len(found))
        if number - max(each for each in fallen if each <= number) == 2
    )

    run = trained(tmp_path / "run", corpus, max_steps=8, patience=2)

    assert run.progress("last").step == 1 + last < 8
    assert perplexities(run) == found[: 1 + last]


def test_a_resumed_run_ends_with_the_parameters_of_one_without_a_stop(
    tmp_path, corpus, whole, compiled_once
):
    trained(tmp_path / "run", corpus, max_steps=3)
    assert Run.open(tmp_path / "run").progress("last").batch == 3

    resumed = trained(tmp_path / "run", corpus, max_steps=8)

    for which in ("best", "last"):
        progress = replace(resumed.progress(which), total_steps=8)  # the best is of the first three
        assert progress == whole.progress(which)
        for one, other in zip(parameters(resumed, which), parameters(whole, which), strict=True):
            np.testing.assert_array_equal(one, other)
    assert perplexities(resumed) == perplexities(whole)


@pytest.mark.usefixtures("without_mecab", "compiled_once")
def test_an_aligner_needs_no_tokenizer_of_bleu(tmp_path, corpus):
    run = trained(tmp_path / "run", corpus, data={"bleu_tokenizer": "ja-mecab"}, max_steps=1)

    assert run.progress("last").step == 1


def test_probabilities_are_computed_in_float32_whatever_the_type_of_training():
    _, params = nnx.split(network(config(ADAM)), nnx.Param)
    losses = {
        dtype: float(evaluator(dtype)(params, shard(batch())).loss)
        for dtype in ("float32", "bfloat16")
    }

    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=5e-3)
    assert losses["bfloat16"] != losses["float32"]
