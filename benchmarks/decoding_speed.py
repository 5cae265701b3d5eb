"""Sentences a second of `Translator` over a real file, compilation left out.

    python benchmarks/decoding_speed.py RUN SOURCE [--beam 5] [--shortlist 5] [--prune 2]

SOURCE has one sentence a line. A shortlist needs the table that `nmt shortlist RUN` makes.

The file is translated twice: once to compile a program for each shape, then again with a clock.
Tokenising, sorting into batches and detokenising count, reading the file and the run does not.
"""

import argparse
import sys
from pathlib import Path
from time import perf_counter

import nmt
from nmt.data import files
from nmt.errors import UserError


def main(run: Path, source: Path, **decoding: float | None) -> None:
    translator = nmt.Translator.load(run, **decoding)
    lines = list(files.lines(files.find(source)))
    translator.translate(lines)
    start = perf_counter()
    translator.translate(lines)
    seconds = perf_counter() - start
    settings = " ".join(f"{key} {value}" for key, value in decoding.items() if value)
    print(f"nmt translate {settings} sentences/s {len(lines) / seconds:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("source", type=Path, help="text, one sentence a line")
    parser.add_argument("--beam", type=int, default=5, help="hypotheses kept")
    parser.add_argument("--shortlist", type=int, help="translations of a source piece")
    parser.add_argument("--prune", type=float, help="nats below the best hypothesis")
    arguments = parser.parse_args()
    try:
        main(**vars(arguments))
    except UserError as error:
        sys.exit(f"decoding_speed.py: {error}")
