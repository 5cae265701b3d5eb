"""Memory and time of one epoch of a stream, without training: is it flat, however long the corpus?

    python benchmarks/stream_memory.py --pairs 10_000_000

Pairs of 3 to 29 random words a side are written into 20 text files of a temporary folder, which
takes two gigabytes for ten million, and read as `nmt train` reads a stream.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import datasets
import numpy as np

from nmt import configfile
from nmt.checkpoints import TrainingProgress
from nmt.config import Config
from nmt.data import corpus, tokenizer_training
from nmt.data.streams import Stream
from nmt.training.stream_loader import StreamLoader

FILES = 20
SHORTEST, LONGEST = 3, 29  # words
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TOLD = 0.01, 0.1, 0.2, 0.5, 0.9  # parts of the epoch


def write(folder: Path, pairs: int) -> None:
    """Writes the files of both sides."""
    random = np.random.default_rng(1)
    letters = random.choice(list(LETTERS), (50_000, 9))
    words = ["".join(word[: 2 + number % 8]) for number, word in enumerate(letters)]
    for number in range(FILES):
        for language in ("de", "en"):
            with (folder / f"{number}.{language}").open("w", encoding="utf-8") as file:
                for length in random.integers(SHORTEST, LONGEST + 1, pairs // FILES):
                    chosen = random.zipf(1.2, length) % len(words)
                    file.write(" ".join(words[each] for each in chosen) + "\n")


def opened(folder: Path) -> StreamLoader:
    """Trains a tokenizer on the sample, as `nmt train` does, and returns the batches."""
    config: Config = configfile.validate(
        {
            "data": {"train": str(folder / "*"), "validation": "unused", "stream": {}},
            "training": {"max_steps": 1},
        }
    )
    stream = Stream.of(config.data)
    text = stream.training.text
    tokenizers = tokenizer_training.train(text["source"], text["target"], config.tokenizer)
    encoded = corpus.encode(text, tokenizers, input=config.data.input)
    sample, _ = corpus.filter_pairs(encoded, config.data)
    return StreamLoader(stream, sample, tokenizers, config)


def memory() -> float:
    """Returns the memory of this process now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 2**20


def peak() -> float:
    """Returns the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(loader: StreamLoader, pairs: int) -> None:
    """Reads one epoch, and prints where memory and time stand."""
    start, used, read, told = time.perf_counter(), time.process_time(), 0, list(TOLD)
    print(f"{'pairs':>12} {'MiB':>7} {'peak':>7} {'seconds':>8} {'of processor':>12}")
    print(f"{0:12} {memory():7.0f} {peak():7.0f}")
    for batch, after in loader.batches(TrainingProgress(tokenizer="")):
        read += int((batch.target_lengths > 0).sum())
        over = after.epoch > 0
        if over or (told and read >= told[0] * pairs):
            told = told[1:]
            clock, processor = time.perf_counter() - start, time.process_time() - used
            used_now = f"{memory():7.0f} {peak():7.0f}"
            print(f"{read:12,} {used_now} {clock:8.0f} {processor:12.0f}", flush=True)
        if over:
            break


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1_000_000)
    given = parser.parse_args()
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as temporary:
        write(Path(temporary), given.pairs)
        measure(opened(Path(temporary)), given.pairs)
