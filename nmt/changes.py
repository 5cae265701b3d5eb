"""Settings that may change when training of a run is resumed, and messages about changes."""

from pathlib import Path

from nmt import configfile
from nmt.config import Config, TrainedTokenizerConfig
from nmt.errors import RunError

# The length of training, and its output.
CHANGEABLE = (
    "run",
    "training.max_steps",
    "training.max_epochs",
    "training.patience",
    "training.extend",
    "training.max_skipped_updates",
    "training.keep",
    "training.log_every",
    "training.attention_images",
    "data.test.",
)
# Not taken from the given configuration: users edit these in the run's config.yaml.
KEPT = ("decoding.", "data.word_boundaries")
# Of a tokenizer; an earlier version had other defaults, so what is not given is the run's own.
WITH_NEW_DEFAULTS = ("byte_fallback", "normalization")


def compared(path: Path, stored: Config, given: Config) -> list[str]:
    """Returns messages about the differences of a given configuration from the run's own.

    Raises:
        RunError: a setting differs that must not change.
    """
    differences = configfile.differences(stored, _with_defaults_of(stored, given))
    kept = [line for line in differences if line.startswith(KEPT)]
    changed = [line for line in differences if line.startswith(_changeable(stored))]
    refused = [line for line in differences if line not in (*kept, *changed)]
    if refused:
        raise RunError(
            f"{path}: holds a run of another configuration ({'; '.join(refused[:3])}); "
            "name another folder with run=..., or remove this one"
        )
    notes = [f"{path}: {_stays(line)}" for line in kept]
    if shown := [line for line in changed if not line.startswith("run: ")]:
        notes.append(f"{path}: {'; '.join(shown)}")
    return notes


def _changeable(stored: Config) -> tuple[str, ...]:
    """Returns the settings that may change: not the test set, if its pairs are no training text."""
    clean = stored.data.clean
    if clean is None or clean.held_out is None:
        return CHANGEABLE
    return tuple(key for key in CHANGEABLE if key != "data.test.")


def resumed(stored: Config, given: Config) -> Config:
    """Returns the configuration of a resumed run: a given one, with what stays as stored."""
    words = {"word_boundaries": stored.data.word_boundaries}
    own = {
        "data": given.data.model_copy(update=words),
        "decoding": stored.decoding,
        "tokenizer": stored.tokenizer,
    }
    return given.model_copy(update=own)


def _with_defaults_of(stored: Config, given: Config) -> Config:
    """Returns a given configuration with the defaults with which a run's tokenizer was made."""
    made, told = stored.tokenizer, given.tokenizer
    if not isinstance(made, TrainedTokenizerConfig) or type(told) is not type(made):
        return given
    unsaid = set(WITH_NEW_DEFAULTS) - told.model_fields_set
    told = told.model_copy(update={name: getattr(made, name) for name in unsaid})
    return given.model_copy(update={"tokenizer": told})


def _stays(difference: str) -> str:
    """Returns the message about a difference `key: before -> after` that has no effect."""
    key, _, values = difference.partition(": ")
    before, _, after = values.partition(" -> ")
    return f"{key} stays {before} as in its config.yaml, not {after}; edit that file to change it"
