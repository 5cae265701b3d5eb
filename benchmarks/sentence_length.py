"""BLEU by the length of the source, with attention and without: Bahdanau et al. (2015), figure 2.

    python benchmarks/sentence_length.py DIR --runs runs/length --figure length.png

DIR has train, val and test of one corpus, as PREFIX.de and PREFIX.rm, also gzipped. Both networks
are `configs/dermit-de-rm.yaml`; one of them has no attention. Finished trainings are not repeated.
Overrides such as training.max_epochs=1 are for both.
"""

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np

import nmt
from nmt import configfile
from nmt.data import files
from nmt.evaluation.metrics import bleu

CONFIG = Path(__file__).parents[1] / "configs" / "dermit-de-rm.yaml"
NETWORKS = {"attention": "global", "no attention": "none"}
EDGES = (0, 10, 15, 20, 25, 30, 40, 100)  # words of a source: more than, up to


def translator(data: Path, run: Path, mechanism: str, overrides: Sequence[str]) -> nmt.Translator:
    """Trains, unless that has been done."""
    settings = [
        f"run={run}",
        f"data.train={data / 'train'}",
        f"data.validation={data / 'val'}",
        f"model.attention.mechanism={mechanism}",
        *overrides,
    ]
    nmt.train(configfile.load(CONFIG, settings))
    return nmt.Translator.load(run)


def by_length(hypotheses: list[str], references: list[str], lengths: list[int]) -> list[float]:
    """Returns BLEU of the sentences between each two edges."""
    scores = []
    for low, high in pairwise(EDGES):
        chosen = [number for number, length in enumerate(lengths) if low < length <= high]
        pairs = [(hypotheses[number], references[number]) for number in chosen]
        scores.append(bleu(*map(list, zip(*pairs, strict=True))).value)
    return scores


def draw(curves: dict[str, list[float]], centers: list[float], path: Path) -> None:
    """Draws the figure."""
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 3.2), layout="constrained")
    for name, scores in curves.items():
        axes.plot(centers, scores, marker="o", label=name)
    axes.set(xlabel="words of the source", ylabel="BLEU", ylim=(0, None))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main(data: Path, runs: Path, figure: Path | None, overrides: Sequence[str]) -> None:
    source, reference = (list(files.lines(files.find(data / f"test.{x}"))) for x in ("de", "rm"))
    lengths = [len(line.split()) for line in source]
    curves = {}
    for name, mechanism in NETWORKS.items():
        found = translator(data, runs / mechanism, mechanism, overrides).translate(source)
        hypotheses = [each.text for each in found]
        curves[name] = by_length(hypotheses, reference, lengths)
        whole = bleu(hypotheses, reference)
        rounded = [round(score, 1) for score in curves[name]]
        print(json.dumps({"network": name, "bleu": round(whole.value, 2), "by_length": rounded}))
    if figure is not None:
        groups = np.digitize(lengths, EDGES[1:-1], right=True)
        centers = [
            float(np.mean([n for n, group in zip(lengths, groups, strict=True) if group == which]))
            for which in range(len(EDGES) - 1)
        ]
        draw(curves, centers, figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder with train, val and test")
    parser.add_argument("--runs", type=Path, default=Path("runs/length"), help="of run folders")
    parser.add_argument("--figure", type=Path, help="a .png, .svg or .pdf file")
    parser.add_argument("overrides", nargs="*", metavar="section.key=value")
    arguments = parser.parse_intermixed_args()
    main(arguments.data, arguments.runs, arguments.figure, arguments.overrides)
