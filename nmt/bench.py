"""Speed of training and decoding, beside the matrix-multiply rate of the same machine.

Batches are made up, full of tokens, and of the shape of an average batch, so that the figures are
those of the model and not of a corpus.
"""

import platform
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from rich.console import Console
from rich.table import Table

from nmt.allocator import keep_freed_memory
from nmt.config import Config, DecodingConfig
from nmt.data.batching import Batch
from nmt.decoding.programs import search
from nmt.model.seq2seq import build
from nmt.training.step import device_count, init_state, make_train_step, shard

BOS, EOS, PAD = 2, 3, 0
MATRIX = 2048  # rows of the square matrices whose product sets the limit
REPEATS = 7

# batch rows, source and target pieces of a training batch, and the sizes of the network
SIZES: dict[str, dict[str, Any]] = {
    "multi30k": {
        "rows": 64,
        "length": 16,
        "vocabulary": 8000,
        "model": {
            "embedding_size": 256,
            "encoder": {"hidden_size": 256},
            "decoder": {"kind": "luong", "hidden_size": 512},
            "dropout": 0.3,
        },
    },
}


def measure() -> dict[str, Any]:
    """Returns the figures as a tree that JSON can hold; takes about a minute on two cores."""
    keep_freed_memory()
    limit = matrix_rate()
    return {
        "machine": f"{jax.devices()[0].device_kind} x {device_count()}, {platform.machine()}",
        "jax": jax.__version__,
        "matrix_gflops": limit / 1e9,
        "sizes": {name: _measure_size(size, limit) for name, size in SIZES.items()},
    }


def render(figures: dict[str, Any]) -> str:
    """Returns the figures as a table for a terminal."""
    console = Console(width=100, highlight=False)
    title = f"{figures['machine']}, jax {figures['jax']}"
    table = Table("size", "figure", "value", title=title)
    table.add_row("", "matrix products, float32", f"{figures['matrix_gflops']:.0f} GFLOP/s")
    for name, size in figures["sizes"].items():
        table.add_section()
        table.add_row(name, "training", f"{size['target_tokens_per_second']:,.0f} target tokens/s")
        table.add_row("", "model work", f"{size['mflop_per_token']:.1f} MFLOP a target token")
        table.add_row("", "share of the matrix rate", f"{size['share']:.0%}")
        table.add_row("", "compilation of a training step", f"{size['compile_seconds']:.1f} s")
        for beam, rate in size["sentences_per_second"].items():
            table.add_row("", f"decoding, beam {beam}", f"{rate:.0f} sentences/s")
    with console.capture() as text:
        console.print(table)
    return text.get().rstrip("\n")


def matrix_rate() -> float:
    """Returns the floating-point operations a second that one large float32 product reaches."""
    square = jnp.ones((MATRIX, MATRIX), jnp.float32)
    product = jax.jit(lambda x: x @ x)
    return 2 * MATRIX**3 / _seconds(lambda: product(square))


def training_flops(config: Config, *, vocabulary: int, length: int) -> float:
    """Returns the multiplications and additions of matrix products a target token, in training.

    Source and target have the same length. The backward pass costs twice the forward pass.
    """
    model = config.model
    embed, state = model.embedding_size, model.decoder.hidden_size
    half, annotation, readout = model.encoder.hidden_size, model.annotation_size, model.readout_size
    encoder = 2 * 3 * half * (embed + half)
    keys = annotation * state
    recurrence = 3 * state * (embed + state + readout)
    attention = state * state + length * (state + annotation)
    output = (annotation + state) * readout + readout * vocabulary
    return 3 * 2.0 * (encoder + keys + recurrence + attention + output)


def _measure_size(size: dict[str, Any], limit: float) -> dict[str, Any]:
    config = Config.model_validate(
        {"data": {"train": "", "validation": ""}, "model": size["model"]}
    )
    vocabulary, rows, length = size["vocabulary"], size["rows"] * device_count(), size["length"]
    model = build(config.model, source_size=vocabulary, target_size=vocabulary, seed=1)
    random = np.random.default_rng(1)
    tokens = random.integers(EOS + 1, vocabulary, (2, rows, length), dtype=np.int32)
    lengths = np.full(rows, length, np.int32)
    batch = shard(Batch(tokens[0], lengths, tokens[1], lengths))

    state = init_state(config, model)
    step = make_train_step(config, nnx.graphdef(model), bos=BOS, total_steps=1000)
    key = jax.random.key(0)
    start = perf_counter()
    state, _ = jax.block_until_ready(step(state, batch, key))
    compiling = perf_counter() - start

    def train() -> Any:
        nonlocal state
        state, metrics = step(state, batch, key)
        return metrics

    rate = rows * length / _seconds(train)
    work = training_flops(config, vocabulary=vocabulary, length=length)
    return {
        "target_tokens_per_second": rate,
        "mflop_per_token": work / 1e6,
        "share": rate * work / limit / device_count(),
        "compile_seconds": compiling,
        "sentences_per_second": {
            beam: _decoding_rate(nnx.graphdef(model), state.params, tokens[0], beam=beam)
            for beam in (1, 5)
        },
    }


def _decoding_rate(graph: Any, params: Any, source: Any, *, beam: int) -> float:
    """Returns sentences a second where each translation is as long as its source."""
    rows, length = source.shape
    lengths = np.full(rows, length, np.int32)
    settings = DecodingConfig(beam=beam)

    def translate() -> Any:
        return search(
            graph,
            params,
            source,
            lengths,
            lengths,
            config=settings,
            limit=length,
            specials=(BOS, EOS, PAD),
            n_best=1,
        )

    return float(rows / _seconds(translate))


def _seconds(run: Callable[[], Any]) -> float:
    """Returns the median time of a call that has been made once before."""
    jax.block_until_ready(run())
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        jax.block_until_ready(run())
        times.append(perf_counter() - start)
    return median(times)
