"""Speed of training and decoding, compared with the matrix-multiply rate of the same machine.

Batches are random, without padding, and of the shape of an average batch, so that the results
depend on the model and not on a corpus.
"""

import contextlib
import platform
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.experimental.compilation_cache import compilation_cache

from nmt import configfile, devices
from nmt.bench.sizes import REPEATS, SIZES, Size
from nmt.config import Config, DecodingConfig
from nmt.data.batching import Batch
from nmt.flops import decoding_flops, training_flops
from nmt.inference import programs
from nmt.inference.compiled import SearchInputs, Sentences, search
from nmt.inference.predictor import LoadedModel, Source
from nmt.inference.processors import Forbid
from nmt.inference.ranking import Ranking
from nmt.inference.search import Search, Settings
from nmt.model.seq2seq import build
from nmt.training.state import init_state
from nmt.training.step import make_train_step, shard

BOS, EOS, PAD = 2, 3, 0
BEAMS = (1, 5)
COMPILED = "/jax/core/compile/backend_compile_duration"  # the event of a compilation


def measure(sizes: Mapping[str, Size] | None = None, *, dtype: str = "float32") -> dict[str, Any]:
    """Returns the results for the sizes (default: all), in values that JSON can hold.

    Training computes in `dtype`; decoding computes in float32, as always.

    Raises:
        ConfigError: `dtype` or a model is not valid.
    """
    sizes = SIZES if sizes is None else sizes
    configs = {name: _config(size, dtype) for name, size in sizes.items()}
    limit = matrix_rate(jnp.dtype(dtype))
    return {
        "machine": f"{jax.devices()[0].device_kind} x {devices.count()}, {platform.machine()}",
        "jax": jax.__version__,
        "dtype": dtype,
        "matrix_gflops": limit / 1e9,
        "sizes": {name: _measure_size(sizes[name], configs[name], limit) for name in sizes},
    }


def matrix_rate(dtype: jnp.dtype) -> float:
    """Returns the floating-point operations per second of one large matrix product."""
    side = 2048 if jax.default_backend() == "cpu" else 8192  # an accelerator needs more to be busy
    square = jax.random.normal(jax.random.key(0), (side, side), dtype)
    product = jax.jit(lambda x: x @ x)
    return 2 * side**3 / _seconds(lambda: product(square), REPEATS)


def _config(size: Size, dtype: str) -> Config:
    data, training = {"train": "", "validation": ""}, {"dtype": dtype}
    return configfile.validate({"data": data, "model": size.model, "training": training})


def _measure_size(size: Size, config: Config, limit: float) -> dict[str, Any]:
    vocabulary, length, count = size.vocabulary, size.length, devices.count()
    model = build(config.model, source=vocabulary, target_size=vocabulary, seed=1)
    random = np.random.default_rng(1)
    shape = (2, size.rows * count, length)
    source, target = random.integers(EOS + 1, vocabulary, shape, dtype=np.int32)
    lengths = np.full(len(source), length, np.int32)
    training, params = _train(size, config, model, Batch(source, lengths, target, lengths))
    work = training_flops(config.model, vocabulary=vocabulary, length=length)
    decoding = {
        beam: decoding_flops(config.model, vocabulary=vocabulary, length=length, beam=beam)
        for beam in BEAMS
    }
    graph = nnx.graphdef(model)
    return {
        "rows": size.rows,
        "length": length,
        **training,
        "mflop_per_token": work / 1e6,
        "share": training["target_tokens_per_second"] * work / limit / count,
        "mflop_per_decoded_token": {beam: each / 1e6 for beam, each in decoding.items()},
        "sentences_per_second": {
            beam: _decoding_rate(graph, params, source, beam=beam, repeats=size.repeats)
            for beam in BEAMS
        },
    }


def _train(size: Size, config: Config, model: Any, batch: Batch) -> tuple[dict[str, Any], Any]:
    """Returns the results of training, and the trained parameters."""
    state, key = init_state(config, model), jax.random.key(0)
    parts = shard(batch)
    step: Any = make_train_step(config, nnx.graphdef(model), bos=BOS, total_steps=1000)

    def train() -> Any:
        nonlocal state
        state, _, metrics = step(state, None, parts, key)
        return metrics

    with _compilations() as compiled:
        start = perf_counter()
        program = step.lower(state, None, parts, key).compile()  # the calls below use it
        compiling = perf_counter() - start
        seconds = _seconds(train, size.repeats)
    # The buffers of the program, not the memory of the process: on a CPU, that has the compiler's
    # memory and what the allocator keeps; on an accelerator, it has nothing of the device's.
    memory = program.memory_analysis()
    held = memory.argument_size_in_bytes + memory.output_size_in_bytes - memory.alias_size_in_bytes
    figures = {
        "target_tokens_per_second": batch.target.size / seconds,
        "compile_seconds": compiling,
        "compilations": len(compiled),
        "peak_memory_bytes": memory.temp_size_in_bytes + held,
    }
    return figures, state.params


def _decoding_rate(graph: Any, params: Any, source: Any, *, beam: int, repeats: int) -> float:
    """Returns sentences per second; each translation is as long as its source."""
    rows, length = source.shape
    lengths = np.full(rows, length, np.int32)
    config = DecodingConfig(beam=beam)
    settings = Settings(config.strategy.build(config, n_best=1), Ranking.of(config))
    translate = partial(
        programs.run,
        search,
        SearchInputs(devices.replicate(LoadedModel(params, graph)), settings),
        Sentences(Source(source, lengths), lengths, processors=(Forbid((BOS, PAD)),)),
        rules=Search(n_best=1, bos=BOS, eos=EOS, pad=PAD),
        limit=length,
    )
    return float(rows / _seconds(translate, repeats))


@contextlib.contextmanager
def _compilations() -> Iterator[list[float]]:
    """Collects the seconds of each compilation in a list, with the cache on disk switched off."""
    seconds: list[float] = []

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event == COMPILED:
            seconds.append(duration_secs)

    settings: Any = jax.config  # its attributes have no static types
    enabled = settings.jax_enable_compilation_cache
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        _use_compilation_cache(False)
        yield seconds
    finally:
        _use_compilation_cache(enabled)
        jax.monitoring.unregister_event_duration_listener(listen)


def _use_compilation_cache(enabled: bool) -> None:
    """Switches the compilation cache on disk; jax reads this setting only after a reset."""
    jax.config.update("jax_enable_compilation_cache", enabled)
    compilation_cache.reset_cache()


def _seconds(run: Callable[[], Any], repeats: int) -> float:
    """Returns the median time of a call, after a first call that compiles it."""
    jax.block_until_ready(run())
    times = []
    for _ in range(repeats):
        start = perf_counter()
        jax.block_until_ready(run())
        times.append(perf_counter() - start)
    return median(times)
