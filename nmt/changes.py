"""What of its configuration may change when a run goes on, and what is said of each change."""

from pathlib import Path

from nmt import configfile
from nmt.config import Config
from nmt.errors import RunError

# How long it trains, and what it prints.
CHANGEABLE = (
    "run",
    "training.max_steps",
    "training.max_epochs",
    "training.patience",
    "training.extend",
    "training.max_skipped_updates",
    "training.log_every",
    "training.attention_images",
    "data.test.",
)
# What another configuration does not change: people edit it in the run's own config.yaml.
THE_RUNS_OWN = "decoding."


def compared(path: Path, stored: Config, given: Config) -> list[str]:
    """Returns lines that say in what a given configuration differs from that of the run folder.

    Raises:
        RunError: it differs in something else than what may change.
    """
    differences = configfile.differences(stored, given)
    own = [line for line in differences if line.startswith(THE_RUNS_OWN)]
    changed = [line for line in differences if line.startswith(CHANGEABLE)]
    refused = [line for line in differences if line not in (*own, *changed)]
    if refused:
        raise RunError(
            f"{path}: holds a run of another configuration ({'; '.join(refused[:3])}); "
            "name another folder with run=..., or remove this one"
        )
    notes = [f"{path}: {_stays(line)}" for line in own]
    if shown := [line for line in changed if not line.startswith("run: ")]:
        notes.append(f"{path}: {'; '.join(shown)}")
    return notes


def _stays(difference: str) -> str:
    """Returns what becomes of a difference `key: before -> after` that is not taken over."""
    key, _, values = difference.partition(": ")
    before, _, after = values.partition(" -> ")
    return f"{key} stays {before} as in its config.yaml, not {after}; edit that file to change it"
