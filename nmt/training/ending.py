"""The number of updates, and a check before it is changed for a run."""

import jax.numpy as jnp

from nmt.checkpoints import Saved, TrainingProgress
from nmt.config import Config
from nmt.errors import ConfigError
from nmt.run import Run
from nmt.training.optimizer import depends_on_the_end, learning_rate


def total_steps(config: Config, batches_per_epoch: int | None) -> int:
    """Returns the number of updates that training makes at most; epochs of None do not count."""
    training = config.training
    limits = []
    if training.max_steps is not None:
        limits.append(training.max_steps)
    if training.max_epochs is not None and batches_per_epoch is not None:
        limits.append(training.max_epochs * batches_per_epoch // training.gradient_accumulation)
    return max(1, min(limits))


def epochs_are_over(config: Config, progress: TrainingProgress) -> bool:
    """Returns whether all epochs of a stream have been read; others are counted as updates."""
    most = config.training.max_epochs
    return config.data.stream is not None and most is not None and progress.epoch >= most


def makes_update(
    config: Config, before: TrainingProgress, after: TrainingProgress, *, waiting: int
) -> bool:
    """Returns whether an update follows on a batch, the last one of `waiting`.

    It does when enough batches have been gathered, and at the end of an epoch of a stream, with
    which training may end: what is gathered is not saved.
    """
    ends = config.data.stream is not None and after.epoch > before.epoch
    return ends or waiting == config.training.gradient_accumulation


def check_moved(run: Run, saved: Saved | None, *, batches_per_epoch: int | None) -> None:
    """Checks that the number of updates has not changed, if the learning rate depends on it.

    Raises:
        ConfigError: it has, by the settings or by the corpus, without `training.extend`, so that
            the learning rate would jump.
    """
    training = run.config.training
    if run.stored is None or training.extend or not depends_on_the_end(training.schedule):
        return
    if saved is None or (step := saved.progress.step) == 0:
        return
    by_settings, after = (total_steps(each, batches_per_epoch) for each in (run.stored, run.config))
    before = saved.progress.total_steps or by_settings
    if before == after or step >= after:
        return
    reason = " with the corpus as it is now" if by_settings == after else ""
    rates = (
        float(learning_rate(training, total_steps=total)(jnp.asarray(at)))
        for total, at in ((before, step - 1), (after, step))
    )
    now, following = (f"{rate:.3g}" for rate in rates)
    raise ConfigError(
        f"{run.path}: the {training.schedule.kind} schedule depends on the number of updates, "
        f"which would change from {before} to {after}{reason}: the learning rate, {now} at update "
        f"{step}, would be {following} at the next one; give training.extend=true if that is what "
        "you want, or name another folder with run=..."
    )
