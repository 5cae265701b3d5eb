"""Renamed keys and values of the configuration.

Old names are accepted for one more version, with a warning that gives the new name.
"""

from typing import Any

from nmt.errors import ConfigError

# Of version 0.1; no longer read from version 0.3 on.
KEYS = {
    "data.max_ratio": "data.max_length_ratio",
    "data.batch.shapes": "data.batch.buckets",
    "tokenizer.sampling.candidates": "tokenizer.sampling.nbest_size",
    "model.lexical": "model.lexical_model",
    "model.attention.normaliser": "model.attention.normalizer",
    "model.attention.estimator.expected": "model.attention.estimator.soft_fraction",
    "training.accumulate": "training.gradient_accumulation",
    "training.compute_type": "training.dtype",
    "training.max_skipped": "training.max_skipped_updates",
    "decoding.draw": "decoding.attention_seed",
    "decoding.max_ratio": "decoding.max_output_ratio",
}
VALUES = {
    ("training.guided_alignment.step", "write"): "predicted",
    ("training.guided_alignment.step", "read"): "shifted",
}

_OLD = [*KEYS, *(f"{key}.{value}" for key, value in VALUES)]


def renamed(tree: dict[str, Any], *, prefix: str = "") -> tuple[dict[str, Any], list[str]]:
    """Returns a tree with the new names, and a warning for each old name in it.

    Keys may be dotted, as in overrides; `prefix` is the dotted key of the tree itself.

    Raises:
        ConfigError: a setting is given by its old and by its new name.
    """
    found: dict[str, Any] = {}
    notices: list[str] = []
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        new = KEYS.get(dotted, dotted)
        if new != dotted:
            notices.append(f"{dotted} is now called {new}")
            key = new.removeprefix(prefix)
            if key in tree:
                raise ConfigError(f"{notices[-1]}, which is given too; leave one of them out")
        if isinstance(value, dict) and any(name.startswith(f"{new}.") for name in _OLD):
            value, more = renamed(value, prefix=f"{new}.")
            notices += more
        elif isinstance(value, str) and (new, value) in VALUES:
            notices.append(f"{new}: {value} is now called {VALUES[new, value]}")
            value = VALUES[new, value]
        found[key] = value
    return found, notices
