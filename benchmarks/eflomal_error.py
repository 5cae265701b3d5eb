"""Alignment error, time and memory of eflomal on DERMIT German-Romansh, beside our networks.

    pip install eflomal
    python benchmarks/eflomal_error.py DIR [--runs 2]

DIR is that of `alignment_error.py`. eflomal aligns the training text with the sentences of the gold
links behind it, as it always must; it draws another seed in each run. `cross-validated` chooses
among the two directions and their symmetrizations.
"""

import argparse
import json
import resource
import tempfile
from itertools import chain
from pathlib import Path

from eflomal import Aligner

from nmt.data import files
from nmt.evaluation.alignment import Link, aer
from nmt.evaluation.cross_validation import cross_validate
from nmt.evaluation.pharaoh import parse_links, read_gold
from nmt.evaluation.symmetrization import METHODS, symmetrize

LANGUAGES = ("de", "rm")


def aligned(data: Path, sentences: int) -> dict[str, list[frozenset[Link]]]:
    """Returns the links of the last sentences by each direction and symmetrization."""
    texts = [
        chain(
            files.lines(files.find(data / f"train.{language}")),
            files.lines(data / "gold" / f"gold.{language}"),
        )
        for language in LANGUAGES
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("forward", "backward")]
        both = dict(zip(("links_filename_fwd", "links_filename_rev"), map(str, paths), strict=True))
        Aligner().align(*texts, **both)
        there, back = (
            [parse_links(line).sure for line in list(files.lines(path))[-sentences:]]
            for path in paths
        )
    found = {"de-rm": there, "rm-de": back}
    for method in METHODS:
        found[method] = [symmetrize(*pair, method=method) for pair in zip(there, back, strict=True)]
    return found


def measured(data: Path) -> dict[str, float]:
    """Returns the errors of one run, and the seconds and megabytes of the program."""
    path = data / "gold" / "gold.align"
    gold = read_gold(files.lines(path), name=path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    found = aligned(data, len(gold))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    errors = {name: aer(links, gold) for name, links in found.items()}
    errors["cross-validated"] = cross_validate(found, gold).score.aer
    rounded = {name: round(error, 3) for name, error in errors.items()}
    cost = {"processor seconds": round(used.ru_utime - before), "megabytes": used.ru_maxrss // 1024}
    return {**rounded, **cost}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder with train and gold")
    parser.add_argument("--runs", type=int, default=1, help="each with another seed")
    given = parser.parse_args()
    for number in range(given.runs):
        print(json.dumps({"run": number, **measured(given.data)}), flush=True)
