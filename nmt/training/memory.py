"""Memory: a test of the largest batch before training, the peak, and programs of the past."""

import sys

import jax

from nmt import memory_maps
from nmt.config import DataConfig, TokenBatchConfig
from nmt.data.batching import Bucket, pad
from nmt.errors import ConfigError
from nmt.processes import ALONE, ProcessGroup
from nmt.training.loader import own_rows
from nmt.training.state import Gathered, TrainState
from nmt.training.step import TrainStep, shard
from nmt.types import RandomKey


def drop_programs() -> None:
    """Drops compiled programs if they have a quarter of all memory maps that there can be.

    What is used again is compiled again. Each training leaves thousands of maps, which jax keeps:
    a notebook that trains one network after another would run out of them.
    """
    if memory_maps.used() > memory_maps.limit() // 4:
        jax.clear_caches()


def try_largest(
    step: TrainStep,
    state: TrainState,
    gathered: Gathered | None,
    buckets: list[Bucket],
    *,
    key: RandomKey,
    config: DataConfig,
    processes: ProcessGroup = ALONE,
) -> tuple[TrainState, Gathered | None]:
    """Runs the step on a batch of the largest shape, which holds padding alone.

    State and gathered sums are returned unchanged, in other buffers, because the step is given
    theirs. The compiled step is used again.

    Raises:
        ConfigError: the batch does not fit into the memory of the device.
    """
    bucket = max(buckets, key=lambda each: (each.rows * each.source * each.target, each.rows))
    _, own = own_rows(bucket, processes)
    blank = pad([], own, links=[] if config.linked else None, shape=config.input.shape)
    try:
        state, gathered, metrics = step(state, gathered, shard(blank), key)
        jax.block_until_ready(metrics)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        budget = "tokens" if isinstance(config.batch, TokenBatchConfig) else "sentences"
        reason = str(error).splitlines()[0].removeprefix("RESOURCE_EXHAUSTED: ")
        raise ConfigError(
            f"the largest batch, {bucket.rows} sentences of {bucket.source} source and "
            f"{bucket.target} target pieces, does not fit into memory ({reason}); lower "
            f"data.batch.{budget} and raise training.gradient_accumulation instead, or lower "
            "data.max_length"
        ) from None
    return state, gathered


def peak() -> float | None:
    """Returns the peak memory so far in MiB, of the fullest accelerator or else of the process.

    It is None where the system does not report it (Windows).
    """
    devices = [device.memory_stats() or {} for device in jax.local_devices()]
    used = [int(stats["peak_bytes_in_use"]) for stats in devices if "peak_bytes_in_use" in stats]
    if not used:  # on a CPU
        try:
            import resource
        except ImportError:
            return None
        unit = 1 if sys.platform == "darwin" else 1024
        used = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit]
    return round(max(used) / 2**20, 1)
