"""A block diagram of a network: its parts, their sizes and parameters."""

import textwrap
from collections import Counter
from typing import Any

from nmt.config import ConfigSection, LayeredConfig, ModelConfig
from nmt.model import parameters
from nmt.plotting.diagram import Arrow, Block, diagram

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
SCORED = ("score", "normalizer")  # which some mechanisms have
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


def draw(description: dict[str, Any], model: ModelConfig) -> str:
    """Returns a block diagram of a model as SVG, from what `nmt.info.describe` says of it."""
    counts = _counts(description)
    scored = [text for key in SCORED if (text := description["model"].get(key))]
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
            *([", ".join(scored)] if scored else []),
            counts.get("decoder.attention", "no parameters"),
        ],
        **_guided_head(description, counts.get("guided_head", "")),
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


def _counts(description: dict[str, Any]) -> dict[str, str]:
    """Returns the number of parameters of each part that has some, in words."""
    counts = Counter[str]()
    for each in description["parameters"]:
        counts[parameters.part(each["name"])] += each["count"]
    return {part: f"{count:,} parameters" for part, count in counts.items()}


def _source(description: dict[str, Any], embedding: list[str]) -> dict[str, list[str]]:
    """Returns the lines of the blocks from which the encoder reads: pieces, or given vectors."""
    if "source" not in description:
        pieces = f"vocabulary of {description['vocabulary']['source']:,}"
        return {"source pieces": [pieces], "source embedding": embedding}
    kind, *facts = description["source"].items()
    return {"source": [str(kind[1]), *(f"{key} {value}" for key, value in facts)]}


def _guided_head(description: dict[str, Any], count: str) -> dict[str, list[str]]:
    """Returns the lines of the block of the guided head, if there is one."""
    if "guided head" not in description["model"]:
        return {}
    reads = "also annotations and decoder states"
    return {"guided head": [description["model"]["guided head"], reads, count]}


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
