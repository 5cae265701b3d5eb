"""Configurations of run folders that earlier versions wrote, in the form of this one.

They hold every default, also the fields of whatever was not chosen. What did nothing is left out,
and what did something is said as it is said now. A user's own file is not touched: there, a
setting that does nothing is a mistake.
"""

from typing import Any

from nmt.config.data import is_table
from nmt.config.renames import renamed

Tree = dict[str, Any]

# The fields that a kind has read, of those of all kinds.
SCHEDULES = {
    "constant": ("warmup_steps",),
    "inverse_sqrt": ("warmup_steps",),
    "plateau": ("warmup_steps", "factor", "patience"),
    "luong": ("warmup_steps", "factor", "start_step", "every_steps"),
    "cosine": ("warmup_steps",),
}
ATTENTION = {
    "global": ("score", "score_options", "normaliser"),
    "local_m": ("score", "score_options", "normaliser", "window"),
    "local_p": ("score", "score_options", "normaliser", "window"),
    "hard": ("score", "score_options", "normaliser"),
    "monotonic": ("score", "score_options"),
    "multi_head": ("score", "score_options", "normaliser", "heads"),
    "uniform": (),
    "none": (),
}
ESTIMATORS = {
    "reinforce": ("reward_weight", "entropy_weight", "expected", "baseline_decay"),
    "gumbel": ("temperature",),
}


def migrated(tree: Tree) -> Tree:
    """Returns the tree of a run folder's `config.yaml` in the form of this version."""
    try:
        if isinstance(tree["training"]["optimizer"], str):
            tree = _with_choices(tree)
    except (KeyError, TypeError, AttributeError):
        pass  # somebody has changed it by hand: validation names what is wrong
    return renamed(tree)[0]


def _with_choices(tree: Tree) -> Tree:
    """Returns a tree of dcef128 and before, in which no kind had fields of its own."""
    data, model = tree["data"], tree["model"]
    attention = model["attention"]
    return {
        **tree,
        "data": {
            **data,
            **{part: _corpus(data[part]) for part in ("train", "validation", "test")},
            "batch": {key: size for key, size in data["batch"].items() if size is not None},
        },
        "tokenizer": _tokenizer(tree["tokenizer"]),
        "model": {
            **model,
            "decoder": _decoder(model["decoder"]),
            "attention": _attention(attention),
        },
        "training": _training(tree["training"], attention, links=data["train"]["alignments"]),
        "decoding": _decoding(tree["decoding"], attention["mechanism"]),
    }


def _corpus(corpus: Tree | None) -> Tree | None:
    if corpus is None or corpus["hub"] is not None:
        return corpus
    path = corpus["path"] or ""
    unread = {"subset", *(["split"] * (path != "embedded")), *(["columns"] * (not is_table(path)))}
    return {key: value for key, value in corpus.items() if key not in unread}


def _tokenizer(tokenizer: Tree) -> Tree:
    sampling = tokenizer["sampling"]
    if tokenizer["model"] is not None:
        return {"model": tokenizer["model"], "sampling": sampling}
    if tokenizer["source_model"] is not None:
        return {**_picked(tokenizer, "source_model", "target_model"), "sampling": sampling}
    if sampling is not None and tokenizer["kind"] == "bpe":
        sampling = _picked(sampling, "alpha")
    existing = ("model", "source_model", "target_model")
    trained = {key: value for key, value in tokenizer.items() if key not in existing}
    return {**trained, "sampling": sampling}


def _decoder(decoder: Tree) -> Tree:
    unread = "input_feeding" if decoder["kind"] == "bahdanau" else ""
    return {key: value for key, value in decoder.items() if key != unread}


def _attention(attention: Tree) -> Tree:
    mechanism = attention["mechanism"]
    picked = _picked(attention, "mechanism", *ATTENTION[mechanism])
    match mechanism, attention["coverage"]:
        case "global", "linguistic":
            fertility = attention["max_fertility"]
            return {**picked, "coverage": {"kind": "linguistic", "max_fertility": fertility}}
        case "global", "neural":
            return {**picked, "coverage": {"kind": "neural", "size": attention["coverage_size"]}}
        case "monotonic", _:
            return {**picked, **attention["monotonic"]}
        case "hard", _:
            estimator = attention["hard"]["estimator"]
            fields = _picked(attention["hard"], *ESTIMATORS[estimator])
            return {**picked, "estimator": {"kind": estimator, **fields}}
    return picked


def _training(training: Tree, attention: Tree, *, links: str | None) -> Tree:
    optimizer = {"kind": training["optimizer"]}
    if optimizer["kind"] == "adamw":
        if training["weight_decay"] > 0:
            optimizer["weight_decay"] = training["weight_decay"]
        else:  # which was the default, and made it Adam
            optimizer["kind"] = "adam"
    schedule = training["schedule"]
    schedule = _picked(schedule, "kind", *SCHEDULES[schedule["kind"]])
    if schedule["kind"] == "inverse_sqrt":
        schedule["warmup_steps"] = max(1, schedule["warmup_steps"])  # as 0 was understood
    guided = None if links is None else training["guided_alignment"]
    zeros = attention["normaliser"] != "softmax" or attention["mechanism"].startswith("local_")
    if guided is not None and zeros:
        # `ce` had no gradient where weights were zero. Going on is the one thing that changes.
        guided = {**guided, "cost": "mse"}
    kept = {key: value for key, value in training.items() if key != "weight_decay"}
    return {**kept, "optimizer": optimizer, "schedule": schedule, "guided_alignment": guided}


def _decoding(decoding: Tree, mechanism: str) -> Tree:
    """Returns what search reads. `prune` compared other things, and is left out."""
    kept = _picked(decoding, "beam", "max_ratio", "max_extra", "batch")
    if mechanism in ("hard", "monotonic"):
        kept["draw"] = decoding["draw"]
    if mechanism != "none":
        kept["coverage_penalty"] = decoding["coverage_penalty"]
    penalty = {"kind": decoding["normalisation"]}
    if penalty["kind"] != "none":
        penalty["alpha"] = decoding["alpha"]
    return {
        **kept,
        "length_penalty": penalty,
        "max_pieces": decoding["max_source"],
        "shortlist": decoding["shortlist"] or None,
    }


def _picked(tree: Tree, *keys: str) -> Tree:
    return {key: tree[key] for key in keys}
