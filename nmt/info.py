"""What a run folder holds, in numbers: parameters by part, vocabularies, training and scores."""

import json
import math
from pathlib import Path
from typing import Any

import jax
from flax import nnx
from rich.console import Console
from rich.table import Table

from nmt.decoding.translator import build_model
from nmt.run import Run


def describe(path: str | Path) -> dict[str, Any]:
    """Returns a description that JSON can hold.

    Raises:
        RunError: this is no run folder.
    """
    run = Run.open(path)
    tokenizers = run.tokenizers()
    params = nnx.state(nnx.eval_shape(lambda: build_model(run.config, tokenizers)), nnx.Param)
    best, last = run.position("best"), run.position("last")
    return {
        "run": str(run.path),
        "model": {
            "decoder": run.config.model.decoder.kind,
            "attention": run.config.model.attention.mechanism,
            "score": run.config.model.attention.score,
        },
        "vocabulary": {
            "source": tokenizers.source.size,
            "target": tokenizers.target.size,
            "joint": tokenizers.joint,
        },
        "parameters": [
            {"name": _name(place), "shape": list(leaf.shape), "count": math.prod(leaf.shape)}
            for place, leaf in jax.tree_util.tree_leaves_with_path(nnx.to_pure_dict(params))
        ],
        "step": last.step if last else 0,
        "best_step": best.step if best else None,
        "scores": _last_validations(run, best.step if best else None),
    }


def render(description: dict[str, Any]) -> str:
    """Returns the description as tables for a terminal."""
    console = Console(width=100, highlight=False)
    parameters = Table("parameter", "shape", "count", title=description["run"])
    for each in description["parameters"]:
        shape = " x ".join(map(str, each["shape"]))
        parameters.add_row(each["name"], shape, f"{each['count']:,}")
    total = sum(each["count"] for each in description["parameters"])
    parameters.add_row("all", "", f"{total:,}")
    facts = Table(show_header=False)
    for section in ("model", "vocabulary", "scores"):
        facts.add_row(section, ", ".join(f"{k} {v}" for k, v in description[section].items()))
    facts.add_row("trained", f"{description['step']} steps, best at {description['best_step']}")
    with console.capture() as text:
        console.print(parameters, facts, sep="\n")
    return text.get().rstrip("\n")


def _name(place: tuple[Any, ...]) -> str:
    return ".".join(str(getattr(key, "key", key)) for key in place)


def _last_validations(run: Run, step: int | None) -> dict[str, Any]:
    """Returns what was measured when the best checkpoint was saved."""
    if step is None or not run.metrics_path.exists():
        return {}
    for line in run.metrics_path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["step"] == step and "validation/bleu" in record:
            return {
                name.removeprefix("validation/"): value
                for name, value in record.items()
                if name.startswith("validation/")
            }
    return {}
