"""Alignment error by each method, in each direction and symmetrized, on DERMIT German-Romansh.

    python benchmarks/alignment_error.py DIR --runs runs/dermit [--rounds 2] [--method attention]

DIR has train and val, and gold links in gold/gold.{de,rm,align}. Two networks are trained as
`configs/dermit-alignment.yaml` says, one for each direction; no aligner is in the loop. In each
round more, the links that the last two find in the training text guide two new ones, at the step
that has read a word (Chen et al. 2016, 2020). Finished trainings are not repeated. Overrides such
as training.max_steps=20 are for all networks.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import nmt
from nmt import configfile
from nmt.data import files
from nmt.evaluation.alignment import aer
from nmt.evaluation.cross_validation import cross_validate
from nmt.evaluation.pharaoh import format_links, read_gold
from nmt.evaluation.symmetrization import turned
from nmt.inference.alternatives import alternatives
from nmt.inference.methods import METHODS
from nmt.inference.output import stream_symmetrized, symmetrized_links, word_links

CONFIG = Path(__file__).parents[1] / "configs" / "dermit-alignment.yaml"
LANGUAGES = ("de", "rm")
SYMMETRISED = ("intersection", "grow-diag-final-and", "soft-intersection", "soft-union")
GUIDED = (
    "training.guided_alignment.step=shifted",
    "training.guided_alignment.weight=1",
    "training.max_epochs=3",
)

Both = tuple[nmt.Translator, nmt.Translator]  # German to Romansh, and back


def train(data: Path, runs: Path, overrides: Sequence[str], links: Path | None = None) -> Both:
    """Returns the translators of both directions, trained unless that has been done."""

    def towards(source: str, target: str) -> nmt.Translator:
        settings = [
            f"run={runs / f'{source}-{target}'}",
            f"data.source={source}",
            f"data.target={target}",
            f"data.train.path={data / 'train'}",
            f"data.validation.path={data / 'val'}",
        ]
        if links is not None:
            settings += [*GUIDED, f"data.train.alignments={links}.{source}-{target}"]
        run = nmt.train(configfile.load(CONFIG, [*settings, *overrides]))
        return nmt.Translator.load(run.path)

    german, romansh = LANGUAGES
    return towards(german, romansh), towards(romansh, german)


def score(both: Both, data: Path, method: str) -> dict[str, float]:
    """Returns the alignment error of a method, of each direction and of both together.

    What joins both, and its threshold, is a choice. `cross-validated` is the error when each half
    of the sentences is joined by what has the least error on the other half, as by `nmt align
    --cross-validate`.
    """
    german, romansh = (list(files.lines(data / "gold" / f"gold.{name}")) for name in LANGUAGES)
    path = data / "gold" / "gold.align"
    gold = list(read_gold(files.lines(path), name=path))
    forward = both[0].align(german, romansh, method=method)
    backward = both[1].align(romansh, german, method=method)
    found = {
        "de-rm": [word_links(each) for each in forward],
        "rm-de": [turned(word_links(each)) for each in backward],
    }
    pairs = list(zip(forward, backward, strict=True))
    for kind in SYMMETRISED:
        found[kind] = [symmetrized_links(*pair, symmetrization=kind) for pair in pairs]
    errors = {name: round(aer(links, gold), 3) for name, links in found.items()}
    validated = cross_validate(alternatives(forward, backward), gold)
    return {**errors, "cross-validated": round(validated.score.aer, 3)}


def write_links(both: Both, data: Path, path: Path, method: str) -> None:
    """Writes what both directions agree on in the training text, for either direction."""
    text = [files.find(data / f"train.{language}") for language in LANGUAGES]
    pairs = files.parallel(*text)
    found = list(stream_symmetrized(*both, pairs, symmetrization="intersection", method=method))
    for direction, links in {"rm-de": map(turned, found), "de-rm": found}.items():
        lines = "".join(f"{format_links(each)}\n" for each in links)
        Path(f"{path}.{direction}").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder with train, val and gold")
    parser.add_argument("--runs", type=Path, default=Path("runs/dermit"), help="of run folders")
    parser.add_argument("--rounds", type=int, default=0, help="of networks guided by the last ones")
    parser.add_argument("--method", action="append", choices=METHODS, help="all, if not given")
    parser.add_argument("overrides", nargs="*", metavar="section.key=value")
    given = parser.parse_intermixed_args()
    both = train(given.data, given.runs, given.overrides)
    for number in range(given.rounds + 1):
        if number:
            links = given.runs / f"links{number}"
            if not Path(f"{links}.de-rm").exists():
                write_links(both, given.data, links, "attention" if number == 1 else "shifted")
            both = train(given.data, given.runs / f"round{number}", given.overrides, links)
        for method in given.method or METHODS:
            errors = score(both, given.data, method)
            print(json.dumps({"round": number, "method": method, **errors}), flush=True)
