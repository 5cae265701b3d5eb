"""The demo's network with every score function and mechanism: scores, alignment error, cost.

    python benchmarks/attention_menu.py train [NAME ...]    # a line of JSON for each
    python benchmarks/attention_menu.py time [NAME ...]     # milliseconds of a step

`train` is `nmt demo` with other attention and half as many epochs. `time` takes a step of each in
turns, so that what else the machine does falls on all of them alike, and prints medians.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import jax
import numpy as np
from flax import nnx

import nmt
from nmt import configfile
from nmt.config import Config
from nmt.data import embedded
from nmt.data.batching import Batch
from nmt.evaluation.alignment import GoldLinks, score_links
from nmt.evaluation.metrics import bleu
from nmt.inference.output import word_links
from nmt.model.seq2seq import build
from nmt.training.state import init_state
from nmt.training.step import make_train_step, shard

VOCABULARY, SENTENCES, LENGTH, ROUNDS = 800, 64, 16, 21
DEMO = Path(__file__).parents[1] / "configs" / "demo.yaml"
MENU = {
    "additive": [],
    "normed_additive": ["score=normed_additive"],
    "dot": ["score=dot"],
    "scaled_dot": ["score=scaled_dot"],
    "general": ["score=general"],
    "scaled_general": ["score=scaled_general"],
    "location": ["score=location"],
    "sparsemax": ["normalizer=sparsemax"],
    "entmax15": ["normalizer=entmax15"],
    "local_m": ["mechanism=local_m"],
    "local_p": ["mechanism=local_p"],
    "hard-reinforce": ["mechanism=hard"],
    "hard-gumbel": ["mechanism=hard", "estimator=gumbel"],
    "monotonic": ["mechanism=monotonic"],
    "coverage-linguistic": ["coverage=linguistic"],
    "coverage-neural": ["coverage=neural"],
    "multi_head": ["mechanism=multi_head", "score=scaled_dot"],
    "uniform": ["mechanism=uniform"],
    "none": ["mechanism=none"],
}


def configuration(name: str, run: Path, overrides: Sequence[str] = ()) -> Config:
    """Returns the demo's configuration with one attention of the menu."""
    attention = [f"model.attention.{option}" for option in MENU[name]]
    shorter = [f"run={run}", "training.max_epochs=5"]
    return configfile.load(DEMO, [*shorter, *attention, *overrides])


def train(name: str, run: Path, overrides: Sequence[str] = ()) -> dict[str, object]:
    """Trains and scores; returns what a table has of it."""
    start = perf_counter()
    nmt.train(configuration(name, run, overrides))
    seconds = perf_counter() - start
    translator = nmt.Translator.load(run)
    test = embedded.pairs("test")
    sources, targets = [pair.source for pair in test], [pair.target for pair in test]
    translations = translator.translate(sources)
    forced = translator.align(sources, targets)
    gold = [GoldLinks(sure=pair.links, possible=pair.links) for pair in test]
    error = score_links([word_links(each) for each in forced], gold)
    return {
        "name": name,
        "bleu": round(bleu([each.text for each in translations], targets).value, 2),
        "aer": round(error.aer, 3),
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(translator.loaded.params)),
        "seconds": round(seconds),
    }


def stepper(name: str) -> Callable[[], float]:
    """Returns what takes one step on a full batch of random tokens, and gives its seconds."""
    config = configuration(name, Path())
    model = build(config.model, source=VOCABULARY, target_size=VOCABULARY, seed=1)
    tokens = np.random.default_rng(1).integers(4, VOCABULARY, (SENTENCES, LENGTH), dtype=np.int32)
    lengths = np.full(SENTENCES, LENGTH, np.int32)
    batch, key = shard(Batch(tokens, lengths, tokens, lengths)), jax.random.key(0)
    state = init_state(config, model)
    step = make_train_step(config, nnx.graphdef(model), bos=2, total_steps=1000)

    def take() -> float:
        nonlocal state
        start = perf_counter()
        state, *_ = step(state, None, batch, key)
        jax.block_until_ready(state)
        return perf_counter() - start

    take()
    return take


def main(task: str, runs: Path, names: list[str]) -> None:
    if task == "train":
        for name in names:
            print(json.dumps(train(name, runs / name)), flush=True)
        return
    steppers = {name: stepper(name) for name in names}
    rounds = [{name: take() for name, take in steppers.items()} for _ in range(ROUNDS)]
    for name in names:
        print(f"{name:20} {1000 * median(each[name] for each in rounds):7.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", choices=["train", "time"])
    parser.add_argument("--runs", type=Path, default=Path("runs/menu"), help="of run folders")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MENU))
    arguments = parser.parse_intermixed_args()
    main(arguments.task, arguments.runs, arguments.names or list(MENU))
