"""Alignment error by each method, in each direction and symmetrised, on DERMIT German-Romansh.

    python benchmarks/alignment_error.py DIR --runs runs/dermit [--guided]

DIR has train and val, and gold links in gold/gold.{de,rm,align}. Two networks are trained as
`configs/dermit-de-rm.yaml` says, one for each direction; no aligner is in the loop. With --guided,
the links that the two find in the training text then guide two networks more (Chen et al. 2016),
trained anew. Finished trainings are not repeated. Overrides such as training.max_epochs=1 are for
all networks.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import nmt
from nmt import configfile
from nmt.data import files
from nmt.decoding.explanations import METHODS
from nmt.decoding.output import stream_links
from nmt.evaluation.alignment import GoldLinks, Link, aer
from nmt.evaluation.pharaoh import format_links, read_gold
from nmt.evaluation.symmetrise import symmetrise

CONFIG = Path(__file__).parents[1] / "configs" / "dermit-de-rm.yaml"
LANGUAGES = ("de", "rm")
SYMMETRISED = ("intersection", "grow-diag-final-and", "union")

Links = list[frozenset[Link]]


def translators(
    data: Path, runs: Path, overrides: Sequence[str], links: Path | None = None
) -> list[nmt.Translator]:
    """Returns those of both directions, trained unless that has been done."""
    found = []
    for source, target in (LANGUAGES, LANGUAGES[::-1]):
        settings = [
            f"run={runs / f'{source}-{target}'}",
            f"data.source={source}",
            f"data.target={target}",
            f"data.train.path={data / 'train'}",
            f"data.validation.path={data / 'val'}",
            *overrides,
        ]
        if links is not None:
            settings += [f"data.train.alignments={links}.{source}-{target}"]
        nmt.train(configfile.load(CONFIG, settings))
        found.append(nmt.Translator.load(runs / f"{source}-{target}"))
    return found


def align(
    both: Sequence[nmt.Translator], text: Sequence[Iterable[str]], method: str
) -> tuple[Links, Links]:
    """Returns links of German to Romansh words, as each direction finds them."""
    german, romansh = map(list, text)
    forward = stream_links(both[0], zip(german, romansh, strict=True), method=method)
    backward = stream_links(both[1], zip(romansh, german, strict=True), method=method)
    return list(forward), [turned(links) for links in backward]


def turned(links: Iterable[Link]) -> frozenset[Link]:
    """Returns the links of the other direction."""
    return frozenset((target, source) for source, target in links)


def score(both: Sequence[nmt.Translator], data: Path, name: str) -> None:
    """Prints the alignment error of each method as a line of JSON."""
    text = [list(files.lines(data / "gold" / f"gold.{language}")) for language in LANGUAGES]
    path = data / "gold" / "gold.align"
    gold: list[GoldLinks] = read_gold(files.lines(path), name=path)
    for method in METHODS:
        forward, backward = align(both, text, method)
        errors = {"de-rm": aer(forward, gold), "rm-de": aer(backward, gold)}
        for kind in SYMMETRISED:
            pairs = zip(forward, backward, strict=True)
            errors[kind] = aer([symmetrise(*pair, method=kind) for pair in pairs], gold)
        rounded = {key: round(value, 3) for key, value in errors.items()}
        print(json.dumps({"networks": name, "method": method, **rounded}), flush=True)


def write_links(both: Sequence[nmt.Translator], data: Path, path: Path) -> None:
    """Writes what both directions agree on in the training text, for either direction."""
    text = [files.lines(files.find(data / f"train.{language}")) for language in LANGUAGES]
    found = [symmetrise(*pair) for pair in zip(*align(both, text, "attention"), strict=True)]
    for direction, links in {"de-rm": found, "rm-de": map(turned, found)}.items():
        lines = "".join(f"{format_links(each)}\n" for each in links)
        Path(f"{path}.{direction}").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder with train, val and gold")
    parser.add_argument("--runs", type=Path, default=Path("runs/dermit"), help="of run folders")
    parser.add_argument("--guided", action="store_true", help="also train with their own links")
    parser.add_argument("overrides", nargs="*", metavar="section.key=value")
    arguments = parser.parse_intermixed_args()
    both = translators(arguments.data, arguments.runs, arguments.overrides)
    score(both, arguments.data, "plain")
    if arguments.guided:
        links = arguments.runs / "links"
        if not Path(f"{links}.rm-de").exists():
            write_links(both, arguments.data, links)
        guided = translators(arguments.data, arguments.runs / "guided", arguments.overrides, links)
        score(guided, arguments.data, "guided")
