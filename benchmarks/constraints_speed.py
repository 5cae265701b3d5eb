"""Time of searches with constraints beside the same search without, in turns in one process.

    python benchmarks/constraints_speed.py RUN SOURCE REFERENCE [--lines 500] [--beam 10]

The prefix of a line is that of its plain translation, so that translations are as long as those
without: the words that the first half of the pieces belongs to, with the end of sentence. Required
are two words of the reference, forbidden two words of the plain translation, all chosen with a
seed. All are translated once to compile the programs; then, in turns, with a clock. The ratios are
medians over the passes of processor time.
"""

import argparse
import random
import sys
import warnings
from pathlib import Path
from statistics import median
from time import process_time

import nmt
from nmt.allocator import keep_freed_memory
from nmt.data import files
from nmt.errors import UserError


def main(
    run: Path, source: Path, reference: Path, *, lines: int, passes: int, **settings: int
) -> None:
    keep_freed_memory()
    warnings.simplefilter("ignore")  # of constraints that are not satisfied, which are counted
    read = [list(files.lines(files.find(path)))[:lines] for path in (source, reference)]
    texts, references = read
    translator = nmt.Translator.load(run, **settings)
    plain = translator.translate(texts)
    draw = random.Random(1)
    kinds = {
        "plain": [nmt.Constraints() for _ in texts],
        "prefix of half": [nmt.Constraints(prefix=_half(each)) for each in plain],
        "two forbidden words": [nmt.Constraints(forbid=_two(each.text, draw)) for each in plain],
        "two required words": [nmt.Constraints(require=_two(text, draw)) for text in references],
    }
    missed = {}
    for name, constraints in kinds.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            translator.translate(texts, constraints=constraints)
        missed[name] = sum("without its constraints" in str(each.message) for each in caught)
    seconds = {name: list[float]() for name in kinds}
    for _ in range(passes):
        for name, constraints in kinds.items():
            start = process_time()
            translator.translate(texts, constraints=constraints)
            seconds[name].append(process_time() - start)
    for name, spent in seconds.items():
        ratio = median(one / other for one, other in zip(spent, seconds["plain"], strict=True))
        print(
            f"{name}: {median(spent):.2f} processor seconds, {ratio:.2f} of plain, "
            f"{missed[name]} of {len(texts)} lines translated without",
            flush=True,
        )


def _half(plain: nmt.Translation) -> str:
    pieces = plain.target_pieces[: (len(plain.target_pieces) + 1) // 2]
    words = "".join(pieces).replace("▁", " ").split()
    return "".join(f"{word} " for word in plain.text.split()[: len(words)])


def _two(text: str, draw: random.Random) -> list[str]:
    words = [word for word in text.split() if word.isalpha()]
    return draw.sample(words, min(2, len(words)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("source", type=Path, help="text, one sentence a line")
    parser.add_argument("reference", type=Path, help="its translation")
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64, help="sentences at a time")
    parser.add_argument("--beam", type=int, default=5)
    given = parser.parse_args()
    try:
        main(
            given.run,
            given.source,
            given.reference,
            lines=given.lines,
            passes=given.passes,
            batch=given.batch,
            beam=given.beam,
        )
    except UserError as error:
        sys.exit(f"constraints_speed.py: {error}")
