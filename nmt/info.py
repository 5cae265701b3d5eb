"""Description of a run or a bundle: parameters by part, vocabularies, training and scores."""

import math
import warnings
from typing import Any

from rich.console import Console
from rich.table import Table

from nmt import version
from nmt.bundle import Bundle
from nmt.config import Config, InputConfig, ModelConfig
from nmt.data.tokenizers import Tokenizers
from nmt.model import parameters
from nmt.model.build import outline
from nmt.run import Run
from nmt.trained import Trained


def describe(run: Trained) -> dict[str, Any]:
    """Returns a description in values that JSON can hold; a bundle's has nothing of training.

    Raises:
        RunError: the log of the run, or its record of the version, is damaged.
    """
    tokenizers = run.tokenizers()
    _, params = outline(run.config, tokenizers)
    return {
        "run": str(run.path),
        "nmt": {"version": run.version} if isinstance(run, Bundle) else version.read(run.path),
        "model": _model(run.config),
        **_vocabulary(run.config.data.input, tokenizers),
        "parameters": [
            {"name": name, "shape": list(leaf.shape), "count": math.prod(leaf.shape)}
            for name, leaf in parameters.named(params).items()
            if leaf.size  # a cell of a deep transition has a matrix of no rows
        ],
        **({"dtype": run.dtype} if isinstance(run, Bundle) else _training(run)),
    }


def _model(config: Config) -> dict[str, Any]:
    """Returns what kind of network it is."""
    model = config.model
    if config.aligner is not None:
        return {"kind": "aligner", **config.aligner.model_dump(include={"hidden_size", "empty"})}
    return {
        "decoder": model.decoder.kind,
        "attention": model.attention.mechanism,
        **_score(model),
        **_guided_head(model),
    }


def _training(run: Run) -> dict[str, Any]:
    """Returns what a run folder knows of its training."""
    best, last, averaged = run.progress("best"), run.progress("last"), run.progress("averaged")
    kept, damaged = run.checkpoints.examined("kept")
    if damaged:
        warnings.warn(f"{'; '.join(damaged)}: left out of those kept", stacklevel=3)
    validations = run.validations()
    return {
        "step": last.step if last else 0,
        "best_step": best.step if best else None,
        "kept": sorted(saved.progress.step for saved in kept),
        "averaged": averaged.averaged if averaged else [],
        "scores": validations.get(best.step, {}) if best else {},
    }


def parts(description: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Returns the parameters by the part of the model that they belong to."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*parameters.PARTS, "output")}
    for each in description["parameters"]:
        found[parameters.part(each["name"])].append(each)
    return {name: arrays for name, arrays in found.items() if arrays}


def render(description: dict[str, Any]) -> str:
    """Returns the description as tables for a terminal."""
    console = Console(width=100, highlight=False)
    parameters = Table("parameter", "shape", "count", title=description["run"])
    for part, arrays in parts(description).items():
        parameters.add_row(part, "", f"{_count(arrays):,}")
        for each in arrays:
            shape = " x ".join(map(str, each["shape"]))
            parameters.add_row(f"  {each['name']}", shape, f"{each['count']:,}")
        parameters.add_section()
    parameters.add_row("all", "", f"{_count(description['parameters']):,}")
    facts = Table(show_header=False)
    for section in ("model", "source", "vocabulary", "scores", "nmt"):
        if description.get(section):
            facts.add_row(section, ", ".join(_told(section, description[section])))
    if "dtype" in description:
        facts.add_row("bundle", f"parameters stored as {description['dtype']}")
    else:
        best = description["best_step"]
        facts.add_row(
            "trained", f"{description['step']} steps" + (f", best at {best}" if best else "")
        )
    for name in ("kept", "averaged"):
        if steps := description.get(name):
            facts.add_row(name, f"steps {', '.join(map(str, steps))}")
    with console.capture() as text:
        console.print(parameters, facts, sep="\n")
    return text.get().rstrip("\n")


def _told(section: str, facts: dict[str, Any]) -> list[str]:
    """Returns the facts of a section in words."""
    if section == "scores":
        signature, cut = facts.get("bleu_signature"), facts.get("cut")
        return [
            f"perplexity {facts['perplexity']:.2f}",
            *([f"BLEU {facts['bleu']:.2f} ({signature})"] if signature else []),
            *([f"{cut} translations cut at their longest length"] if cut else []),
        ]
    joint = facts.get("joint")
    shown = [f"{name} {fact}" for name, fact in facts.items() if name != "joint"]
    return [*shown, "joint vocabulary"] if joint else shown


def _vocabulary(given: InputConfig, tokenizers: Tokenizers) -> dict[str, Any]:
    """Returns the sizes of the vocabularies, and what a source is if it is not text."""
    if given.shape is None:
        sizes = {"source": tokenizers.source.size, "target": tokenizers.target.size}
        return {"vocabulary": {**sizes, "joint": tokenizers.joint}}
    grid = {} if given.shape.grid is None else {"cells": "{} x {}".format(*given.shape.grid)}
    source = {"kind": given.kind, "size": given.shape.size, **grid}
    return {"source": source, "vocabulary": {"target": tokenizers.target.size}}


def _score(model: ModelConfig) -> dict[str, str]:
    """Returns the score function and the normalizer, if the mechanism has them."""
    return model.attention.model_dump(include={"score", "normalizer"})


def _guided_head(model: ModelConfig) -> dict[str, str]:
    """Returns the settings of the guided head, if there is one."""
    head = model.guided_head
    if head is None:
        return {}
    return {"guided head": f"of size {head.size}" + (", isolated" if head.isolated else "")}


def _count(parameters: list[dict[str, Any]]) -> int:
    return sum(each["count"] for each in parameters)
