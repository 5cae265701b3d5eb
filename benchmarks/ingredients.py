"""What each ingredient of the recipe is worth: a row with it alone, and a row without it alone.

    python benchmarks/ingredients.py CONFIG DIR                   # all rows, one after the other
    python benchmarks/ingredients.py CONFIG DIR --row with-ema --row without-ema
    python benchmarks/ingredients.py CONFIG DIR --table           # of the rows trained so far

`plain` is the configuration with every ingredient off, and `recipe` is the configuration itself.
`with-NAME` is `plain` with one ingredient, `without-NAME` is `recipe` without it. Rows are compared
by validation BLEU, so that the test set plays no part in the choice. A row that was interrupted
goes on; other arguments, such as training.max_epochs=10 or seed=2, are overrides of every row.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import nmt
from nmt import configfile
from nmt.allocator import keep_freed_memory
from nmt.run import Run

# The settings with an ingredient, and those without it.
INGREDIENTS: dict[str, tuple[list[str], list[str]]] = {
    "sizes": (
        [
            "model.embedding_size=512",
            "model.encoder.hidden_size=512",
            "model.decoder.hidden_size=1024",
        ],
        [
            "model.embedding_size=256",
            "model.encoder.hidden_size=256",
            "model.decoder.hidden_size=512",
        ],
    ),
    "dropout": (["model.dropout.rate=0.5"], ["model.dropout.rate=0.3"]),
    "word_dropout": (
        ["model.dropout.source_words=0.1", "model.dropout.target_words=0.1"],
        ["model.dropout.source_words=0", "model.dropout.target_words=0"],
    ),
    "label_smoothing": (["training.label_smoothing=0.1"], ["training.label_smoothing=0"]),
    "layer_norm": (["model.cell.layer_norm=true"], ["model.cell.layer_norm=false"]),
    "conditional": (["model.decoder.kind=conditional"], ["model.decoder.kind=luong"]),
    "lexical": (["model.lexical_model=true"], ["model.lexical_model=false"]),
    "sampling": (["tokenizer.sampling.alpha=0.5"], ["tokenizer.sampling=null"]),
    "small_vocabulary": (["tokenizer.vocabulary_size=4000"], ["tokenizer.vocabulary_size=8000"]),
    "ema": (["training.ema=0.999"], ["training.ema=null"]),
    "r_drop": (["training.r_drop.weight=1"], ["training.r_drop=null"]),
}
ROWS = [
    "plain",
    *(f"with-{name}" for name in INGREDIENTS),
    "recipe",
    *(f"without-{name}" for name in INGREDIENTS),
]


def settings(row: str) -> list[str]:
    """Returns the overrides of a row."""
    base, _, name = row.partition("-")
    if base in ("recipe", "without"):
        return INGREDIENTS[name][1] if name else []
    plain = [override for _, without in INGREDIENTS.values() for override in without]
    return plain + INGREDIENTS[name][0] if name else plain


def train(config: str, folder: Path, row: str, runs: Path, overrides: Sequence[str]) -> None:
    """Trains the network of a row, or finishes its training."""
    data = [f"data.train={folder / 'train'}", f"data.validation={folder / 'val'}", "data.test=null"]
    nmt.train(configfile.load(config, [f"run={runs / row}", *data, *settings(row), *overrides]))


def best(run: Run) -> dict[str, float]:
    """Returns the best validation BLEU of a run, and the median speed of its training."""
    records = run.records()
    speeds = sorted(each["train/tokens_per_second"] for each in records if "train/loss" in each)
    bleu = max(each["validation/bleu"] for each in records if "validation/bleu" in each)
    return {"bleu": bleu, "speed": speeds[len(speeds) // 2]}


def table(runs: Path) -> str:
    """Returns the rows that were trained, in Markdown, each beside what it is compared with."""
    found = {row: best(Run.open(runs / row)) for row in ROWS if (runs / row).is_dir()}
    lines = ["| row | validation BLEU | change | target tokens/s |", "|---|---|---|---|"]
    for row, each in found.items():
        base = found.get({"with": "plain", "without": "recipe"}.get(row.partition("-")[0], ""))
        change = f"{each['bleu'] - base['bleu']:+.2f}" if base else ""
        lines.append(f"| {row} | {each['bleu']:.2f} | {change} | {each['speed']:,.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("config", help="the recipe, such as configs/multi30k-de-en.yaml")
    parser.add_argument("data", type=Path, help="the folder with train and val")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/ingredients"), help="of run folders"
    )
    parser.add_argument("--row", action="append", choices=ROWS, help="repeat it; all if not given")
    parser.add_argument("--table", action="store_true", help="train nothing, print the table")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="for every row")
    arguments = parser.parse_intermixed_args()
    keep_freed_memory()
    for row in [] if arguments.table else arguments.row or ROWS:
        train(arguments.config, arguments.data, row, arguments.runs, arguments.overrides)
    print(table(arguments.runs))
