"""Sentences a second of `Translator` over a real file, compilation left out.

    python benchmarks/decoding_speed.py RUN SOURCE [--beam 5]     # SOURCE: one sentence a line

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


def main(run: Path, source: Path, beam: int) -> None:
    translator = nmt.Translator.load(run, beam=beam)
    lines = list(files.lines(files.find(source)))
    translator.translate(lines)
    start = perf_counter()
    translator.translate(lines)
    seconds = perf_counter() - start
    print(f"nmt translate beam {beam} sentences/s {len(lines) / seconds:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("source", type=Path, help="text, one sentence a line")
    parser.add_argument("--beam", type=int, default=5, help="hypotheses kept")
    arguments = parser.parse_args()
    try:
        main(arguments.run, arguments.source, arguments.beam)
    except UserError as error:
        sys.exit(f"decoding_speed.py: {error}")
