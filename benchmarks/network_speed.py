"""Time of a training step with other cells and stacks, relative to the default network.

    python benchmarks/network_speed.py [NAME ...]

The shapes are those of `nmt bench --size multi30k`. Counted is the time of the processor, and the
networks take turns in one process, so that they share what the machine does beside. The figures are
medians over the rounds.
"""

import argparse
from statistics import median
from time import process_time

import jax
import numpy as np
from flax import nnx

from nmt import configfile
from nmt.bench.sizes import SIZES
from nmt.bench.speed import BOS, EOS
from nmt.data.batching import Batch
from nmt.model.seq2seq import build
from nmt.training.state import init_state
from nmt.training.step import make_train_step, shard

ROUNDS = 9
NORMED = {"kind": "gru", "layer_norm": True}
TWO, TRANSITIONS = {"layers": 2, "residual": True}, {"transitions": 2}
WIDE = {"embedding_size": 512, "encoder": {"hidden_size": 512}}
NETWORKS = {
    "default": {},
    "no input feeding": {"decoder": {"input_feeding": False}},
    "lstm": {"cell": "lstm"},
    "layer normalization": {"cell": NORMED},
    "lstm, layer normalization": {"cell": {"kind": "lstm", "layer_norm": True}},
    "transitions: 2": {"encoder": TRANSITIONS, "decoder": TRANSITIONS},
    "layers: 2, residual": {"encoder": TWO, "decoder": TWO},
    "alternating, layers: 2, residual": {"encoder": {"kind": "alternating", **TWO}, "decoder": TWO},
    "bideep: 2 layers of 2 cells": {
        "cell": NORMED,
        "encoder": {"kind": "alternating", **TWO, **TRANSITIONS},
        "decoder": {**TWO, **TRANSITIONS},
    },
    "twice as wide": {**WIDE, "decoder": {"hidden_size": 1024}},
    "twice as wide, no input feeding": {
        **WIDE,
        "decoder": {"hidden_size": 1024, "input_feeding": False},
    },
    "all dropout": {"dropout": {"recurrent": 0.2, "source_words": 0.1, "target_words": 0.1}},
}


def stepper(changes: dict):
    """Returns a function that makes one training step and waits for it."""
    size = SIZES["multi30k"]
    model = {**size.model, **changes}
    for part in ("encoder", "decoder"):
        model[part] = {**size.model[part], **changes.get(part, {})}
    config = configfile.validate({"data": {"train": "", "validation": ""}, "model": model})
    network = build(config.model, source=size.vocabulary, target_size=size.vocabulary, seed=1)
    shape = (2, size.rows * jax.local_device_count(), size.length)
    source, target = np.random.default_rng(1).integers(EOS + 1, size.vocabulary, shape, np.int32)
    lengths = np.full(len(source), size.length, np.int32)
    batch, key = shard(Batch(source, lengths, target, lengths)), jax.random.key(0)
    step = make_train_step(config, nnx.graphdef(network), bos=BOS, total_steps=1000)
    state = init_state(config, network)

    def run() -> None:
        nonlocal state
        state, _, metrics = step(state, None, batch, key)
        jax.block_until_ready((state, metrics))

    run()  # compiles
    return run


def main(names: list[str]) -> None:
    steps = {name: stepper(NETWORKS[name]) for name in dict.fromkeys(["default", *names])}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = process_time()
            step()
            times[name].append(process_time() - start)
    for name, each in times.items():
        relative = median(t / base for t, base in zip(each, times["default"], strict=True))
        print(f"{name:40} {1000 * median(each):8.1f} ms  {relative:5.2f} x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=" | ".join(NETWORKS))
    names = parser.parse_args().names
    if unknown := [name for name in names if name not in NETWORKS]:
        parser.error(f"there is no network {unknown[0]!r}: choose from {' | '.join(NETWORKS)}")
    main(names or list(NETWORKS))
