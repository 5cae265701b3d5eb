"""Speed and BLEU of searches with other settings, over a real file, in turns in one process.

    python benchmarks/decoding_speed.py RUN SOURCE REFERENCE --search beam=5 \
        --search beam=5,patience=null --search beam=1 [--passes 3]

A file is translated once by each search to compile its programs; then, in turns, with a clock.
Tokenizing, sorting into batches and detokenizing count, reading the file and the run does not. A
shortlist needs the table that `nmt shortlist RUN` makes.
"""

import argparse
import sys
import warnings
from pathlib import Path
from statistics import mean, median
from time import perf_counter, process_time

import nmt
from nmt.allocator import keep_freed_memory
from nmt.configfile import parse_overrides
from nmt.data import files
from nmt.errors import UserError
from nmt.evaluation.metrics import bleu


def main(run: Path, source: Path, reference: Path, *, searches: list[str], passes: int) -> None:
    keep_freed_memory()
    warnings.simplefilter("ignore")  # of lines that are cut, which are counted
    lines, references = (list(files.lines(files.find(path))) for path in (source, reference))
    translators = [nmt.Translator.load(run, **_settings(search)) for search in searches]
    found = [translator.translate(lines) for translator in translators]
    clocks: list[list[tuple[float, float]]] = [[] for _ in searches]
    for _ in range(passes):
        for translator, clock in zip(translators, clocks, strict=True):
            start = perf_counter(), process_time()
            translator.translate(lines)
            clock.append((perf_counter() - start[0], process_time() - start[1]))
    first = median(seconds for _, seconds in clocks[0])
    for search, translations, clock in zip(searches, found, clocks, strict=True):
        wall, processor = (median(column) for column in zip(*clock, strict=True))
        print(
            f"{search or 'as trained'}: {len(lines) / wall:.1f} sentences/s, {processor:.2f} "
            f"processor seconds ({processor / first:.2f} of the first), "
            f"BLEU {bleu([each.text for each in translations], references).value:.2f}, "
            f"mean score {mean(each.score for each in translations):.5f}, "
            f"{sum(each.is_cut for each in translations)} cut",
            flush=True,
        )


def _settings(search: str) -> dict[str, object]:
    return parse_overrides(setting for setting in search.split(",") if setting)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("source", type=Path, help="text, one sentence a line")
    parser.add_argument("reference", type=Path, help="its translation")
    parser.add_argument("--search", action="append", help="settings, as in beam=5,prune=2")
    parser.add_argument("--passes", type=int, default=3)
    given = parser.parse_args()
    try:
        main(
            given.run,
            given.source,
            given.reference,
            searches=given.search or [""],
            passes=given.passes,
        )
    except UserError as error:
        sys.exit(f"decoding_speed.py: {error}")
