"""The accumulator: means over steps, the same wherever a stop lies between two of them."""

import jax.numpy as jnp
import numpy as np
import pytest

from nmt.checkpoints import TrainingProgress
from nmt.training.loss import LossSums
from nmt.training.metrics import MetricsAccumulator
from nmt.training.step import StepMetrics


def metrics(loss=6.0, nll=4.0, tokens=2.0, norm=1.5, skipped=0, **costs):
    sums = LossSums(loss=jnp.array(loss), nll=jnp.array(nll), tokens=jnp.array(tokens))
    return StepMetrics(
        sums=sums,
        costs={name: jnp.array(each) for name, each in costs.items()},
        gradient_norm=jnp.array(norm),
        learning_rate=jnp.array(0.25),
        skipped=jnp.array(skipped),
        skipped_in_row=jnp.array(skipped),
    )


def test_the_means_are_those_of_all_tokens():
    accumulator = MetricsAccumulator()
    for step, (loss, nll, tokens) in enumerate([(6.0, 4.0, 2.0), (3.0, 2.0, 4.0)]):
        accumulator.add(TrainingProgress(step=step), metrics(loss, nll, tokens))

    records = accumulator.read()

    assert [record.progress.step for record in records] == [0, 1]
    assert accumulator.values(records[-1], seconds=0.5) == {
        "train/loss": 9 / 6,
        "train/perplexity": pytest.approx(np.e),
        "train/learning_rate": 0.25,
        "train/gradient_norm": 1.5,
        "train/skipped": 0,
        "train/tokens_per_second": 12,
    }


def test_a_stop_between_two_steps_changes_no_bit_and_counts_only_its_own_seconds():
    random = np.random.default_rng(0).uniform(1, 9, size=(20, 3)).astype(np.float32).tolist()
    whole, first = MetricsAccumulator(), MetricsAccumulator()
    for sums in random:
        whole.add(TrainingProgress(), metrics(*sums))
    for sums in random[:7]:
        first.add(TrainingProgress(), metrics(*sums))
    first.read()
    second = MetricsAccumulator(first.sums)
    for sums in random[7:]:
        second.add(TrainingProgress(), metrics(*sums))

    *_, last = whole.read()
    second.read()

    assert second.sums == whole.sums
    tokens = sum(sums[2] for sums in random[7:])
    assert second.values(last, seconds=2.0)["train/tokens_per_second"] == pytest.approx(tokens / 2)


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_is_in_no_mean(loss):
    accumulator = MetricsAccumulator()
    accumulator.add(TrainingProgress(), metrics())
    accumulator.add(TrainingProgress(), metrics(loss=loss, norm=loss, skipped=1))

    *_, last = accumulator.read()

    values = accumulator.values(last, seconds=1.0)
    assert (values["train/loss"], values["train/skipped"]) == (3.0, 1)
    assert values["train/gradient_norm"] is None  # JSON has no word for it


def test_without_a_finite_loss_there_is_no_mean():
    accumulator = MetricsAccumulator()
    accumulator.add(TrainingProgress(), metrics(loss=np.nan))

    [last] = accumulator.read()

    assert "train/loss" not in accumulator.values(last, seconds=1.0)


def test_what_was_read_is_not_read_again():
    accumulator = MetricsAccumulator()
    accumulator.add(TrainingProgress(), metrics())
    accumulator.read()

    assert accumulator.read() == []
    assert accumulator.sums == {"loss": 6.0, "nll": 4.0, "tokens": 2.0}


def test_the_costs_of_objectives_are_logged_beside_the_loss_that_they_are_part_of():
    accumulator = MetricsAccumulator()
    for cost in (1.0, 3.0):
        accumulator.add(TrainingProgress(), metrics(guided_alignment=cost))
    *_, last = accumulator.read()

    after_a_stop = MetricsAccumulator(accumulator.sums)

    for each in (accumulator, after_a_stop):
        assert each.values(last, seconds=1.0)["train/guided_alignment"] == 1.0
