"""The loss: the sums of a loop over explicit distributions, in which padding has no part."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.training import chunks
from nmt.training.chunks import chunk_size
from nmt.training.loss import LossSums, cross_entropy, totals

LENGTHS = np.array([4, 1, 0], np.int32)


@pytest.fixture(scope="module")
def logits():
    return np.random.default_rng(0).normal(0, 3, (3, 4, 7)).astype(np.float32)


@pytest.fixture(scope="module")
def target():
    return np.random.default_rng(1).integers(0, 7, (3, 4)).astype(np.int32)


def by_loop(logits, target, lengths, *, smoothing):
    """Returns the cross entropy of the smoothed distribution, the NLL, and the tokens."""
    loss = nll = 0.0
    vocabulary = logits.shape[-1]
    for row, length in enumerate(lengths):
        for position in range(length):
            exponentials = np.exp(logits[row, position].astype(np.float64))
            model = exponentials / exponentials.sum()
            wanted = np.full(vocabulary, smoothing / vocabulary)
            wanted[target[row, position]] += 1 - smoothing
            assert np.isclose(wanted.sum(), 1)
            loss -= sum(p * np.log(q) for p, q in zip(wanted, model, strict=True))
            nll -= np.log(model[target[row, position]])
    return loss, nll, sum(lengths)


@partial(jax.jit, static_argnames="smoothing")
def of_logits(logits, target, lengths, *, smoothing=0.0):
    """The loss of readouts that are the logits themselves."""
    size = logits.shape[-1]
    readouts = jnp.asarray(logits)
    return cross_entropy(
        readouts,
        jnp.eye(size, dtype=readouts.dtype),
        jnp.zeros(size, readouts.dtype),
        jnp.asarray(target),
        jnp.asarray(lengths),
        label_smoothing=smoothing,
    )


def sums(logits, target, lengths, *, smoothing=0.0):
    found, _ = of_logits(logits, target, lengths, smoothing=smoothing)
    return [float(part) for part in (found.loss, found.nll, found.tokens)]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_the_sums_are_those_of_a_loop_over_smoothed_distributions(logits, target, smoothing):
    expected = by_loop(logits, target, LENGTHS, smoothing=smoothing)

    np.testing.assert_allclose(
        sums(logits, target, LENGTHS, smoothing=smoothing), expected, rtol=1e-5
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_losses_of_tokens_are_what_each_adds_to_the_sum(logits, target, smoothing):
    _, losses = of_logits(logits, target, LENGTHS, smoothing=smoothing)

    for row, length in enumerate(LENGTHS):
        of_lengths = [
            by_loop(logits[[row]], target[[row]], [upto], smoothing=smoothing)[0]
            for upto in range(length + 1)
        ]
        np.testing.assert_allclose(losses[row, :length], np.diff(of_lengths), rtol=1e-4)
        np.testing.assert_array_equal(losses[row, length:], 0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_that_of_optax(logits, target, smoothing):
    real = np.arange(4) < LENGTHS[:, None]
    labels = optax.smooth_labels(jax.nn.one_hot(target, 7), smoothing)

    expected = optax.softmax_cross_entropy(logits, labels)[real].sum()

    loss, _, _ = sums(logits, target, LENGTHS, smoothing=smoothing)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_a_uniform_model_has_the_vocabulary_as_its_perplexity():
    _, nll, tokens = sums(np.zeros((2, 3, 11)), np.ones((2, 3), np.int32), [3, 2])

    assert tokens == 5
    assert np.exp(nll / tokens) == pytest.approx(11)


@settings(max_examples=25)
@given(noise=st.floats(-1e4, 1e4), token=st.integers(0, 6))
def test_what_stands_on_padding_changes_nothing(logits, target, noise, token):
    padding = np.arange(4) >= LENGTHS[:, None]
    other_logits = np.where(padding[..., None], logits + noise * np.arange(7), logits)
    other_target = np.where(padding, token, target)

    before = sums(logits, target, LENGTHS, smoothing=0.1)
    after = sums(other_logits.astype(np.float32), other_target, LENGTHS, smoothing=0.1)

    assert after == before


@pytest.mark.parametrize("rows_at_once", [12, 5, 1])
def test_in_chunks_of_any_size_loss_and_gradients_are_those_of_autodiff(
    target, rows_at_once, monkeypatch
):
    monkeypatch.setattr(chunks, "CPU_CHUNK", rows_at_once * 7)
    random = np.random.default_rng(3)
    weights = [random.normal(size=shape) for shape in ((3, 4, 5), (7, 5), (7,))]
    real = np.arange(4) < LENGTHS[:, None]
    labels = optax.smooth_labels(jax.nn.one_hot(target, 7), 0.1)

    def found(readouts, matrix, bias):
        arguments = (readouts, matrix, bias, jnp.asarray(target), jnp.asarray(LENGTHS))
        return cross_entropy(*arguments, label_smoothing=0.1)[0].loss

    def expected(readouts, matrix, bias):
        logits = readouts @ matrix.T + bias[None, None, :]
        return optax.softmax_cross_entropy(logits[real], labels[real]).sum()

    with jax.enable_x64(True):
        arrays = [jnp.asarray(array) for array in weights]
        both = [
            jax.jit(jax.value_and_grad(lambda s, *a, f=f: s * f(*a), argnums=(1, 2, 3)))
            for f in (found, expected)
        ]
        for scale in (1.0, -3.0):
            one, other = (each(scale, *arrays) for each in both)
            jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-7), one, other)


@pytest.mark.parametrize(
    ("backend", "gibibytes", "mebibytes"),
    [
        pytest.param("cpu", None, 16, id="the cache of a CPU, whatever its memory"),
        pytest.param("cpu", 256, 16, id="a CPU that tells its memory"),
        pytest.param("gpu", 16, 256, id="a 64th of the memory of a GPU"),
        pytest.param("gpu", 1, 64, id="not less than a product that is worth its start"),
        pytest.param("tpu", 95, 1024, id="not more than a gibibyte"),
        pytest.param("gpu", None, 64, id="little where the device does not tell"),
    ],
)
def test_as_many_logits_are_computed_at_once_as_suit_the_device(backend, gibibytes, mebibytes):
    memory = None if gibibytes is None else gibibytes * 2**30

    assert chunk_size(backend, memory) * 4 == mebibytes * 2**20  # a logit has four bytes


def test_the_logits_of_all_positions_are_never_stored():
    rows, vocabulary, width = 1024, 2**16, 2
    shapes = [(4, rows // 4, width), (vocabulary, width), (vocabulary,)]
    arrays = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    target = jnp.zeros((4, rows // 4), jnp.int32)

    def loss(readouts, matrix, bias):
        return cross_entropy(readouts, matrix, bias, target, jnp.full(4, rows // 4))[0].loss

    memory = jax.jit(jax.grad(loss, argnums=(0, 1, 2))).lower(*arrays).compile().memory_analysis()

    assert memory.temp_size_in_bytes < rows * vocabulary * 4


def test_no_gradient_reaches_padding(logits, target):
    def loss(logits):
        return of_logits(logits, target, LENGTHS, smoothing=0.1)[0].loss

    gradient = np.asarray(jax.jit(jax.grad(loss))(jnp.asarray(logits)))

    real = np.arange(4) < LENGTHS[:, None]
    assert np.abs(gradient[real]).max(axis=-1).all()
    assert not gradient[~real].any()


def test_the_sums_of_two_batches_add_to_those_of_the_whole(logits, target):
    parts = [
        of_logits(logits[rows], target[rows], LENGTHS[rows], smoothing=0.1)[0]
        for rows in (slice(0, 1), slice(1, 3))
    ]

    added = parts[0] + parts[1]

    whole = sums(logits, target, LENGTHS, smoothing=0.1)
    np.testing.assert_allclose([added.loss, added.nll, added.tokens], whole, rtol=1e-5)


def test_totals_keep_the_tokens_that_float32_would_lose():
    epoch, batch = 2.0**25, 1.0  # float32 has no number between 2 ** 25 and 2 ** 25 + 4

    parts = [
        LossSums(loss=jnp.asarray(size), nll=jnp.asarray(size / 2), tokens=jnp.asarray(size))
        for size in (epoch, batch, batch)
    ]

    assert totals(parts) == (epoch + 2, epoch / 2 + 1, epoch + 2)


def test_logits_far_from_zero_overflow_nowhere():
    logits = np.array([[[1e30, 0.0, -1e30]]], np.float32)

    loss, nll, _ = sums(logits, np.array([[0]], np.int32), [1])

    assert loss == nll == 0
