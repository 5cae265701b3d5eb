"""Converts the `config.yaml` that an earlier version wrote into a run folder to today's form.

Earlier versions wrote every default, even of mechanisms that were not chosen. Settings without
effect are left out, and the others get their new names and places. A user's own file is not
converted: there, a setting without effect is a mistake.
"""

from typing import Any

from nmt.config.endings import is_table
from nmt.config.renames import renamed

Tree = dict[str, Any]

# All kinds had the fields of all others. These are the fields with an effect; of schedules, those
# besides `kind` and `warmup_steps`.
SCHEDULES = {"plateau": ("factor", "patience"), "luong": ("factor", "start_step", "every_steps")}
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
        pass  # it was changed by hand: validation names what is wrong
    return _as_made(renamed(tree)[0])


def _as_made(tree: Tree) -> Tree:
    """Adds what earlier versions did without a choice: their config.yaml does not say it."""
    match tree:
        case {"data": {"train": {"alignments": str()}}}:
            tree = {**tree, "data": {"word_boundaries": "unicode", **tree["data"]}}
    match tree:
        case {"tokenizer": {"vocabulary_size": _}}:
            made = {"normalization": "nmt_nfkc", "byte_fallback": False}
            tree = {**tree, "tokenizer": {**made, **tree["tokenizer"]}}
    return tree


def _with_choices(tree: Tree) -> Tree:
    """Converts a tree of commit dcef128 or before, when no kind had fields of its own."""
    data, model = tree["data"], tree["model"]
    attention = model["attention"]
    unused = ["input_feeding"] if model["decoder"]["kind"] == "bahdanau" else []
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
            "decoder": _without(model["decoder"], *unused),
            "attention": _attention(attention),
        },
        "training": _training(tree["training"], attention, links=data["train"]["alignments"]),
        "decoding": _decoding(tree["decoding"], attention["mechanism"]),
    }


def _corpus(corpus: Tree | None) -> Tree | None:
    if corpus is None or corpus["hub"] is not None:
        return corpus
    split = [] if corpus["path"] == "embedded" else ["split"]
    columns = [] if is_table(corpus["path"] or "") else ["columns"]
    return _without(corpus, "subset", *split, *columns)


def _tokenizer(tokenizer: Tree) -> Tree:
    sampling = tokenizer["sampling"]
    if tokenizer["model"] is not None:
        return {"model": tokenizer["model"], "sampling": sampling}
    if tokenizer["source_model"] is not None:
        return {**_picked(tokenizer, "source_model", "target_model"), "sampling": sampling}
    if sampling is not None and tokenizer["kind"] == "bpe":
        sampling = _picked(sampling, "alpha")
    trained = _without(tokenizer, "model", "source_model", "target_model")
    return {**trained, "sampling": sampling}


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
        else:  # AdamW without weight decay, the old default, is Adam
            optimizer["kind"] = "adam"
    schedule = training["schedule"]
    schedule = _picked(schedule, "kind", "warmup_steps", *SCHEDULES.get(schedule["kind"], ()))
    if schedule["kind"] == "inverse_sqrt":
        schedule["warmup_steps"] = max(1, schedule["warmup_steps"])  # 0 was read as 1
    guided = None if links is None else training["guided_alignment"]
    zeros = attention["normaliser"] != "softmax" or attention["mechanism"].startswith("local_")
    if guided is not None and zeros:
        # `ce` had no gradient where weights are zero; only a resumed training will notice.
        guided = {**guided, "cost": "mse"}
    changed = {"optimizer": optimizer, "schedule": schedule, "guided_alignment": guided}
    return {**_without(training, "weight_decay"), **changed}


def _decoding(decoding: Tree, mechanism: str) -> Tree:
    """Converts the settings of search; `prune` is left out, for it compared other scores."""
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


def _without(tree: Tree, *keys: str) -> Tree:
    return {key: value for key, value in tree.items() if key not in keys}
