"""An aligner that is trained further on the pairs that it is to align."""

import aligning_runs
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nmt.config import TokenBatchConfig
from nmt.data.batching import Bucket, pad
from nmt.errors import DataError
from nmt.inference.aligner import Aligner
from nmt.run import Run
from nmt.training.fitting import fitted

PAIRS = [pair[:2] for pair in aligning_runs.pairs(12, seed=7, least=6)]
MISSPELT = [(source, target.replace("s", "t")) for source, target in PAIRS]


@pytest.fixture(scope="module")
def aligner(aligning_run):
    return Aligner.load(aligning_run, batch=8)


def log_likelihood(aligner, pairs):
    """Returns that of the targets given their sources."""
    loaded, totals = aligner.shared
    network = nnx.merge(loaded.graph, loaded.params)
    ids = aligner.ids(pairs, range(len(pairs)))
    width = max(len(side) for pair in ids for side in pair)
    batch = pad(
        [(source[:-1], target[:-1]) for source, target in ids], Bucket(len(ids), *[width] * 2)
    )
    source, source_lengths, target, target_lengths = map(jnp.asarray, batch[:4])
    aligned = network((source, source_lengths), (target, target_lengths), totals)
    return float(aligned.forward.log_likelihood.sum())


@pytest.fixture(scope="module")
def likelihood_before(aligner):
    return log_likelihood(aligner, MISSPELT)


@pytest.fixture(scope="module")
def new(aligner, aligning_run, likelihood_before):
    return fitted(aligner, Run.open(aligning_run).config, MISSPELT)


def test_it_learns_from_the_pairs_and_the_given_aligner_stays_as_it_was(
    aligner, new, likelihood_before
):
    assert log_likelihood(new, MISSPELT) > likelihood_before + 1
    assert log_likelihood(aligner, MISSPELT) == likelihood_before


def test_pairs_that_are_too_long_teach_nothing_but_are_aligned(aligner, aligning_run, new):
    config = Run.open(aligning_run).config
    long = (" ".join(["a"] * 2 * config.data.max_length),) * 2

    longer = fitted(aligner, config, [*MISSPELT, long])

    jax.tree.map(np.testing.assert_array_equal, new.shared.loaded, longer.shared.loaded)
    assert longer.align(*long).forward.attention.any()


@pytest.mark.slow
def test_a_pair_of_more_tokens_than_a_batch_of_the_training_is_learnt_from(aligner, aligning_run):
    config = Run.open(aligning_run).config
    small = config.data.model_copy(update={"batch": TokenBatchConfig(tokens=20, buckets=4)})
    long = [(" ".join("abcdefgh" * 9), " ".join("stuvwxyz" * 9))]
    before = log_likelihood(aligner, long)

    new = fitted(aligner, config.model_copy(update={"data": small}), [*PAIRS, *long])

    assert log_likelihood(new, long) > before + 1


def test_without_a_pair_to_learn_from_it_says_what_to_leave_out(aligner, aligning_run):
    for pairs in ([], [("", "")]):
        with pytest.raises(DataError) as raised:
            fitted(aligner, Run.open(aligning_run).config, pairs)

        assert str(raised.value) == (
            "--fit has no pair with words on both sides, of at most 100 pieces (data.max_length): "
            "leave out --fit"
        )
