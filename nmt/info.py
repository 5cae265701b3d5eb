"""Description of a run or a bundle: parameters by part, vocabularies, training and scores."""

import math
import textwrap
import warnings
from typing import Any

from rich.console import Console
from rich.table import Table

from nmt import version
from nmt.bundle import Bundle
from nmt.config import Config, ConfigSection, InputConfig, LayeredConfig, ModelConfig
from nmt.data.tokenizer import Tokenizers
from nmt.model import parameters
from nmt.model.build import outline
from nmt.plotting.diagram import Arrow, Block, diagram
from nmt.run import Run
from nmt.trained import Trained

# Prefixes of parameter names, in the order of the computation; all other parameters are output.
PARTS = (
    "source_embedding",
    "target_embedding",
    "encoder",
    "decoder.attention",
    "decoder",
    "guided_head",
)

# Column and row of each block in the diagram.
PLACES = {
    "source pieces": (0, 0),
    "source embedding": (0, 1),
    "source": (0, 1),
    "encoder": (0, 2),
    "attention": (1, 2),
    "guided head": (1, 1),
    "target pieces so far": (2, 0),
    "target embedding": (2, 1),
    "decoder": (2, 2),
    "output": (2, 3),
}
CHANGED = ("transitions", "upper_transitions", "residual", "initial_state")  # told if not default
LINE = 42  # characters that fit into a block
ARROWS = (
    Arrow("source pieces", "source embedding"),
    Arrow("source embedding", "encoder"),
    Arrow("source", "encoder"),
    Arrow("encoder", "attention", "annotations"),
    Arrow("decoder", "attention", "query", shift=-12),
    Arrow("attention", "decoder", "context", shift=18),
    Arrow("source embedding", "guided head"),
    Arrow("target embedding", "guided head"),
    Arrow("target pieces so far", "target embedding"),
    Arrow("target embedding", "decoder"),
    Arrow("decoder", "output", "readout"),
)


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
    return {
        "step": last.step if last else 0,
        "best_step": best.step if best else None,
        "kept": sorted(saved.progress.step for saved in kept),
        "averaged": averaged.averaged if averaged else [],
        "scores": _validation_scores(run, best.step if best else None),
    }


def parts(description: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Returns the parameters by the part of the model that they belong to."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*PARTS, "output")}
    for each in description["parameters"]:
        name = next((part for part in PARTS if f"{each['name']}.".startswith(f"{part}.")), "output")
        found[name].append(each)
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
        if section in description:
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


def draw(description: dict[str, Any], model: ModelConfig) -> str:
    """Returns a block diagram of a model as SVG: its parts, their sizes and parameters."""
    counts = {name: f"{_count(arrays):,} parameters" for name, arrays in parts(description).items()}
    target = f"{description['vocabulary']['target']:,}"
    encoder, decoder, cell = model.encoder, model.decoder, _cell(model)
    tied = "" if model.tied_embeddings == "none" else " of the target embedding"
    width, size = f"{model.readout_size}", f"size {model.embedding_size}"
    if model.lexical_model:
        width = f"({width} + {model.embedding_size} of the lexical model)"
    lines = {
        **_source(description, [size, counts.get("source_embedding", "the target embedding")]),
        "encoder": [
            f"{encoder.kind} {cell}" if isinstance(encoder, LayeredConfig) else encoder.kind,
            *_settings(encoder),
            counts.get("encoder", "no parameters"),
        ],
        "attention": [
            model.attention.mechanism,
            *([", ".join(scored)] if (scored := _score(model).values()) else []),
            counts.get("decoder.attention", "no parameters"),
        ],
        **_head_lines(model, counts),
        "target pieces so far": [f"vocabulary of {target}"],
        "target embedding": [size, counts["target_embedding"]],
        "decoder": [
            f"{decoder.kind} {cell}",
            *_settings(decoder),
            counts["decoder"],
        ],
        "output": [f"softmax{tied}", f"{width} x {target}", counts["output"]],
    }
    blocks = [Block(name, lines[name], *place) for name, place in PLACES.items() if name in lines]
    arrows = [arrow for arrow in ARROWS if {arrow.start, arrow.end} <= set(lines)]
    return diagram(blocks, arrows, title=description["run"])


def _source(description: dict[str, Any], embedding: list[str]) -> dict[str, list[str]]:
    """Returns the lines of the blocks from which the encoder reads: pieces, or given vectors."""
    if "source" not in description:
        pieces = f"vocabulary of {description['vocabulary']['source']:,}"
        return {"source pieces": [pieces], "source embedding": embedding}
    kind, *facts = description["source"].items()
    return {"source": [str(kind[1]), *(f"{key} {value}" for key, value in facts)]}


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


def _head_lines(model: ModelConfig, counts: dict[str, str]) -> dict[str, list[str]]:
    """Returns the lines of the block of the guided head, if there is one."""
    reads = "also annotations and decoder states"
    return {
        name: [text, reads, counts["guided_head"]] for name, text in _guided_head(model).items()
    }


def _cell(model: ModelConfig) -> str:
    """Returns the name of the recurrent cell."""
    normalized = getattr(model.cell, "layer_norm", False)
    return model.cell.kind.upper() + (" with layer norm" if normalized else "")


def _settings(section: ConfigSection) -> list[str]:
    """Returns the settings of a section in lines, without its kind and with few defaults."""
    given = section.model_dump(exclude={"kind"}, exclude_none=True)
    changed = section.model_dump(include=set(CHANGED), exclude_defaults=True)
    shown = [(key, value) for key, value in given.items() if key not in CHANGED or key in changed]
    text = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in shown)
    return textwrap.wrap(text, LINE)


def _count(parameters: list[dict[str, Any]]) -> int:
    return sum(each["count"] for each in parameters)


def _validation_scores(run: Run, step: int | None) -> dict[str, Any]:
    """Returns the validation scores of a step, which the best checkpoint has."""
    for record in run.records():
        if record["step"] == step and "validation/perplexity" in record:
            return {
                name.removeprefix("validation/"): value
                for name, value in record.items()
                if name.startswith("validation/")
            }
    return {}
