"""Memory: whether the largest batch fits, found out at the start, and how much was needed."""

import sys
from dataclasses import replace

import jax

from nmt.config import DataConfig, TokenBatchConfig
from nmt.data.batching import Bucket, pad
from nmt.errors import ConfigError
from nmt.processes import ALONE, ProcessGroup
from nmt.training.step import TrainState, TrainStep, shard
from nmt.types import RandomKey


def try_largest(
    step: TrainStep,
    state: TrainState,
    buckets: list[Bucket],
    *,
    key: RandomKey,
    config: DataConfig,
    processes: ProcessGroup = ALONE,
) -> TrainState:
    """Makes a real step on a batch of the largest shape that holds padding alone.

    It changes nothing in the state, which is returned because the step takes the buffers of the
    one it is given; and what it compiles is used again.

    Raises:
        ConfigError: it does not fit into the memory of the device.
    """
    bucket = max(buckets, key=lambda each: (each.rows * each.source * each.target, each.rows))
    rows = processes.rows(bucket.rows)
    own = replace(bucket, rows=rows.stop - rows.start)
    blank = pad([], own, links=[] if config.train.alignments else None)
    try:
        state, metrics = step(state, shard(blank), key)
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
    return state


def peak() -> float | None:
    """Returns the most memory used so far, in MiB: of the fullest device; else of the process.

    None where the system does not tell (Windows).
    """
    found = [device.memory_stats() or {} for device in jax.local_devices()]
    used = [int(stats["peak_bytes_in_use"]) for stats in found if "peak_bytes_in_use" in stats]
    if not used:  # a CPU's memory is that of the process
        try:
            import resource
        except ImportError:
            return None
        unit = 1 if sys.platform == "darwin" else 1024
        used = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit]
    return round(max(used) / 2**20, 1)
