"""The demo: training on the embedded corpus, BLEU, alignment error rate and a heat map."""

from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from nmt import configfile, plotting
from nmt.data import embedded
from nmt.errors import UserError
from nmt.evaluation import metrics
from nmt.evaluation.alignment import GoldLinks, score_links
from nmt.inference.output import word_links
from nmt.inference.translator import Translator
from nmt.training.session import train

SHOWN = 3  # translations printed


def demonstrate(overrides: list[str]) -> None:
    """Trains with `configs/demo.yaml`, prints scores and translations, draws `heatmap.png`."""
    console = Console(highlight=False)
    start = perf_counter()
    run = train(configfile.load(config_path(), overrides))
    trained = perf_counter() - start

    test = embedded.pairs("test")
    translator = Translator.load(run.path, trust=True)
    start = perf_counter()
    translations = translator.translate([pair.source for pair in test])
    searched = perf_counter() - start
    references = [pair.target for pair in test]
    scores = metrics.evaluate([each.text for each in translations], references)
    forced = translator.align([pair.source for pair in test], references)
    gold = [GoldLinks(sure=pair.links, possible=pair.links) for pair in test]
    error = score_links([word_links(each) for each in forced], gold).aer

    longest = max(translations, key=lambda each: len(each.source_pieces))
    picture = run.path / "heatmap.png"
    plotting.save(plotting.plot_alignment(longest), picture)

    table = Table("measure", "value", title=f"{len(test)} test sentences of the embedded corpus")
    for score in scores:
        table.add_row(score.name, f"{score.value:.2f}  ({score.signature})")
    table.add_row("AER", f"{error:.3f}  (attention against the grammar's own links)")
    table.add_row("training", f"{trained:.0f} s")
    table.add_row("translation", f"{len(test) / searched:.0f} sentences/s, compilation included")
    console.print(table)
    for each in translations[:SHOWN]:
        console.print(f"  {each.source}\n  → {each.text}", markup=False, soft_wrap=True)
    console.print(f"heat map: {picture}\nnext: nmt translate {run.path}, or see README.md")


def config_path() -> Path:
    """Returns the path of the demo's configuration, in a checkout or in an installed package."""
    package = Path(__file__).parent
    for folder in (package.parent / "configs", package / "configs"):
        if (path := folder / "demo.yaml").is_file():
            return path
    raise UserError("configs/demo.yaml is missing; install nmt again")
